"""The filters of Swarm's scheduler: why a node does not take a task.

Source: swarmkit, manager/scheduler/filter.go.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from swarm.scheduler.node_info import CPUS, MEMORY, NodeInfo, Port, TaskRequirements

SAME = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class FilterFailure:
    """Why a node does not take a task: the kind of filter that refuses, a sentence, and what to do."""

    kind: str
    text: str
    hint: str


def port_text(port: Port) -> str:
    """A port for people."""
    return f"{port[0]}/{port[1]}"


def _constraint(room: NodeInfo, wanted: TaskRequirements) -> FilterFailure | None:
    unmet = [item for item in wanted.constraints if not item.met(room.node)]
    return FilterFailure("constraint", f"{room.name} does not meet {unmet[0]}", "") if unmet else None


def _readiness(room: NodeInfo, _: TaskRequirements) -> FilterFailure | None:
    state = (room.node.get("Status") or {}).get("State")
    if state != "ready":
        hint = f"Start {room.name}: ./run swarm.start; ./run swarm.status shows all nodes."
        return FilterFailure("state", f"{room.name} is {state or 'in an unknown state'}", hint)
    availability = (room.node.get("Spec") or {}).get("Availability") or "active"
    if availability != "active":
        text = {"drain": "drained", "pause": "paused"}.get(availability, availability)
        hint = f"docker node update --availability active {room.name}"
        return FilterFailure("availability", f"{room.name} is {text}", hint)
    return None


def _platform(room: NodeInfo, wanted: TaskRequirements) -> FilterFailure | None:
    given = (room.node.get("Description") or {}).get("Platform") or {}
    system, machine = given.get("OS") or "", _machine(given.get("Architecture") or "")
    fits = (os in ("", system) and _machine(arch) in ("", machine) for os, arch in wanted.platforms)
    if not wanted.platforms or any(fits):
        return None
    built = ", ".join(f"{os}/{_machine(arch)}" for os, arch in wanted.platforms)
    hint = f"Build the image for {system}/{machine} as well, or add a {built} node."
    return FilterFailure("platform", f"{room.name} is {system}/{machine} and the image is for {built}", hint)


def _machine(name: str) -> str:
    return SAME.get(name, name)


def _plugin(room: NodeInfo, wanted: TaskRequirements) -> FilterFailure | None:
    engine = (room.node.get("Description") or {}).get("Engine")
    if engine is None:
        return None
    there = {(item["Type"], item["Name"].removesuffix(":latest")) for item in engine.get("Plugins") or ()}
    for kind, name in sorted(wanted.plugins - there):
        # An engine that lists no log driver at all is too old to tell.
        if kind != "Log" or any(listed == kind for listed, _ in there):
            hint = f"docker plugin install {name} on {room.name}, or use another driver."
            return FilterFailure("plugin", f"{room.name} has no {kind.lower()} driver {name}", hint)
    return None


def _resource(room: NodeInfo, wanted: TaskRequirements) -> FilterFailure | None:
    for kind, amount in wanted.reserved.items():
        if amount > room.free[kind]:
            left = max(room.free[kind], 0)
            text = f"{room.name} has {_amount(kind, left)} left of the {_amount(kind, amount)} {kind} reserved"
            hint = f"Reserve less {kind}, free some (./run status), or add a node."
            return FilterFailure("resources", text, hint)
    return None


def _amount(kind: str, amount: int) -> str:
    if kind == CPUS:
        return f"{amount / 1e9:.2f}"
    if kind == MEMORY:
        return f"{amount / 2**30:.1f} GiB" if amount >= 2**30 else f"{amount / 2**20:.0f} MiB"
    return str(amount)


def _host_port(room: NodeInfo, wanted: TaskRequirements) -> FilterFailure | None:
    for port in sorted(wanted.ports):
        if owners := room.ports.get(port):
            owner = "another task of its own" if owners[0] == wanted.service else owners[0]
            hint = "Use fewer replicas, another port, or more nodes that meet its constraints."
            return FilterFailure("port", f"host port {port_text(port)} of {room.name} is taken by {owner}", hint)
    return None


def _replicas(room: NodeInfo, wanted: TaskRequirements) -> FilterFailure | None:
    if not wanted.at_most or room.tasks[wanted.service] < wanted.at_most:
        return None
    hint = "Use fewer replicas, a higher max_replicas_per_node, or more nodes that meet its constraints."
    return FilterFailure("replicas", f"{room.name} runs {wanted.at_most} of at most {wanted.at_most} per node", hint)


def best_node(rooms: Sequence[NodeInfo], wanted: TaskRequirements) -> NodeInfo | None:
    """The node that the scheduler prefers: fewest tasks of the service, then fewest tasks."""
    fitting = (room for room in rooms if not first_failure(room, wanted))
    return min(fitting, key=lambda room: (room.tasks[wanted.service], room.tasks.total()), default=None)


def first_failure(room: NodeInfo, demand: TaskRequirements) -> FilterFailure | None:
    """Why a node does not take a task: the first filter that refuses it; None where the node takes it."""
    checks = (_constraint, _readiness, _platform, _plugin, _resource, _host_port, _replicas)
    return next((found for check in checks if (found := check(room, demand))), None)
