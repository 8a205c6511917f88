"""One-shot jobs: a stack's own job once more, or an ad-hoc one that leaves nothing behind.

Swarm makes a new iteration of a job at every update of its service; a task that failed is replaced as often as its
restart policy says, so only a failed task that nothing replaced has failed for good.
"""

import os
import secrets as random
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import psutil

from swarm.containers.job_attempts import Attempt, _iteration, attempts, verdict
from swarm.containers.job_log import JobLog, Line
from swarm.containers.job_spec import Job, _references, specification
from swarm.engine.client import Engine
from swarm.engine.refusals import REFUSALS
from swarm.engine.wire import Spec
from swarm.errors import ChangedMeanwhile, DeadlinePassed, JobFailed, UnknownName
from swarm.live import services
from swarm.live.services import Service
from swarm.report import Report
from swarm.rollout import lock
from swarm.wait import until

LABEL = "swarmstats.job"
OWNER = "swarmstats.job.owner"
UNTIL = "swarmstats.job.until"
PREFIX = "swarmstats-job-"
POLL_SECONDS = 0.3
UNPLACEABLE_SECONDS = 20.0
END_SECONDS = 60.0
DEADLINE_SECONDS = 3600.0
LOCK_TIMEOUT_SECONDS = 600.0
GRACE = timedelta(seconds=30)
NAME_LENGTH_LIMIT = 54
SHOWN_LINES = 8

Say = Callable[[Line], None]


@dataclass(frozen=True)
class JobResult:
    """How a job ended: exit code 0, or that of the first task that failed for good, with its error and node."""

    code: int | None
    lines: tuple[Line, ...] = ()
    error: str = ""
    node: str = ""

    @property
    def output(self) -> tuple[str, ...]:
        """What the job wrote to its standard output, line by line."""
        return tuple(line.text for line in self.lines if not line.error)

    @property
    def failure(self) -> str:
        """Where and why it failed, in one line."""
        return f"{self.node or 'no node'}: {self.error}"


def run(
    engine: Engine,
    word: str,
    report: Report,
    timeout: float = DEADLINE_SECONDS,
    lock_timeout: float = LOCK_TIMEOUT_SECONDS,
) -> JobResult:
    """Run a job of a stack (`db/bootstrap`) once more and pass on what it writes; raises where it cannot run or end."""
    found = find(services.services(engine), word)
    with lock.held(engine, f"job {word}", lock_timeout, report.line):
        service = _again(engine, found.id)
    return _follow(engine, service, timeout, lambda line: report.text(line.text))


def rerun(engine: Engine, word: str, timeout: float = DEADLINE_SECONDS, say: Say = lambda _: None) -> JobResult:
    """Like `run`, for callers that already hold the deploy lock."""
    return _follow(engine, _again(engine, find(services.services(engine), word).id), timeout, say)


def find(services: Iterable[Service], word: str) -> Service:
    """The job that a word means; raises UnknownName, or JobFailed for a service that is not a job."""
    known = {service.name: service for service in services}
    jobs = [_shown(service) for service in known.values() if service.mode == "replicated-job"]
    service = known.get(word.replace("/", "_", 1))
    if service is None:
        raise UnknownName("job", word, jobs)
    if service.mode != "replicated-job":
        raise JobFailed(
            f"{_shown(service)} is not a job: its mode is {service.mode}.",
            hint=f"Jobs: {', '.join(sorted(jobs)) or 'none'}.",
        )
    return service


def run_once(engine: Engine, name: str, job: Job, say: Say = lambda _: None) -> JobResult:
    """Run an ad-hoc job to its end and remove it, however this ends; raises JobFailed or DeadlinePassed."""
    sweep(engine)
    full = f"{PREFIX}{name}"[:NAME_LENGTH_LIMIT] + f"-{random.token_hex(4)}"
    labels = {
        LABEL: name,
        OWNER: f"{socket.gethostname()}:{os.getpid()}",
        UNTIL: (engine.now() + timedelta(seconds=job.deadline) + GRACE).isoformat(),
    }
    configs: dict[str, str] = {}
    try:
        for number, (path, content) in enumerate(job.files.items()):
            configs[path] = engine.configs.create(f"{full}-{number}", content, labels)
        service = engine.services.create(specification(full, labels, job, _references(engine, full, job, configs)))
        return _follow(engine, service, job.deadline, say)
    finally:
        _discard(engine, full, configs.values())


def sweep(engine: Engine) -> list[str]:
    """Remove ad-hoc jobs whose client is gone or whose time is long over; returns their names."""
    services = engine.services.list(label=LABEL)
    configs = engine.configs.list(LABEL)
    if not services and not configs:
        return []
    now, host = engine.now(), socket.gethostname()
    dead = [item for item in services if abandoned(item["Spec"]["Labels"], now, host)]
    for item in dead:
        engine.services.remove(item["ID"])
    for item in configs:
        if abandoned(item["Spec"]["Labels"], now, host):
            engine.configs.discard(item["ID"])
    return [str(item["Spec"]["Name"]) for item in dead]


def end(engine: Engine, name: str) -> None:
    """Stop all ad-hoc jobs of a name, also those of other clients, and return once their tasks have stopped.

    For callers that hold a lock which forbids such jobs.
    """
    found = {str(item["ID"]) for item in engine.services.list(label=f"{LABEL}={name}")}
    for identity in found:
        engine.services.remove(identity)

    def ended() -> bool:
        # Of a service that is gone the managers list no tasks by its id, but among all.
        left = [task for task in engine.tasks.list() if task["ServiceID"] in found]
        return all(task["Status"]["State"] in services.ENDED for task in left)

    if not until(ended, END_SECONDS, every=POLL_SECONDS):
        raise DeadlinePassed(f"Abandoned job {name} is still running after {END_SECONDS:.0f} s.")


def abandoned(labels: Mapping[str, str], now: datetime, host: str) -> bool:
    """Whether an ad-hoc job is abandoned: its process on this host has ended, or its time is over."""
    owner, _, process = labels.get(OWNER, "").rpartition(":")
    if owner == host and process.isdigit() and not psutil.pid_exists(int(process)):
        return True
    until = labels.get(UNTIL)
    return until is None or datetime.fromisoformat(until) < now


def _again(engine: Engine, identity: str) -> Spec:
    """Have Swarm run a job once more; returns the service as it stands then.

    A manager that went away after it had taken that in refuses the same once more: then the job runs already.
    """
    service = engine.services.get(identity)
    if service is None:
        raise ChangedMeanwhile("The job was removed by another client in the meantime.")
    template = service["Spec"]["TaskTemplate"]
    forced = {**template, "ForceUpdate": int(template.get("ForceUpdate", 0)) + 1}
    spec = {**service["Spec"], "TaskTemplate": forced}
    try:
        return engine.services.update(identity, int(service["Version"]["Index"]), spec)
    except ChangedMeanwhile:
        found = engine.services.get(identity)
        if found and found["Spec"] == spec:
            return found
        raise


def _follow(engine: Engine, service: Spec, timeout: float, say: Say) -> JobResult:
    """Wait for the end of the service's present iteration, passing on each line as it comes."""
    name, iteration = str(service["Spec"]["Name"]), int(service["JobStatus"]["JobIteration"].get("Index", 0))
    completions = int(service["Spec"]["Mode"]["ReplicatedJob"].get("TotalCompletions", 1))
    log, waiting = JobLog(engine, say), _Waiting()
    deadline = time.monotonic() + timeout
    while True:
        tasks = attempts(_tasks(engine, service, iteration), iteration)
        decided = verdict(tasks, completions)
        log.read(task.id for task in tasks if task.node)
        if decided is not None:
            log.finish(task.id for task in tasks if task.node)
            return _ended(engine, name, decided, log)
        if reason := waiting.too_long(tasks):
            raise JobFailed(f"{name}: no node can run it: {reason}", hint="./run swarm.status shows nodes and labels.")
        if time.monotonic() > deadline:
            raise DeadlinePassed(_late(name, timeout, tasks, log))
        time.sleep(POLL_SECONDS)


class _Waiting:
    """How long a task waits for a node, by our own clock."""

    def __init__(self) -> None:
        self.since: float | None = None

    def too_long(self, tasks: Sequence[Attempt]) -> str:
        reasons = [task.error for task in tasks if task.state == "pending" and task.error]
        self.since = (self.since or time.monotonic()) if reasons else None
        return reasons[0] if self.since and time.monotonic() - self.since > UNPLACEABLE_SECONDS else ""


def _tasks(engine: Engine, service: Spec, iteration: int) -> list[Spec]:
    identity = str(service["ID"])
    found = engine.tasks.list(service=identity)
    if any(_iteration(task) > iteration for task in found) or engine.services.get(identity) is None:
        raise ChangedMeanwhile(
            f"{service['Spec']['Name']} was restarted or removed by another client before it finished.",
            hint="./run lock.status shows who holds the deploy lock.",
        )
    return found


def _ended(engine: Engine, name: str, decided: Attempt, log: JobLog) -> JobResult:
    if decided.complete:
        return JobResult(0, tuple(log.lines))
    nodes = {node["ID"]: str(node["Description"]["Hostname"]) for node in engine.nodes.list()}
    error = decided.error or decided.state
    ended = JobResult(decided.code or None, tuple(log.lines), error, nodes.get(decided.node, ""))
    if ended.code is None:
        raise JobFailed(f"{name} failed to start: {ended.failure}")
    return ended


def _late(name: str, timeout: float, tasks: Sequence[Attempt], log: JobLog) -> str:
    states = ", ".join(f"{task.state}{f' ({task.error})' if task.error else ''}" for task in tasks) or "no task"
    last = (f"    {line.text}" for line in log.lines[-SHOWN_LINES:])
    return "\n".join((f"{name} did not finish within {timeout:.0f} s: {states}.", *last))


def _discard(engine: Engine, name: str, configs: Iterable[str]) -> None:
    # What an engine that went away keeps is swept by the next job.
    with suppress(*REFUSALS):
        engine.services.remove(name)
    for identity in configs:
        engine.configs.discard(identity)


def _shown(service: Service) -> str:
    return f"{service.stack}/{service.name.removeprefix(f'{service.stack}_')}"
