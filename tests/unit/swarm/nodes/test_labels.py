from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from swarm.engine.client import Engine
from swarm.errors import ArgumentInvalid, UnknownName
from swarm.nodes import labels
from swarm.nodes.labels import LabelChange


@dataclass(frozen=True)
class Swarm(Engine):
    """Two nodes, one with a label."""

    def _list_nodes(self) -> list[dict[str, Any]]:
        return [
            {"Description": {"Hostname": "node-2"}, "Spec": {"Labels": {"zone": "eu"}}},
            {"Description": {"Hostname": "node-1"}, "Spec": {}},
        ]

    @property
    def nodes(self) -> Any:
        return SimpleNamespace(list=self._list_nodes)


def test_labels_are_given_and_taken_away() -> None:
    assert labels.parse(["zone=eu", "old-", "empty="]) == [
        LabelChange("zone", "eu"),
        LabelChange("old", None),
        LabelChange("empty", ""),
    ]


@pytest.mark.parametrize("word", ["zone", "=eu", "-", ""])
def test_a_word_that_is_no_label_is_refused_with_an_example(word: str) -> None:
    with pytest.raises(ArgumentInvalid, match="is not a label"):
        labels.parse([word])


def test_only_what_is_not_so_already_is_done() -> None:
    assert labels.labels_by_node(Swarm()) == {"node-1": {}, "node-2": {"zone": "eu"}}
    assert labels.changes(Swarm(), "node-2", labels.parse(["zone=eu", "rack-"])) == []
    assert labels.changes(Swarm(), "node-2", labels.parse(["zone=us"])) == ["set zone=us on node-2"]
    assert labels.changes(Swarm(), "node-2", labels.parse(["zone-"])) == ["remove zone from node-2"]
    with pytest.raises(UnknownName, match=r"Did you mean node-2 or node-1\?"):
        labels.changes(Swarm(), "node-22", labels.parse(["zone-"]))
