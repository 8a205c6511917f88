"""Where tasks would go: the scheduler's decisions, made in advance on what the managers know."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from swarm.engine.wire import Spec
from swarm.live.services import Snapshot
from swarm.scheduler import constraints, filters, node_info
from swarm.scheduler.node_info import NodeInfo, TaskRequirements

HOLDING = ("assigned", "accepted", "preparing", "ready", "starting", "running")
GOING = ("shutdown", "remove", "orphaned")


@dataclass(frozen=True)
class Reservation:
    """What a running task takes of which node (its id)."""

    node: str
    demand: TaskRequirements


@dataclass(frozen=True)
class Move:
    """One task to be placed, on `node` if its service is global, and the tasks of its slot that it replaces."""

    demand: TaskRequirements
    replaces: tuple[Reservation, ...] = ()
    start_first: bool = False
    node: str | None = None
    ends: bool = False


@dataclass(frozen=True)
class Swarm:
    """The nodes by id with what is on them; where nodes are equal, the first takes the task."""

    rooms: Mapping[str, NodeInfo]
    drivers: Mapping[str, str]
    slots: Mapping[str, Mapping[str, tuple[Reservation, ...]]]

    def leave(self, slot: Iterable[Reservation]) -> None:
        """Tasks go."""
        for held in slot:
            self.rooms[held.node].leave(held.demand)

    def candidates(self, move: Move) -> list[NodeInfo]:
        """The nodes that a task may go to at all."""
        return [self.rooms[move.node]] if move.node else list(self.rooms.values())


def place(
    desired: Mapping[str, Spec], snapshot: Snapshot, kept: Collection[str], nodes: Sequence[Spec]
) -> tuple[Swarm, list[Move]]:
    """Create and update services in their order; the swarm as it is then, and the tasks that no node took."""
    swarm = _now(desired, snapshot, nodes)
    waiting = _tried(
        (move for name, spec in desired.items() for move in _moves(name, spec, swarm, name in kept)), swarm
    )
    while waiting:
        left = _tried(waiting, swarm)
        if len(left) == len(waiting):
            break
        waiting = left
    return swarm, waiting


def desired_tasks(spec: Spec) -> int:
    """How many tasks a replicated service or job runs at a time."""
    if job := spec["Mode"].get("ReplicatedJob"):
        at_once = int(job.get("MaxConcurrent") or 1)
        return min(at_once, int(job.get("TotalCompletions", at_once)))
    replicas = (spec["Mode"].get("Replicated") or {}).get("Replicas")
    return 1 if replicas is None else int(replicas)


def is_global(spec: Spec) -> bool:
    """A global service or job: one task on each node that its constraints allow."""
    return "Global" in spec["Mode"] or "GlobalJob" in spec["Mode"]


def allowed(demand: TaskRequirements, place: NodeInfo) -> bool:
    """Whether a global service wants a task on a node: down and drained ones count as gone."""
    return not _gone(place) and constraints.met(demand.constraints, place.node)


def ports(spec: Spec) -> Sequence[Mapping[str, Any]]:
    """The published ports of a service."""
    return (spec.get("EndpointSpec") or {}).get("Ports") or ()


def _now(desired: Mapping[str, Spec], snapshot: Snapshot, nodes: Sequence[Spec]) -> Swarm:
    rooms = {str(node["ID"]): node_info.without_tasks(node) for node in nodes}
    drivers = {str(item[key]): str(item["Driver"]) for item in snapshot.networks for key in ("Id", "Name")}
    services = {str(item["ID"]): item["Spec"] for item in snapshot.services}
    slots: dict[str, dict[str, tuple[Reservation, ...]]] = {}
    for task in snapshot.tasks:
        spec, node = services.get(str(task.get("ServiceID"))), str(task.get("NodeID"))
        if spec is None or node not in rooms or not _holds(task, spec):
            continue
        name = str(spec["Name"])
        if name in desired and _gone(rooms[node]):
            continue
        held = Reservation(node, node_info.task_requirements(name, task["Spec"], ports(spec), {}))
        rooms[node].take(held.demand)
        own, slot = slots.setdefault(name, {}), str(task.get("Slot") or node)
        own[slot] = (*own.get(slot, ()), held)
    return Swarm(rooms, drivers, slots)


def _holds(task: Mapping[str, Any], spec: Spec) -> bool:
    """Whether a task keeps its resources until it is replaced, unlike tasks of jobs."""
    active = task["Status"]["State"] in HOLDING and task.get("DesiredState") not in GOING
    return bool(active) and not _is_job(spec)


def _gone(place: NodeInfo) -> bool:
    """Tasks leave a node that is down or drained."""
    return bool(place.node["Status"].get("State") == "down" or place.node["Spec"].get("Availability") == "drain")


def _is_job(spec: Spec) -> bool:
    return "ReplicatedJob" in spec["Mode"] or "GlobalJob" in spec["Mode"]


def _moves(name: str, spec: Spec, swarm: Swarm, kept: bool) -> list[Move]:
    """The tasks of a service that must be placed, each with those that it replaces."""
    if kept and _is_job(spec):
        return []
    demand = node_info.task_requirements(name, spec["TaskTemplate"], ports(spec), swarm.drivers)
    start_first = (spec.get("UpdateConfig") or {}).get("Order") == "start-first"
    move = Move(demand, start_first=start_first, ends=_is_job(spec))
    slots = swarm.slots.get(name, {})
    if is_global(spec):
        return _moves_everywhere(move, slots, swarm, kept)
    count = desired_tasks(spec)
    staying = _scaled(list(slots.values()), count, swarm)
    if kept:
        # A task whose node no longer suits is stopped at once, whatever the order of updates.
        move = replace(move, start_first=False)
        replaced = [replace(move, replaces=slot) for slot in staying if not _suits(demand, slot, swarm)]
    else:
        replaced = [replace(move, replaces=slot) for slot in staying]
    return replaced + [move] * (count - len(staying))


def _suits(demand: TaskRequirements, slot: Iterable[Reservation], swarm: Swarm) -> bool:
    return all(constraints.met(demand.constraints, swarm.rooms[held.node].node) for held in slot)


def _moves_everywhere(move: Move, slots: Mapping[str, tuple[Reservation, ...]], swarm: Swarm, kept: bool) -> list[Move]:
    moves = []
    for identity, place in swarm.rooms.items():
        held = slots.get(identity, ())
        if not allowed(move.demand, place):
            swarm.leave(held)
        elif not (held and kept) and place.node["Spec"].get("Availability") != "pause":
            moves.append(replace(move, replaces=held, node=identity))
    return moves


def _scaled(slots: list[tuple[Reservation, ...]], count: int, swarm: Swarm) -> list[tuple[Reservation, ...]]:
    """The slots that stay: tasks go from the node that has most of them."""
    while len(slots) > count:
        crowds = [swarm.rooms[slot[0].node].tasks[slot[0].demand.service] for slot in slots]
        swarm.leave(slots.pop(crowds.index(max(crowds))))
    return slots


def _tried(moves: Iterable[Move], swarm: Swarm) -> list[Move]:
    """Place what can be placed, slot after slot as an update does it; what is left still waits."""
    return [left for move in moves if (left := _try(move, swarm))]


def _try(move: Move, swarm: Swarm) -> Move | None:
    """Stop-first lets the old task go whatever comes; start-first keeps it until the new one has its place."""
    if not move.start_first:
        swarm.leave(move.replaces)
        move = replace(move, replaces=())
    place = filters.best_node(swarm.candidates(move), move.demand)
    if place is None:
        return move
    swarm.leave(move.replaces)
    if not move.ends:
        place.take(move.demand)
    return None
