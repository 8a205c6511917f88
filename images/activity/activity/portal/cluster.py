"""The cluster as visitors see it: nodes, and the tasks on each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Any

from activity.portal.docker_api import DockerApi
from activity.times import parse_time

CACHE_SECONDS = 3.0
# Of what went wrong before, only the newest few on each node are worth reading.
MAX_FAILURES = 5
DESIRED_STATES = ("running", "complete", "ready", "accepted", "assigned", "preparing", "starting")
FAILED_STATES = ("failed", "rejected")


@dataclass(frozen=True)
class Task:
    """One task; `slot` is empty for a global service, `ok` whether it is as it should be."""

    service: str
    slot: str
    state: str
    desired: str
    since: datetime | None
    image: str
    error: str
    ok: bool


@dataclass(frozen=True)
class Node:
    """One node with its tasks; CPU in cores, memory in bytes."""

    hostname: str
    role: str
    leader: bool
    availability: str
    state: str
    engine: str
    address: str
    labels: dict[str, str]
    cores: float
    memory: int
    tasks: tuple[Task, ...]
    failures: tuple[Task, ...]

    @property
    def ok(self) -> bool:
        """Whether the node is there and takes work."""
        return self.state == "ready" and self.availability == "active"


@dataclass(frozen=True)
class Cluster:
    """The nodes, managers first, and the tasks that no node has taken."""

    nodes: tuple[Node, ...]
    unplaced: tuple[Task, ...]
    services: int

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All tasks that should be there."""
        return tuple(task for node in self.nodes for task in node.tasks) + self.unplaced


class ClusterReader:
    """Reads the cluster; many visitors within CACHE_SECONDS seconds cost the manager one reading."""

    def __init__(self, api: DockerApi) -> None:
        self._api = api
        self._lock = Lock()
        self._kept: tuple[float, Cluster | None] = (0.0, None)

    def read(self) -> Cluster:
        """The cluster now. Raises ClusterUnreachable."""
        with self._lock:
            read_at, cluster = self._kept
            if cluster is None or monotonic() - read_at > CACHE_SECONDS:
                cluster = assembled(*(self._api.listed(kind) for kind in ("nodes", "services", "tasks")))
                self._kept = (monotonic(), cluster)
            return cluster


def assembled(nodes: list[dict[str, Any]], services: list[dict[str, Any]], tasks: list[dict[str, Any]]) -> Cluster:
    """A cluster from the three lists of the Docker API."""
    names = {service["ID"]: service.get("Spec", {}).get("Name", "") for service in services}
    by_node: dict[str, list[Task]] = {}
    for raw in tasks:
        by_node.setdefault(raw.get("NodeID") or "", []).append(_task(raw, names))
    shown = sorted((_node(raw, by_node.pop(raw["ID"], [])) for raw in nodes), key=_managers_first)
    # Tasks of a node that was removed are history; what is wanted and has no node is a problem to see.
    return Cluster(tuple(shown), _present(by_node.get("", [])), len(services))


def _managers_first(node: Node) -> tuple[bool, str]:
    return node.role != "manager", node.hostname


def _node(raw: dict[str, Any], tasks: list[Task]) -> Node:
    spec, description, status = raw.get("Spec", {}), raw.get("Description", {}), raw.get("Status", {})
    resources = description.get("Resources", {})
    return Node(
        hostname=description.get("Hostname") or raw["ID"][:12],
        role=spec.get("Role", ""),
        leader=bool(raw.get("ManagerStatus", {}).get("Leader")),
        availability=spec.get("Availability", ""),
        state=status.get("State", "unknown"),
        engine=description.get("Engine", {}).get("EngineVersion", ""),
        address=status.get("Addr", ""),
        labels=dict(sorted((spec.get("Labels") or {}).items())),
        cores=resources.get("NanoCPUs", 0) / 1e9,
        memory=resources.get("MemoryBytes", 0),
        tasks=_present(tasks),
        failures=_failures(tasks),
    )


def _present(tasks: Iterable[Task]) -> tuple[Task, ...]:
    wanted = (task for task in tasks if task.desired in DESIRED_STATES)
    return tuple(sorted(wanted, key=lambda task: (task.service, task.slot.zfill(6))))


def _failures(tasks: Iterable[Task]) -> tuple[Task, ...]:
    replaced = (task for task in tasks if task.desired not in DESIRED_STATES)
    failed = [task for task in replaced if task.state in FAILED_STATES and task.since]
    failed.sort(key=lambda task: str(task.since), reverse=True)
    return tuple(failed[:MAX_FAILURES])


def _task(raw: dict[str, Any], names: dict[str, str]) -> Task:
    status = raw.get("Status", {})
    state, desired = status.get("State", ""), raw.get("DesiredState", "")
    return Task(
        service=names.get(raw.get("ServiceID", ""), "") or "(removed service)",
        slot=str(raw.get("Slot") or ""),
        state=state,
        desired=desired,
        since=_time(status.get("Timestamp")),
        image=short_image(raw.get("Spec", {}).get("ContainerSpec", {}).get("Image", "")),
        error=status.get("Err", ""),
        ok=state in ("running", "complete"),
    )


def _time(text: str | None) -> datetime | None:
    try:
        return parse_time(text) if text else None
    except ValueError:
        return None


def short_image(image: str) -> str:
    """An image without its registry and digest: host:5000/team/name:tag@sha256:... is name:tag."""
    return image.partition("@")[0].rpartition("/")[2]
