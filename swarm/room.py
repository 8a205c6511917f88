"""What a task asks of a node, and what room a node has left: the filters of Swarm's scheduler."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from swarm import constraints
from swarm.constraints import Constraint, Node

Port = tuple[int, str]

MEMORY, CPUS = "memory", "CPUs"
SAME = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Demand:
    """What one task of a service asks of a node."""

    service: str
    constraints: tuple[Constraint, ...] = ()
    reserved: Mapping[str, int] = field(default_factory=dict)
    ports: frozenset[Port] = frozenset()
    at_most: int = 0
    platforms: tuple[tuple[str, str], ...] = ()
    plugins: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Obstacle:
    """Why a node does not take a task: the kind of filter that refuses, a sentence, and what to do."""

    kind: str
    text: str
    hint: str


@dataclass
class Room:
    """One node and what the tasks on it leave free."""

    node: Node
    free: Counter[str]
    tasks: Counter[str] = field(default_factory=Counter)
    ports: dict[Port, list[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The node's host name."""
        return constraints.hostname(self.node)

    def take(self, demand: Demand) -> None:
        """A task comes."""
        self.free.subtract(demand.reserved)
        self.tasks[demand.service] += 1
        for port in demand.ports:
            self.ports.setdefault(port, []).append(demand.service)

    def leave(self, demand: Demand) -> None:
        """A task goes."""
        self.free.update(demand.reserved)
        self.tasks[demand.service] -= 1
        for port in demand.ports:
            self.ports[port].remove(demand.service)

    def obstacle(self, demand: Demand) -> Obstacle | None:
        """What keeps a task off this node, in the order in which it is told to people."""
        checks = (_constraint, _readiness, _platform, _plugin, _resource, _host_port, _replicas)
        return next((found for check in checks if (found := check(self, demand))), None)


def empty(node: Node) -> Room:
    """A node without tasks."""
    resources = (node.get("Description") or {}).get("Resources") or {}
    return Room(node, Counter(_amounts(resources)))


def demand(
    service: str, task: Mapping[str, Any], ports: Iterable[Mapping[str, Any]], drivers: Mapping[str, str]
) -> Demand:
    """What a task template (or a task's Spec) asks for; `drivers` is the driver of each network by name and id."""
    placement = task.get("Placement") or {}
    return Demand(
        service=service,
        constraints=constraints.parse(placement.get("Constraints") or ()),
        reserved=_amounts((task.get("Resources") or {}).get("Reservations") or {}),
        ports=host_ports(ports),
        at_most=int(placement.get("MaxReplicas") or 0),
        platforms=tuple(
            (item.get("OS") or "", item.get("Architecture") or "") for item in placement.get("Platforms") or ()
        ),
        plugins=frozenset(_plugins(task, drivers)),
    )


def host_ports(ports: Iterable[Mapping[str, Any]]) -> frozenset[Port]:
    """The ports that a task takes of its node; those that the engine picks are never taken already."""
    return frozenset(
        (int(port["PublishedPort"]), str(port.get("Protocol") or "tcp"))
        for port in ports
        if port.get("PublishMode") == "host" and port.get("PublishedPort")
    )


def written(port: Port) -> str:
    """A port for people."""
    return f"{port[0]}/{port[1]}"


def _amounts(resources: Mapping[str, Any]) -> dict[str, int]:
    """Bytes of memory, billionths of CPUs, and the number of each generic resource."""
    found: Counter[str] = Counter({MEMORY: resources.get("MemoryBytes") or 0, CPUS: resources.get("NanoCPUs") or 0})
    for item in resources.get("GenericResources") or ():
        if discrete := item.get("DiscreteResourceSpec"):
            found[discrete["Kind"]] += int(discrete.get("Value") or 0)
        elif named := item.get("NamedResourceSpec"):
            found[named["Kind"]] += 1
    return {kind: amount for kind, amount in found.items() if amount}


def _plugins(task: Mapping[str, Any], drivers: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for mount in (task.get("ContainerSpec") or {}).get("Mounts") or ():
        driver = ((mount.get("VolumeOptions") or {}).get("DriverConfig") or {}).get("Name")
        if mount.get("Type") == "volume" and driver and driver != "local":
            yield "Volume", driver
    for network in task.get("Networks") or ():
        if driver := drivers.get(str(network.get("Target"))):
            yield "Network", driver
    driver = (task.get("LogDriver") or {}).get("Name")
    if driver and driver != "none":
        yield "Log", driver


def _constraint(room: Room, wanted: Demand) -> Obstacle | None:
    unmet = [item for item in wanted.constraints if not item.met(room.node)]
    return Obstacle("constraint", f"{room.name} misses {unmet[0]}", "") if unmet else None


def _readiness(room: Room, _: Demand) -> Obstacle | None:
    state = (room.node.get("Status") or {}).get("State")
    if state != "ready":
        hint = f"Start {room.name}: ./run swarm.start; ./run swarm.status shows all nodes."
        return Obstacle("state", f"{room.name} is {state or 'in an unknown state'}", hint)
    availability = (room.node.get("Spec") or {}).get("Availability") or "active"
    if availability != "active":
        text = {"drain": "drained", "pause": "paused"}.get(availability, availability)
        hint = f"docker node update --availability active {room.name}"
        return Obstacle("availability", f"{room.name} is {text}", hint)
    return None


def _platform(room: Room, wanted: Demand) -> Obstacle | None:
    given = (room.node.get("Description") or {}).get("Platform") or {}
    system, machine = given.get("OS") or "", _machine(given.get("Architecture") or "")
    fits = (os in ("", system) and _machine(arch) in ("", machine) for os, arch in wanted.platforms)
    if not wanted.platforms or any(fits):
        return None
    built = ", ".join(f"{os}/{_machine(arch)}" for os, arch in wanted.platforms)
    hint = f"Build the image for {system}/{machine} too, or add a node of {built}."
    return Obstacle("platform", f"{room.name} is {system}/{machine} and the image is for {built}", hint)


def _machine(name: str) -> str:
    return SAME.get(name, name)


def _plugin(room: Room, wanted: Demand) -> Obstacle | None:
    engine = (room.node.get("Description") or {}).get("Engine")
    if engine is None:
        return None
    there = {(item["Type"], item["Name"].removesuffix(":latest")) for item in engine.get("Plugins") or ()}
    for kind, name in sorted(wanted.plugins - there):
        # An engine that lists no log driver at all is too old to tell.
        if kind != "Log" or any(listed == kind for listed, _ in there):
            hint = f"docker plugin install {name} on {room.name}, or another driver."
            return Obstacle("plugin", f"{room.name} has no {kind.lower()} driver {name}", hint)
    return None


def _resource(room: Room, wanted: Demand) -> Obstacle | None:
    for kind, amount in wanted.reserved.items():
        if amount > room.free[kind]:
            left = max(room.free[kind], 0)
            text = f"{room.name} has {_amount(kind, left)} left of the {_amount(kind, amount)} {kind} reserved"
            hint = f"Reserve less {kind}, free some (./run status), or add a node."
            return Obstacle("resources", text, hint)
    return None


def _amount(kind: str, amount: int) -> str:
    if kind == CPUS:
        return f"{amount / 1e9:.2f}"
    if kind == MEMORY:
        return f"{amount / 2**30:.1f} GiB" if amount >= 2**30 else f"{amount / 2**20:.0f} MiB"
    return str(amount)


def _host_port(room: Room, wanted: Demand) -> Obstacle | None:
    for port in sorted(wanted.ports):
        if owners := room.ports.get(port):
            owner = "another task of its own" if owners[0] == wanted.service else owners[0]
            hint = "Fewer replicas, another port, or more nodes that its constraints allow."
            return Obstacle("port", f"host port {written(port)} of {room.name} is taken by {owner}", hint)
    return None


def _replicas(room: Room, wanted: Demand) -> Obstacle | None:
    if not wanted.at_most or room.tasks[wanted.service] < wanted.at_most:
        return None
    hint = "Fewer replicas, a higher max_replicas_per_node, or more nodes that its constraints allow."
    return Obstacle("replicas", f"{room.name} runs {wanted.at_most} of at most {wanted.at_most} per node", hint)


def roomiest(rooms: Sequence[Room], wanted: Demand) -> Room | None:
    """The node that the scheduler prefers: fewest tasks of the service, then fewest tasks."""
    fitting = (room for room in rooms if not room.obstacle(wanted))
    return min(fitting, key=lambda room: (room.tasks[wanted.service], room.tasks.total()), default=None)
