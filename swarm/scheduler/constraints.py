"""Placement constraints as Swarm's scheduler reads them, and why no node meets them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from typing import Any

Node = Mapping[str, Any]

# Of swarmkit: manager/constraint/constraint.go.
KEY = re.compile(r"[a-z_][a-z0-9\-_.]+", re.IGNORECASE)
VALUE = re.compile(r"[a-z0-9:\-_\s.*()?+\[\]\\^$|/]+", re.IGNORECASE)
NODE_LABEL = "node.labels."
ENGINE_LABEL = "engine.labels."
FACTS = {
    "node.id": ("ID",),
    "node.hostname": ("Description", "Hostname"),
    "node.role": ("Spec", "Role"),
    "node.platform.os": ("Description", "Platform", "OS"),
    "node.platform.arch": ("Description", "Platform", "Architecture"),
}


@dataclass(frozen=True)
class Constraint:
    """One `key == value` or `key != value`; values compare without case, names of labels with it."""

    key: str
    equal: bool
    value: str

    def __str__(self) -> str:
        return f"{self.key} {'==' if self.equal else '!='} {self.value}"

    @property
    def label(self) -> str:
        """The name of the node's label that it asks for, or nothing."""
        return self.key[len(NODE_LABEL) :] if self.key.lower().startswith(NODE_LABEL) else ""

    @property
    def pins(self) -> bool:
        """Ties tasks to explicitly chosen nodes, not to a kind of node."""
        return self.equal and self.key.lower() not in ("node.role", "node.platform.os", "node.platform.arch")

    def met(self, node: Node) -> bool:
        """Whether a node meets it; an unknown key and a malformed address meet nothing."""
        if self.key.lower() == "node.ip":
            return self._address_met(str(_dig(node, ("Status", "Addr"))))
        found = self._found(node)
        return found is not None and (found.lower() == self.value.lower()) is self.equal

    def _found(self, node: Node) -> str | None:
        if path := FACTS.get(self.key.lower()):
            return str(_dig(node, path))
        for prefix, above in ((NODE_LABEL, ("Spec", "Labels")), (ENGINE_LABEL, ("Description", "Engine", "Labels"))):
            if self.key.lower().startswith(prefix) and len(self.key) > len(prefix):
                return str(_dig(node, (*above, self.key[len(prefix) :])))
        return None

    def _address_met(self, address: str) -> bool:
        try:
            network = ip_network(self.value, strict=False)
        except ValueError:
            return False
        try:
            return (ip_address(address) in network) is self.equal
        except ValueError:
            return not self.equal


def parse(texts: Iterable[str]) -> tuple[Constraint, ...]:
    """The constraints of a placement; nothing at all when one is malformed, as in the scheduler."""
    found = []
    for text in texts:
        operator = "==" if "==" in text else "!="
        key, given, value = (part.strip() for part in text.partition(operator))
        if not given or not KEY.fullmatch(key) or not VALUE.fullmatch(value):
            return ()
        found.append(Constraint(key, operator == "==", value))
    return tuple(found)


def met(constraints: Iterable[Constraint], node: Node) -> bool:
    """Whether a node meets all of them."""
    return all(constraint.met(node) for constraint in constraints)


def hostname(node: Node) -> str:
    """The name that people know a node by."""
    return str(_dig(node, ("Description", "Hostname"))) or str(node["ID"])


def explain(constraints: Sequence[Constraint], nodes: Sequence[Node]) -> tuple[str, str]:
    """Why no node meets the constraints, and what to do."""
    alone = next((item for item in constraints if not any(item.met(node) for node in nodes)), None)
    if alone:
        return _unmet(alone, constraints, nodes), _advice(alone, nodes)
    nearest, missed = _nearest(constraints, nodes)
    together = " and ".join(str(item) for item in constraints)
    reason = f"no node meets {together} at once; the nearest, {nearest}, does not meet {' and '.join(map(str, missed))}"
    return reason, _advice(missed[0], nodes, nearest)


def _unmet(alone: Constraint, constraints: Sequence[Constraint], nodes: Sequence[Node]) -> str:
    of = f"0 of {len(nodes)} {'node' if len(nodes) == 1 else 'nodes'}"
    if alone.label and alone.equal:
        near = _nearby(alone, nodes) or (_nearest(constraints, nodes)[0] if len(constraints) > 1 else "")
        return f"{of} have label {alone.label}={alone.value}{near and f'; nearest: {near}'}"
    return f"{of} meet {alone}"


def _nearby(wanted: Constraint, nodes: Sequence[Node]) -> str:
    """Labels that may be meant: another value of the same name, or nearly the same name."""
    labels = {hostname(node): _dig(node, ("Spec", "Labels")) or {} for node in nodes}
    names = {name for given in labels.values() for name in given}
    meant = [wanted.label] if wanted.label in names else get_close_matches(wanted.label, sorted(names), n=1)
    return ", ".join(
        f"{name}={given[name]} on {node}" for node, given in labels.items() for name in meant if name in given
    )


def _nearest(constraints: Sequence[Constraint], nodes: Sequence[Node]) -> tuple[str, list[Constraint]]:
    """The node that misses fewest constraints, and which."""
    missed = {hostname(node): [item for item in constraints if not item.met(node)] for node in nodes}
    return min(missed.items(), key=lambda item: (len(item[1]), item[0]), default=("", list(constraints)))


def _advice(constraint: Constraint, nodes: Sequence[Node], node: str = "NODE") -> str:
    label = constraint.label
    if label and constraint.equal:
        command = f"docker node update --label-add {label}={constraint.value} {node}"
        return f"{command}, or nodes[].labels in env.yaml and ./run swarm.init."
    if label:
        return f"docker node update --label-rm {label} {node}, or change the constraint."
    known = sorted({found for item in nodes if (found := constraint._found(item))})
    if not known:
        return (
            "Change the constraint: Swarm knows node.id, .hostname, .role, .ip, .platform.os, .platform.arch, labels."
        )
    return f"Change the constraint: {constraint.key} is {' or '.join(known)} here."


def _dig(value: Any, path: Sequence[str]) -> Any:
    for key in path:
        value = (value or {}).get(key)
    return "" if value is None else value
