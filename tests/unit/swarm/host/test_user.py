import os
from types import SimpleNamespace
from typing import Any

import pytest

from swarm.deploy import releases
from swarm.deploy.releases import Content
from swarm.engine.client import Engine
from swarm.rollout import lock

NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")
CONTENT = Content("app", {}, {}, {}, (), (), {}, {}, 180)


class Ledger(Engine):
    """Configs in memory: what was written down, and by whom."""

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "written", [])

    def _claim_configs(self, name: str, labels: dict[str, str]) -> str:
        self.written.append(labels)
        return name

    def _create_configs(self, name: str, content: bytes, labels: dict[str, str]) -> str:
        self.written.append(labels)
        return name

    def _list_configs(self, label: str | None = None) -> list[dict[str, object]]:
        return [
            {"ID": "c", "CreatedAt": "2026-11-21T00:00:00Z", "Spec": {"Labels": labels}}
            for labels in self.written
            if label and label.partition("=")[0] in labels
        ]

    def with_own_connection(self) -> "Ledger":
        return self

    def _discard_configs(self, identity: str) -> bool:
        return True

    @property
    def configs(self) -> Any:
        return SimpleNamespace(
            claim=self._claim_configs,
            create=self._create_configs,
            list=self._list_configs,
            discard=self._discard_configs,
        )


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of a user that no list of users has, as in a container that is started with `--user 1234`."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)


def test_a_user_without_a_name_holds_the_lock_and_makes_releases_under_a_number(nobody: None) -> None:
    ledger = Ledger()
    with lock.held(ledger, "deploy app", 1, lambda _: None):
        made = releases.begin(ledger, "app", CONTENT, deploy="d", commit="")
    assert ledger.written[0]["owner"] == made.owner == f"uid {2**31 - 7}"


def test_a_user_with_a_name_does_so_under_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    ledger = Ledger()
    with lock.held(ledger, "deploy app", 1, lambda _: None):
        assert ledger.written[0]["owner"] == "ada"
