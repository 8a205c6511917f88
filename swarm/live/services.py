"""What runs now, read from the engine: raw as the managers give it, and services with their tasks as frozen values."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from swarm.engine import timestamps
from swarm.engine.client import Engine
from swarm.engine.wire import NAMESPACE, Spec
from swarm.errors import UnknownName
from swarm.settings.environment import Environment
from swarm.stacks import targets
from swarm.stacks.selection import EVERYTHING, Selection, Subject
from swarm.stacks.targets import PROJECT, Target

ENDED = ("complete", "failed", "shutdown", "rejected", "orphaned", "remove")


@dataclass(frozen=True)
class Task:
    """One task: where it is, what state it is in, and why."""

    id: str
    slot: str
    node: str
    state: str
    desired: str
    error: str
    exit_code: int | None
    since: datetime
    created: datetime
    current: bool
    container: str = ""
    # Its node is down: its state is the last one reported.
    lost: bool = False

    @property
    def running(self) -> bool:
        """Runs, and its health check (if it has one) is content: Swarm calls it running only then."""
        return self.state == "running" and self.desired == "running"

    @property
    def leaving(self) -> bool:
        """Shutting down: desired state is `shutdown`, still running. It may serve requests until its proxy notices."""
        return self.state == "running" and self.desired != "running" and bool(self.node) and not self.lost

    @property
    def failed(self) -> bool:
        """Ended badly."""
        return self.state in ("failed", "rejected", "orphaned")


@dataclass(frozen=True)
class Service:
    """One service and its tasks."""

    id: str
    name: str
    stack: str
    mode: str
    image: str
    desired: int
    update: str
    update_message: str
    labels: Mapping[str, str]
    tasks: tuple[Task, ...]
    spec: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def short(self) -> str:
        """The name in the stack file."""
        return self.name.removeprefix(f"{self.stack}_")

    @property
    def job(self) -> bool:
        """Runs to completion instead of for ever."""
        return self.mode.endswith("job")

    @property
    def failures(self) -> tuple[Task, ...]:
        """Tasks that ended badly; what is to run for ever should not end at all: unhealthy, it may yet exit with 0."""
        return tuple(task for task in self.tasks if task.failed or (task.state == "complete" and not self.job))

    @property
    def attempts(self) -> int:
        """How often a task of a job is started again; of other services without meaning."""
        policy = (self.spec.get("TaskTemplate") or {}).get("RestartPolicy") or {}
        return int(policy.get("MaxAttempts") or 0)

    @property
    def running(self) -> int:
        """How many tasks of the current specification run (of a job: have completed)."""
        return sum(
            1 for task in self.tasks if task.current and (task.state == "complete" if self.job else task.running)
        )

    @property
    def leaving(self) -> int:
        """How many tasks that are not wanted any more still run."""
        return sum(1 for task in self.tasks if task.leaving)

    @property
    def healthy(self) -> bool:
        """Every wanted task of the current specification runs and no update is in progress."""
        settled = self.update not in ("updating", "paused", "rollback_started", "rollback_paused")
        return settled and self.running >= self.desired

    @property
    def state(self) -> str:
        """One word for people."""
        if self.healthy:
            return "complete" if self.job else "healthy"
        if self.update not in ("", "completed", "updating"):
            return self.update.replace("_", " ")
        return "failing" if any(task.current for task in self.failures) else "starting"


@dataclass(frozen=True)
class Snapshot:
    """What the managers know at one moment: nodes, services, tasks and swarm networks, raw as the API gives them."""

    nodes: tuple[Spec, ...]
    services: tuple[Spec, ...]
    tasks: tuple[Spec, ...]
    networks: tuple[Spec, ...]

    def of(self, stack: str) -> tuple[Spec, ...]:
        """The raw services of one stack."""
        return tuple(item for item in self.services if (item["Spec"].get("Labels") or {}).get(NAMESPACE) == stack)


def snapshot(engine: Engine) -> Snapshot:
    """Ask the managers for everything."""
    return Snapshot(
        nodes=tuple(engine.nodes.list()),
        services=tuple(engine.services.list()),
        tasks=tuple(engine.tasks.list()),
        networks=tuple(engine.networks.list()),
    )


def services(engine: Engine, stack: str | None = None) -> tuple[Service, ...]:
    """Services of a stack, or of all stacks, sorted by name."""
    return read(
        Snapshot(tuple(engine.nodes.list()), tuple(engine.services.list(stack)), tuple(engine.tasks.list(stack)), ())
    )


def read(seen: Snapshot) -> tuple[Service, ...]:
    """The services of stacks in a snapshot, sorted by name."""
    nodes = {str(node["ID"]): node for node in seen.nodes}
    tasks: dict[str, list[Mapping[str, Any]]] = {}
    for task in seen.tasks:
        tasks.setdefault(str(task["ServiceID"]), []).append(task)
    found = (_service(raw, tasks.get(str(raw["ID"]), ()), nodes) for raw in seen.services)
    return tuple(sorted((item for item in found if item.stack), key=lambda item: item.name))


def chosen(
    environment: Environment,
    found: Iterable[Service],
    selection: Selection = EVERYTHING,
    projects: str = "",
    absent: Collection[str] = (),
) -> tuple[Service, ...]:
    """Those of the services that are meant; raises UnknownName when something was asked for and none is.

    A project in `absent` may be named anyway: it is defined and does not run.
    """
    known = targets.with_template(environment)
    of = {target.name for target in targets.select(environment, PROJECT, projects)} if projects.strip() else None
    among = [service for service in found if of is None or service.stack in of]
    subjects = [subject(service, known) for service in among]
    meant = tuple(service for service, one in zip(among, subjects, strict=True) if selection.admits(one))
    if not meant and of is not None and not among and of.isdisjoint(absent):
        raise UnknownName("deployed project", projects, {service.stack for service in found if service.stack in known})
    if not meant and selection:
        raise selection.nothing(subjects)
    return meant


def subject(service: Service, known: Mapping[str, Target]) -> Subject:
    """A service as a selection sees it; `known` are the targets by name."""
    return Subject(service.labels, known.get(service.stack, Target(service.stack)), service.short)


def _service(raw: Mapping[str, Any], tasks: Iterable[Mapping[str, Any]], nodes: Mapping[str, Spec]) -> Service:
    specification = raw["Spec"]
    labels = specification.get("Labels") or {}
    update = raw.get("UpdateStatus") or {}
    mode, wanted = _mode(specification["Mode"], raw.get("ServiceStatus") or {})
    return Service(
        id=str(raw["ID"]),
        name=str(specification["Name"]),
        stack=str(labels.get(NAMESPACE, "")),
        mode=mode,
        image=str(specification["TaskTemplate"]["ContainerSpec"]["Image"]),
        desired=wanted,
        update=str(update.get("State", "")),
        update_message=str(update.get("Message", "")),
        labels=labels,
        tasks=tuple(_task(task, specification["TaskTemplate"], raw, nodes) for task in tasks),
        spec=specification,
    )


def _mode(mode: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[str, int]:
    if "Replicated" in mode:
        return "replicated", int(mode["Replicated"].get("Replicas", 1))
    if "ReplicatedJob" in mode:
        return "replicated-job", int(mode["ReplicatedJob"].get("TotalCompletions", 1))
    name = "global-job" if "GlobalJob" in mode else "global"
    return name, int(status.get("DesiredTasks", 0))


def _task(
    raw: Mapping[str, Any], template: Mapping[str, Any], service: Mapping[str, Any], nodes: Mapping[str, Spec]
) -> Task:
    status = raw["Status"]
    node = nodes.get(str(raw.get("NodeID")), {})
    name = str((node.get("Description") or {}).get("Hostname", ""))
    container = status.get("ContainerStatus") or {}
    iteration = (raw.get("JobIteration") or {}).get("Index")
    wanted = ((service.get("JobStatus") or {}).get("JobIteration") or {}).get("Index")
    same = _felt(raw["Spec"]) == _felt(template)
    return Task(
        id=str(raw["ID"]),
        slot=str(raw.get("Slot") or name),
        node=name,
        lost=(node.get("Status") or {}).get("State") == "down",
        state=str(status["State"]),
        desired=str(raw.get("DesiredState", "")),
        error=str(status.get("Err", "")),
        exit_code=container.get("ExitCode"),
        since=timestamps.parse(status["Timestamp"]),
        created=timestamps.parse(raw["CreatedAt"]),
        current=same
        and raw["Spec"].get("ForceUpdate", 0) == template.get("ForceUpdate", 0)
        and (iteration == wanted or wanted is None),
        container=str(container.get("ContainerID", "")),
    )


def _felt(specification: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the spec whose change replaces tasks; a task that also fits a new placement stays."""
    left_out = ("Runtime", "Placement", "ForceUpdate")
    return {key: value for key, value in specification.items() if value and key not in left_out}
