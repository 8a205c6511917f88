"""Who belongs to the swarm: the first manager begins it, the others join, roles and labels follow env.yaml."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from swarm.engine.client import Engine
from swarm.engine.refusals import REFUSALS, reason
from swarm.errors import NodeFailed, UnknownName
from swarm.report import Step
from swarm.settings.environment import Node
from swarm.wait import until

PORT = 2377
LISTEN = f"0.0.0.0:{PORT}"
ELECTION_SECONDS = 30.0
READY_SECONDS = 60.0
UPDATE_SECONDS = 15.0
PARALLEL_JOINS = 8
# Nanoseconds between a node's signs of life; three may be missing. With Docker's 5 s a network that is away for 20 s
# costs each task of a node, and where an only manager is cut off, of all others: they are replaced when it is back.
HEARTBEAT_NANOSECONDS = 25_000_000_000
PATIENT = "dispatcher heartbeat set to 25 s"

Entry = dict[str, Any]


@dataclass(frozen=True)
class Adjustment:
    """A change to a node, in words before and after."""

    todo: str
    done: str


@dataclass(frozen=True)
class SwarmNode:
    """A node as env.yaml wants it, with its engine and the address under which others reach it."""

    node: Node
    engine: Engine
    address: str

    @property
    def state(self) -> Entry:
        """What the node's own engine says about its part in a swarm."""
        return dict(self.engine.info()["Swarm"])

    @property
    def id(self) -> str:
        """The node's id in the swarm; empty when it is in none."""
        return str(self.state["NodeID"])


def form(seats: Sequence[SwarmNode], step: Step) -> list[str]:
    """Make one swarm of all seats, or complete it; returns what was done, nothing when all was well."""
    with _translated():
        managers_first = sorted(seats, key=lambda seat: seat.node.role != "manager")
        manager, done = _found_or_begun(managers_first)
        done += _forgotten(manager, seats)
        done += _gathered(manager, managers_first, step)
        done += _patient(manager.engine)
        for seat in managers_first:
            done += _adjusted(manager.engine, seat.id, seat.node, step)
        step.note("waiting until all nodes are ready")
        _await_ready(managers_first)
    return done


def pending(seats: Sequence[SwarmNode], silent: Sequence[Node]) -> list[str]:
    """What `form` would do with seats whose engines answer; the nodes that are silent can only be asked later."""
    with _translated():
        managers_first = sorted(seats, key=lambda seat: seat.node.role != "manager")
        manager, names = _leading(managers_first), ", ".join(node.name for node in silent)
        if manager is None and silent:
            return ["form a swarm of all nodes, with their roles and labels"]
        if manager is None:
            first = _first(managers_first)
            joins = [f"join {seat.node.name}" for seat in managers_first if seat is not first]
            return [f"initialize the swarm on {first.node.name}", *joins, "set the labels of all nodes"]
        dead, outside = _dead(manager, seats), _outside(manager, managers_first)
        inside = [(seat.node, seat.id) for seat in managers_first if seat not in outside]
        return [
            *([f"remove {len(dead)} dead nodes"] if dead else []),
            *(f"join {seat.node.name} and set its labels" for seat in outside),
            *_adjustments(manager.engine, inside),
            *([] if _is_patient(manager.engine.swarm.inspect()) else ["set the dispatcher heartbeat to 25 s"]),
            *([f"check that {names} are members with their roles and labels"] if silent else []),
        ]


def label(engine: Engine, nodes: Sequence[Node], step: Step) -> list[str]:
    """Set the labels of nodes that are there already; raises UnknownName before anything is changed."""
    with _translated():
        ids = _ids(engine, nodes)
        return [line for node in nodes for line in _adjusted(engine, ids[node.name], node, step, role=False)]


def unlabelled(engine: Engine, nodes: Sequence[Node]) -> list[str]:
    """What `label` would do."""
    with _translated():
        ids = _ids(engine, nodes)
        return _adjustments(engine, [(node, ids[node.name]) for node in nodes], role=False)


def desired_spec(spec: Entry, node: Node, *, role: bool) -> Entry:
    """A node's specification with the labels of env.yaml, and its role where that is ours to give; the rest stays."""
    labels = {**(spec.get("Labels") or {}), **node.labels}
    return {**spec, "Labels": labels, **({"Role": node.role} if role else {})}


def adjustment(entry: Entry, node: Node, *, role: bool) -> Adjustment | None:
    """What makes a node as env.yaml has it; None where it is so."""
    spec = desired_spec(entry["Spec"], node, role=role)
    if spec == entry["Spec"]:
        return None
    if spec["Role"] != entry["Spec"]["Role"]:
        return Adjustment(f"make {node.name} a {node.role}", f"{node.name} is now a {node.role}")
    return Adjustment(f"set the labels of {node.name}", f"labels of {node.name} set")


def problem(node: Node, entry: Entry | None) -> str:
    """What keeps a node from being ready; empty when nothing does."""
    if entry is None:
        return f"{node.name} (not a member)"
    status = entry["Status"]
    if status["State"] != "ready":
        return f"{node.name} ({status['State']}{': ' + status['Message'] if status.get('Message') else ''})"
    is_manager = entry.get("ManagerStatus", {}).get("Reachability") == "reachable"
    return "" if is_manager == (node.role == "manager") else f"{node.name} (not yet {node.role})"


def _ids(engine: Engine, nodes: Sequence[Node]) -> dict[str, str]:
    """Name of a node -> its id, of all nodes that the swarm has; raises UnknownName where one of ours is not there."""
    ids = {entry["Description"]["Hostname"]: entry["ID"] for entry in engine.nodes.list()}
    for node in nodes:
        if node.name not in ids:
            raise UnknownName("node", node.name, ids)
    return ids


def _found_or_begun(seats: Sequence[SwarmNode]) -> tuple[SwarmNode, list[str]]:
    states = [seat.state for seat in seats]
    for seat, state in zip(seats, states, strict=True):
        if state["LocalNodeState"] == "locked":
            raise NodeFailed(f"{seat.node.name} is locked.", hint="Unlock it on the node: docker swarm unlock")
    if any(state["NodeID"] for state in states):
        # Managers that were just started elect a leader first.
        until(lambda: _leading(seats) is not None, ELECTION_SECONDS)
    if manager := _leading(seats):
        return manager, []
    first = _first(seats)
    _leave(first)
    first.engine.swarm.init(first.address, LISTEN)
    until(lambda: _leading([first]) is not None, ELECTION_SECONDS)
    return first, [f"swarm initialized on {first.node.name}"]


def _first(seats: Sequence[SwarmNode]) -> SwarmNode:
    """The manager that begins a swarm; raises NodeFailed where one is held that has no leader."""
    managers = [seat for seat in seats if seat.node.role == "manager"]
    if holders := [seat.node.name for seat in managers if seat.id]:
        raise NodeFailed(
            f"{', '.join(holders)} belong to a swarm without a leader: too many managers are lost.",
            hint="./run swarm.clean and ./run swarm.init create a new one.",
        )
    return managers[0]


def _leading(seats: Sequence[SwarmNode]) -> SwarmNode | None:
    for seat in seats:
        with suppress(*REFUSALS):
            if seat.state["ControlAvailable"] and seat.engine.nodes.list():
                return seat
    return None


def _gathered(manager: SwarmNode, seats: Sequence[SwarmNode], step: Step) -> list[str]:
    """Let those join who are not members; managers one by one, so that the quorum grows step by step."""
    outside = _outside(manager, seats)
    if not outside:
        return []
    tokens = manager.engine.swarm.inspect()["JoinTokens"]

    def join(seat: SwarmNode) -> None:
        step.note(f"joining {seat.node.name}")
        _leave(seat)
        token = tokens[seat.node.role.capitalize()]
        seat.engine.swarm.join(f"{manager.address}:{PORT}", token, LISTEN, seat.address)

    for seat in outside:
        if seat.node.role == "manager":
            join(seat)
    with ThreadPoolExecutor(PARALLEL_JOINS) as pool:
        list(pool.map(join, (seat for seat in outside if seat.node.role == "worker")))
    return [f"{', '.join(seat.node.name for seat in outside)} joined"]


def _outside(manager: SwarmNode, seats: Sequence[SwarmNode]) -> list[SwarmNode]:
    members = {entry["ID"] for entry in manager.engine.nodes.list()}
    return [seat for seat in seats if seat.id not in members or seat.state["LocalNodeState"] == "error"]


def _leave(seat: SwarmNode) -> None:
    if seat.state["LocalNodeState"] != "inactive":
        seat.engine.swarm.leave()


def _forgotten(manager: SwarmNode, seats: Sequence[SwarmNode]) -> list[str]:
    """Remove what the swarm remembers of former lives of our nodes: same host name, another id."""
    dead = _dead(manager, seats)
    for entry in dead:
        if not until(partial(_removed, manager.engine, entry["ID"]), UPDATE_SECONDS):
            raise NodeFailed(f"Could not remove the dead node {entry['ID']} of {entry['Description']['Hostname']}.")
    return [f"{len(dead)} dead nodes removed"] if dead else []


def _dead(manager: SwarmNode, seats: Sequence[SwarmNode]) -> list[Entry]:
    names, ids = {seat.node.name for seat in seats}, {seat.id for seat in seats}
    return [
        entry
        for entry in manager.engine.nodes.list()
        if entry["Description"].get("Hostname") in names and entry["ID"] not in ids
    ]


def _removed(engine: Engine, node: str) -> bool:
    """One attempt; a manager that still counts for the quorum must be demoted before it can be removed."""
    with suppress(*REFUSALS):
        engine.nodes.remove(node)
    entry = next((entry for entry in engine.nodes.list() if entry["ID"] == node), None)
    if entry and entry["Spec"]["Role"] == "manager":
        with suppress(*REFUSALS):
            engine.nodes.update(entry, {**entry["Spec"], "Role": "worker"})
    return entry is None


def _is_patient(swarm: Entry) -> bool:
    return bool(swarm["Spec"]["Dispatcher"]["HeartbeatPeriod"] == HEARTBEAT_NANOSECONDS)


def _patient(engine: Engine) -> list[str]:
    """Let the swarm wait longer for a node that is silent; an update that was overtaken by another is made again."""

    def updated() -> bool:
        found = engine.swarm.inspect()
        if _is_patient(found):
            return True
        spec = {
            **found["Spec"],
            "Dispatcher": {**found["Spec"]["Dispatcher"], "HeartbeatPeriod": HEARTBEAT_NANOSECONDS},
        }
        with suppress(*REFUSALS):
            engine.swarm.update(found, spec)
        return False

    if _is_patient(engine.swarm.inspect()):
        return []
    if not until(updated, UPDATE_SECONDS):
        raise NodeFailed("Could not set the dispatcher heartbeat to 25 s.")
    return [PATIENT]


def _adjusted(engine: Engine, identity: str, node: Node, step: Step, *, role: bool = True) -> list[str]:
    """Give a node its role and labels; an update that was overtaken by another is made again."""
    change = adjustment(engine.nodes.inspect(identity), node, role=role)
    if change is None:
        return []
    step.note(change.done)
    if not until(lambda: _updated(engine, identity, node, role), UPDATE_SECONDS):
        raise NodeFailed(f"Could not set role {node.role} and labels {node.labels} on {node.name}.")
    return [change.done]


def _adjustments(engine: Engine, nodes: Iterable[tuple[Node, str]], *, role: bool = True) -> list[str]:
    """What `_adjusted` would do to nodes, given with their ids."""
    found = (adjustment(engine.nodes.inspect(identity), node, role=role) for node, identity in nodes)
    return [change.todo for change in found if change]


def _updated(engine: Engine, identity: str, node: Node, role: bool) -> bool:
    entry = engine.nodes.inspect(identity)
    spec = desired_spec(entry["Spec"], node, role=role)
    if spec != entry["Spec"]:
        with suppress(*REFUSALS):
            engine.nodes.update(entry, spec)
        return False
    return not role or node.role == "worker" or entry.get("ManagerStatus", {}).get("Reachability") == "reachable"


def _await_ready(seats: Sequence[SwarmNode]) -> None:
    late: list[str] = []

    def ready() -> bool:
        late[:] = _late(seats)
        return not late

    if not until(ready, READY_SECONDS):
        raise NodeFailed(
            f"Not ready after {READY_SECONDS:.0f} s: {', '.join(late)}.", hint="Run ./run swarm.init again."
        )


def _late(seats: Sequence[SwarmNode]) -> list[str]:
    manager = _leading(seats)
    if manager is None:
        return ["no leader"]
    entries = {entry["ID"]: entry for entry in manager.engine.nodes.list()}
    return [said for seat in seats if (said := problem(seat.node, entries.get(seat.id)))]


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except REFUSALS as error:
        raise NodeFailed(f"Cannot form the swarm: {reason(error)}", hint="Run ./run swarm.init again.") from error
