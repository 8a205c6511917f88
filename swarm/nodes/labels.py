"""Labels of nodes, by which services choose them: shown, given and taken away."""

from collections.abc import Sequence
from dataclasses import dataclass

from swarm.engine.client import Engine
from swarm.engine.refusals import REFUSALS
from swarm.errors import ArgumentInvalid, NodeFailed, UnknownName
from swarm.scheduler.constraints import hostname
from swarm.wait import until

UPDATE_SECONDS = 10.0


@dataclass(frozen=True)
class LabelChange:
    """One label to give (`value`) or to take away (None)."""

    key: str
    value: str | None


def parse(words: Sequence[str]) -> list[LabelChange]:
    """`zone=eu` gives, `zone-` takes away; raises ArgumentInvalid."""
    found = []
    for word in words:
        key, equals, value = word.partition("=")
        if equals and key:
            found.append(LabelChange(key, value))
        elif word.endswith("-") and len(word) > 1:
            found.append(LabelChange(word[:-1], None))
        else:
            raise ArgumentInvalid(
                f"{word!r} is not a label.",
                hint="KEY=VALUE sets a label, KEY- removes it: ./run swarm.label node-3 zone=eu",
            )
    return found


def labels_by_node(engine: Engine) -> dict[str, dict[str, str]]:
    """Node -> its labels, in the order of names."""
    found = {hostname(item): dict(item["Spec"].get("Labels") or {}) for item in engine.nodes.list()}
    return dict(sorted(found.items()))


def changes(engine: Engine, node: str, wishes: Sequence[LabelChange]) -> list[str]:
    """What would be done; raises UnknownName for a node that is not there."""
    there = labels_by_node(engine)
    if node not in there:
        raise UnknownName("node", node, there)
    gives = [
        f"set {w.key}={w.value} on {node}" for w in wishes if w.value is not None and there[node].get(w.key) != w.value
    ]
    return [*gives, *(f"remove {w.key} from {node}" for w in wishes if w.value is None and w.key in there[node])]


def change(engine: Engine, node: str, wishes: Sequence[LabelChange]) -> None:
    """Give and take labels; where that crosses with another change it is tried again."""
    if not until(lambda: _changed(engine, node, wishes), UPDATE_SECONDS):
        raise NodeFailed(f"Could not set the labels of {node}.", hint="./run swarm.status")


def _changed(engine: Engine, node: str, wishes: Sequence[LabelChange]) -> bool:
    if not changes(engine, node, wishes):
        return True
    (entry,) = [item for item in engine.nodes.list() if hostname(item) == node]
    labels = dict(entry["Spec"].get("Labels") or {}) | {w.key: w.value for w in wishes if w.value is not None}
    for wish in wishes:
        if wish.value is None:
            labels.pop(wish.key, None)
    try:
        engine.nodes.update(entry, {**entry["Spec"], "Labels": labels})
    except REFUSALS:
        return False
    return not changes(engine, node, wishes)
