"""Would every task find a node: what would stay pending if services were deployed, why, and what to do."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from swarm.engine.wire import Spec
from swarm.live.services import Snapshot
from swarm.scheduler import constraints, filters, node_info, placement
from swarm.scheduler.filters import FilterFailure, first_failure
from swarm.scheduler.node_info import TaskRequirements
from swarm.scheduler.placement import Move, Swarm

Volumes = Mapping[str, Mapping[str, Mapping[str, Any]]]

SHOWN_NODES = 3
# What a hint is about, where nodes refuse for several reasons: first what the stack can change.
KINDS = ("resources", "port", "replicas", "plugin", "platform", "availability", "state")


@dataclass(frozen=True)
class Blocked:
    """Tasks of a service that no node would take, or (not `certain`) that may not go where they should."""

    service: str
    tasks: int
    of: int
    reason: str
    hint: str
    certain: bool = True


def forecast(
    desired: Mapping[str, Spec], snapshot: Snapshot, volumes: Volumes, kept: Collection[str] = ()
) -> list[Blocked]:
    """Every task that would stay pending if these services were created or updated, and volumes left behind.

    `volumes`: node -> volume -> `docker volume inspect`, of the nodes that could be asked. Services in `kept` are
    updated in place: their running tasks stay. The scheduler breaks ties at random: what fits with luck only is not
    certain. Of services that compete for the last room the later one is named; it may be the earlier one that waits.
    """
    first, second = (_waiting(desired, snapshot, kept, nodes) for nodes in (snapshot.nodes, snapshot.nodes[::-1]))
    found: list[Blocked] = []
    for name, spec in desired.items():
        if refused := _refused(name, spec, desired, snapshot):
            found.append(refused)
        elif waits := first.get(name) or second.get(name):
            found.append(replace(waits, certain=name in first and name in second))
        found += _doubts(name, spec, snapshot, volumes)
    return found


def _waiting(
    desired: Mapping[str, Spec], snapshot: Snapshot, kept: Collection[str], nodes: Sequence[Spec]
) -> dict[str, Blocked]:
    swarm, waiting = placement.place(desired, snapshot, kept, nodes)
    moves: dict[str, list[Move]] = {}
    for move in waiting:
        moves.setdefault(move.demand.service, []).append(move)
    return {name: _blocked(desired[name], left, swarm) for name, left in moves.items()}


def _blocked(spec: Spec, left: Sequence[Move], swarm: Swarm) -> Blocked:
    demand = left[0].demand
    if placement.is_global(spec):
        of = sum(1 for place in swarm.rooms.values() if placement.allowed(demand, place))
        reason, hint = _sentence(found for move in left if (found := first_failure(swarm.candidates(move)[0], demand)))
    else:
        of = placement.desired_tasks(spec)
        reason, hint = _explained(left[0], swarm)
    tasks = len(left)
    if left[0].start_first and _fits_without_the_old(left[0], swarm):
        tasks = min(tasks, (spec.get("UpdateConfig") or {}).get("Parallelism", 1) or tasks)
        reason = f"its update starts the new task before the old one stops: {reason}"
        hint = "update_config and rollback_config: {order: stop-first} in its stack, or make room for one more task."
    return Blocked(demand.service, tasks, of, reason, hint)


def _explained(move: Move, swarm: Swarm) -> tuple[str, str]:
    demand, places = move.demand, list(swarm.rooms.values())
    nodes = [place.node for place in places]
    if not nodes:
        return "the swarm has no nodes", "./run swarm.init"
    if not any(constraints.met(demand.constraints, node) for node in nodes):
        return constraints.explain(demand.constraints, nodes)
    obstacles = [found for place in places if (found := first_failure(place, demand))]
    reason, hint = _sentence(found for found in obstacles if found.kind != "constraint")
    if barred := sum(1 for found in obstacles if found.kind == "constraint"):
        wishes = " and ".join(map(str, demand.constraints))
        reason += f"; {barred} of {len(nodes)} nodes {'does' if barred == 1 else 'do'} not meet {wishes}"
    return reason, hint


def _sentence(obstacles: Iterable[FilterFailure]) -> tuple[str, str]:
    """One sentence of what keeps tasks off nodes, and the hint of the obstacle that is easiest to move."""
    found = sorted(obstacles, key=lambda item: KINDS.index(item.kind))
    more = f"; and {len(found) - SHOWN_NODES} more nodes" if len(found) > SHOWN_NODES else ""
    return "; ".join(item.text for item in found[:SHOWN_NODES]) + more, found[0].hint


def _fits_without_the_old(move: Move, swarm: Swarm) -> bool:
    swarm.leave(move.replaces)
    fits = filters.best_node(swarm.candidates(move), move.demand) is not None
    for held in move.replaces:
        swarm.rooms[held.node].take(held.demand)
    return fits


def _refused(name: str, spec: Spec, desired: Mapping[str, Spec], snapshot: Snapshot) -> Blocked | None:
    """A port in ingress mode has one owner in the swarm: the managers refuse a second one."""
    ours = _published(spec)
    if not ours:
        return None
    others = {**{str(item["Spec"]["Name"]): item["Spec"] for item in snapshot.services}, **desired}
    for other, given in others.items():
        for port, mode in _published(given).items() if other != name else ():
            if port in ours and "ingress" in (mode, ours[port]):
                count = placement.desired_tasks(spec)
                reason = (
                    f"port {filters.port_text(port)} is already published by {other}, "
                    "and an ingress port can have only one owner"
                )
                return Blocked(name, count, count, reason, "Publish another port, or use mode: host for both.")
    return None


def _published(spec: Spec) -> dict[node_info.Port, str]:
    return {
        (int(port["PublishedPort"]), str(port.get("Protocol") or "tcp")): str(port.get("PublishMode") or "ingress")
        for port in placement.ports(spec)
        if port.get("PublishedPort")
    }


def _doubts(name: str, spec: Spec, snapshot: Snapshot, volumes: Volumes) -> Iterator[Blocked]:
    """What Swarm takes without a word and people do not expect."""
    demand = node_info.task_requirements(name, spec["TaskTemplate"], placement.ports(spec), {})
    fitting = [node for node in snapshot.nodes if _suits(node, demand)]
    if placement.is_global(spec):
        if not any(placement.allowed(demand, node_info.without_tasks(node)) for node in snapshot.nodes):
            reason, hint = constraints.explain(demand.constraints, snapshot.nodes)
            yield Blocked(name, 0, 0, f"it is global and would not run on any node: {reason}", hint, certain=False)
        return
    count = placement.desired_tasks(spec)
    names = [constraints.hostname(node) for node in fitting]
    for volume in _local_volumes(spec["TaskTemplate"]):
        holders = sorted(node for node, found in volumes.items() if volume in found and _has_data(found[volume]))
        if count and names and holders and all(node in volumes and node not in holders for node in names):
            reason = f"its volume {volume} is on {_listed(holders)}, and its tasks can only go to {_listed(names)}"
            hint = f"It would start with an empty volume there. Constrain it to {holders[0]}, or move the data."
            yield Blocked(name, count, count, reason, hint, certain=False)


def _suits(node: Spec, demand: TaskRequirements) -> bool:
    """Whether a node would take the task if nothing else were on it."""
    return first_failure(node_info.without_tasks(node), demand) is None


def _local_volumes(task: Mapping[str, Any]) -> Iterator[str]:
    for mount in (task.get("ContainerSpec") or {}).get("Mounts") or ():
        driver = (mount.get("VolumeOptions") or {}).get("DriverConfig") or {}
        elsewhere = driver.get("Name", "local") not in ("", "local") or (driver.get("Options") or {}).get("device")
        if mount.get("Type") == "volume" and mount.get("Source") and not elsewhere:
            yield str(mount["Source"])


def _has_data(volume: Mapping[str, Any]) -> bool:
    """Whether the data of a volume is on its node: one with a `device` only stands for what is elsewhere."""
    return volume.get("Driver", "local") == "local" and not (volume.get("Options") or {}).get("device")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NODES} more" if len(names) > SHOWN_NODES else ""
    return ", ".join(names[:SHOWN_NODES]) + more
