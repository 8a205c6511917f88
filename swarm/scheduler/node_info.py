"""What a task asks of a node, and what room a node has left: the filters of Swarm's scheduler."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from swarm.scheduler import constraints
from swarm.scheduler.constraints import Constraint, Node

Port = tuple[int, str]

MEMORY, CPUS = "memory", "CPUs"


@dataclass(frozen=True)
class TaskRequirements:
    """What one task of a service asks of a node."""

    service: str
    constraints: tuple[Constraint, ...] = ()
    reserved: Mapping[str, int] = field(default_factory=dict)
    ports: frozenset[Port] = frozenset()
    at_most: int = 0
    platforms: tuple[tuple[str, str], ...] = ()
    plugins: frozenset[tuple[str, str]] = frozenset()


@dataclass
class NodeInfo:
    """One node and what the tasks on it leave free."""

    node: Node
    free: Counter[str]
    tasks: Counter[str] = field(default_factory=Counter)
    ports: dict[Port, list[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The node's host name."""
        return constraints.hostname(self.node)

    def take(self, demand: TaskRequirements) -> None:
        """A task comes."""
        self.free.subtract(demand.reserved)
        self.tasks[demand.service] += 1
        for port in demand.ports:
            self.ports.setdefault(port, []).append(demand.service)

    def leave(self, demand: TaskRequirements) -> None:
        """A task goes."""
        self.free.update(demand.reserved)
        self.tasks[demand.service] -= 1
        for port in demand.ports:
            self.ports[port].remove(demand.service)


def without_tasks(node: Node) -> NodeInfo:
    """A node without tasks."""
    resources = (node.get("Description") or {}).get("Resources") or {}
    return NodeInfo(node, Counter(_amounts(resources)))


def task_requirements(
    service: str, task: Mapping[str, Any], ports: Iterable[Mapping[str, Any]], drivers: Mapping[str, str]
) -> TaskRequirements:
    """What a task template (or a task's Spec) asks for; `drivers` is the driver of each network by name and id."""
    placement = task.get("Placement") or {}
    return TaskRequirements(
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
