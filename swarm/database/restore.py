"""The whole cluster at a point in time: members are stopped, one is restored, the others clone it.

A member's former data stays in its volume under another name until the next restore, and is only replaced by data
that was restored and replayed without errors. Running the verb again completes an interrupted restore.
"""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from swarm.containers import exec, jobs
from swarm.containers.job_log import Line
from swarm.containers.job_spec import Job
from swarm.database import backups
from swarm.database.data_volumes import DATA_PATH, allowed_nodes, volume_at
from swarm.database.etcd import STATE_KEYS, forget_command
from swarm.engine.client import Engine
from swarm.engine.wire import Spec
from swarm.errors import (
    ArgumentInvalid,
    BackupFailed,
    BackupRunning,
    CommandFailed,
    DeadlinePassed,
    JobFailed,
    RestoreFailed,
    SwarmstatsError,
)
from swarm.live import services
from swarm.live.services import Service
from swarm.report import Step
from swarm.rollout import lock, scale
from swarm.scheduler import constraints
from swarm.session import Session
from swarm.settings.environment import Environment
from swarm.stacks import stack, targets
from swarm.wait import until

JOB = "restore"
ARCHIVED = re.compile(r"everything until (\S+) is archived")
CONFIG = "/etc/pgbackrest/pgbackrest.conf"
STORAGE = "/data"
SCRATCH = ("/tmp", "/run/postgresql")  # noqa: S108 - of the container alone
MEMORY_BYTES = 1024 * 2**20
RESTORE_SECONDS = 24 * 3600.0
LEADER_SECONDS = 300.0


@dataclass(frozen=True)
class Member:
    """A service that keeps a copy of the cluster: its volume, the node that holds that, and the image that restores."""

    service: Service
    volume: str
    node: str
    image: str


@dataclass(frozen=True)
class RecoveryTarget:
    """What a restore of the cluster shall come to: a moment or the newest, of the newest timeline or of another one.

    Each restore and each failover begins a timeline; what came later on the one before is reached by its number alone.
    The newest is `at_least` the moment until which all was archived: replay ends without a word where WAL is missing.
    """

    to: datetime | None = None
    timeline: int = 0
    at_least: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """As the service's verb takes it."""
        when = ("--to", self.to.isoformat()) if self.to else ()
        least = ("--at-least", self.at_least) if self.at_least and not (self.to or self.timeline) else ()
        return (*when, *least, *(("--timeline", str(self.timeline)) if self.timeline else ()))

    def __str__(self) -> str:
        """In words."""
        when = f"as it was at {self.to:%Y-%m-%d %H:%M:%S} UTC" if self.to else "up to the newest WAL in the archive"
        return f"{when} on timeline {self.timeline}" if self.timeline else when


def parse_time(text: str) -> datetime | None:
    """The time that was asked for, in UTC; raises ArgumentInvalid for what is none, or lies ahead."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentInvalid(f"--to {text!r} is not a valid time.", hint="E.g. --to 2026-01-31T12:00:00Z") from None
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    if found > datetime.now(UTC):
        raise ArgumentInvalid(f"--to {text} is in the future.", hint="Times without a zone are UTC.")
    return found


def members(raw: services.Snapshot) -> tuple[Member, ...]:
    """The services of the stack that keep the cluster, each with its volume and node, by name."""
    nodes: dict[str, str] = {}
    for task in sorted(raw.tasks, key=lambda item: str(item["CreatedAt"])):
        if task.get("NodeID"):
            nodes[str(task["ServiceID"])] = str(task["NodeID"])
    running = services.read(raw)
    image = next((item.image for item in running if item.name == backups.SERVICE), "")
    found = []
    for service in running:
        volume = volume_at(service.spec)
        if service.stack == backups.STACK and service.name != backups.SERVICE and volume:
            found.append(Member(service, volume, nodes.get(service.id) or _pinned_node(raw, service), image))
    if not found or not image:
        raise RestoreFailed(
            "The stack db is not deployed.", hint="Run ./run deploy db, then restore into the new cluster."
        )
    return tuple(found)


def _pinned_node(raw: services.Snapshot, service: Service) -> str:
    """The node of a service that has no task, such as one that an interrupted restore left stopped."""
    fitting = allowed_nodes(service.spec, raw.nodes)
    if len(fitting) != 1:
        raise RestoreFailed(
            f"{service.name} has no task, and {len(fitting)} nodes meet its constraints: cannot locate its volume.",
            hint="./run deploy db",
        )
    return fitting[0]


def actions(engine: Engine, goal: RecoveryTarget) -> list[str]:
    """What a restore of the cluster would do, in that order."""
    found = members(services.snapshot(engine))
    first, others = found[0], found[1:]
    return [
        "archive the WAL written until now, if the database answers",
        f"stop {', '.join(item.service.name for item in found)} and {backups.SERVICE}",
        f"restore the cluster {goal} into volume {first.volume}, keeping its former content next to it",
        *(
            f"set the data in volume {item.volume} aside, so that {item.service.name} clones the leader"
            for item in others
        ),
        f"start {first.service.name} and then the other members, and set the present passwords of the roles",
        "back up the restored cluster",
    ]


def restore_cluster(session: Session, goal: RecoveryTarget, wait: float) -> str:
    """Bring the whole cluster to a point in time, or to its newest; returns the result in words.

    Raises RestoreFailed when it was not restored: then everything runs as before.
    """
    environment, engine, report = session.environment, session.engine, session.report
    with lock.held(engine, "restore db", wait, report.line):
        # A client that was killed while restoring has left a job that goes on, or a part of one.
        jobs.end(engine, JOB)
        seen = services.snapshot(engine)
        found = members(seen)
        keeper = [item for item in services.services(engine, backups.STACK) if item.name == backups.SERVICE]
        require_nodes(found, seen.nodes)
        require_repository(environment, engine)
        with report.step("archive") as step:
            step.detail = _flush(session)
        archived = ARCHIVED.search(step.detail)
        goal = replace(goal, at_least=archived[1] if archived else "")
        with report.step("stop") as step:
            # The first one, which leads as a rule, last: a member that is left alone would take over in between.
            _resize(engine, [*keeper, *(item.service for item in reversed(found))], 0, step)
        result = _restore_first(session, found, keeper, goal)
        _start_restored(session, found, keeper)
    with report.step("backup") as step:
        step.detail = _back_up(session, step)
    return result


def _restore_first(session: Session, found: Sequence[Member], keeper: Sequence[Service], goal: RecoveryTarget) -> str:
    """Restore into the volume of the first member; when that fails, start everything as before."""
    environment, engine, report = session.environment, session.engine, session.report
    try:
        with report.step("restore") as step:
            step.detail = _job(environment, engine, found[0], ("restore-volume", *goal.words), step)
    except BaseException:
        _require_untouched(environment, engine, found[0])
        with report.step("start as before") as step:
            _resize(engine, [*(item.service for item in found), *keeper], 1, step)
        raise
    return step.detail


def _start_restored(session: Session, found: Sequence[Member], keeper: Sequence[Service]) -> None:
    """Start the restored member, let all others copy it, and give the roles today's passwords."""
    environment, engine, report = session.environment, session.engine, session.report
    first, others = found[0], found[1:]
    with report.step("set aside") as step:
        _begin_afresh(environment, engine, others, step)
    with report.step("start") as step:
        _resize(engine, [first.service], 1, step)
        _await_leader(environment, engine, first, step)
        _resize(engine, [*(item.service for item in others), *keeper], 1, step)
        step.detail = f"{first.service.short} is the leader, {len(others)} members clone it"
    with report.step("roles") as step:
        ended = jobs.rerun(engine, "db/bootstrap")
        if ended.code:
            raise RestoreFailed(
                f"The cluster was restored, but its roles could not be updated: {ended.failure}",
                hint="./run job db/bootstrap",
            )
        step.detail = "passwords updated"


def require_nodes(found: Sequence[Member], nodes: Sequence[Spec]) -> None:
    """Raise RestoreFailed, while all still runs, where a member's node cannot run what restores it or sets it aside."""
    known = {str(node["ID"]): node for node in nodes}
    missing = [f"  {item.service.name}: {why}" for item in found if (why := _unready(item.node, known.get(item.node)))]
    if missing:
        raise RestoreFailed(
            "\n".join(("Nothing was stopped. The node that holds each member's data must be available:", *missing)),
            hint="See ./run swarm.status. Bring the node back; if it is lost, label another node and run "
            "./run deploy db (docs/database.md).",
        )


def _unready(identity: str, node: Spec | None) -> str:
    """Why a node runs nothing now, empty when it does."""
    if node is None:
        return f"its node {identity} is not in the swarm any more"
    state = str((node.get("Status") or {}).get("State", ""))
    if state != "ready":
        return f"its node {constraints.hostname(node)} is {state or 'unknown'}"
    availability = str((node.get("Spec") or {}).get("Availability", "active"))
    return "" if availability == "active" else f"its node {constraints.hostname(node)} is set to {availability}"


def require_repository(environment: Environment, engine: Engine) -> None:
    """Raise RestoreFailed, while all still runs, where the repository is silent; a service that is gone cannot tell."""
    with suppress(BackupFailed):
        if silent := backups.overview(environment, engine).silent:
            raise RestoreFailed(f"Nothing was stopped. {silent}", hint="docs/backups.md#when-one-fails")


def _require_untouched(environment: Environment, engine: Engine, first: Member) -> None:
    """Raise RestoreFailed where a restore ended badly after its result had taken the place of the data."""
    told = json.loads(_job(environment, engine, first, ("state",), Step("", None)))
    if told["restored"]:
        raise RestoreFailed(
            "The restore was interrupted after the first member; all members are stopped.",
            hint="Run it again: ./run db.restore. See docs/backups.md to undo it.",
        )


def _back_up(session: Session, step: Step) -> str:
    """A backup on the timeline that has begun: the newest one may belong to a timeline that was left."""
    try:
        return backups.ask(session.environment, session.engine, "cluster", say=step.note, warn=session.report.warn)[-1]
    except BackupRunning:
        return "already running"
    except BackupFailed as error:
        return f"failed; run ./run db.backup later: {error.message.splitlines()[0]}"


def _begin_afresh(environment: Environment, engine: Engine, others: Sequence[Member], step: Step) -> None:
    """Have the other members clone the leader, and delete the former cluster from etcd.

    Until that is done they must not start: one that still has the former data might lead with them.
    """
    try:
        for item in others:
            _job(environment, engine, item, ("aside",), step)
        _forget(environment, engine)
    except SwarmstatsError as error:
        raise RestoreFailed(
            f"The first member was restored, but others could not be set aside; all are stopped.\n{error.message}",
            hint="Run it again: ./run db.restore. See docs/backups.md to undo it.",
        ) from error
    step.detail = f"{len(others)} members will clone the leader"


def _await_leader(environment: Environment, engine: Engine, member: Member, step: Step) -> None:
    """Wait until the restored member leads: one that starts empty before that would make a cluster of its own."""
    step.note(f"waiting for {member.service.short} to lead")
    argv = ("sh", "-c", 'if [ -n "${PATRONI_NAME:-}" ]; then patroni-member leads; else pg_isready -q; fi')

    def leads() -> bool:
        with suppress(CommandFailed):
            return exec.run(environment, engine, member.service.name, argv, lambda _: None) == 0
        return False

    if not until(leads, LEADER_SECONDS, every=1.0):
        raise RestoreFailed(
            f"{member.service.name} was restored, but does not lead after {LEADER_SECONDS:.0f} s; the rest is stopped.",
            hint=f"./run logs {member.service.name}",
        )


def _flush(session: Session) -> str:
    """Have everything that was committed archived; a cluster that does not answer has only what is archived already."""
    try:
        return "; ".join(backups.ask(session.environment, session.engine, "flush", warn=session.report.warn))
    except BackupFailed as error:
        return f"WAL not archived yet is lost: {error.message.splitlines()[0]}"


def _resize(engine: Engine, services: Sequence[Service], count: int, step: Step) -> None:
    for service in services:
        step.note(service.name)
        scale.resize(engine, service, count, step)
    step.detail = ", ".join(service.short for service in services)


def _job(environment: Environment, engine: Engine, member: Member, words: tuple[str, ...], step: Step) -> str:
    """Run a verb of the service on the node of a stopped member, with its volume; returns what it says."""
    (target,) = targets.select(environment, backups.STACK)
    rendered = stack.render(environment, target)
    config = next(item for item in rendered.configs if item.key == "pgbackrest.conf")
    keys = {f"/run/secrets/{item.key}": item.name for item in rendered.secrets if item.key.startswith("backup-s3")}
    job = Job(
        image=member.image,
        arguments=("backup", *words),
        files={CONFIG: config.content},
        secrets=keys,
        networks=("admin_edge",) if keys else (),
        node=member.node,
        binds={STORAGE: environment.storage.path},
        volumes={DATA_PATH: member.volume},
        scratch=SCRATCH,
        memory=MEMORY_BYTES,
        deadline=RESTORE_SECONDS,
    )

    def say(line: Line) -> None:
        step.note(line.text)

    try:
        ended = jobs.run_once(engine, JOB, job, say)
    except (JobFailed, DeadlinePassed) as error:
        raise RestoreFailed(
            f"{member.service.name} was not restored; its data is unchanged: {error.message}", hint=error.hint
        ) from error
    if ended.code:
        reason = "\n".join(line.text for line in ended.lines) or ended.failure
        raise RestoreFailed(
            f"{member.service.name} was not restored; its data is unchanged:\n{reason}",
            hint="./run db.backups shows what can be restored.",
        )
    return "; ".join(ended.output)


def _forget(environment: Environment, engine: Engine) -> None:
    """Take out of etcd what the members agreed upon about the cluster as it was."""
    keepers = [item for item in services.services(engine, backups.STACK) if item.short.startswith("etcd")]
    if not keepers:
        return
    output: list[bytes] = []
    if exec.run(environment, engine, keepers[0].name, forget_command(STATE_KEYS), output.append):
        text = b"".join(output).decode(errors="replace")
        raise RestoreFailed(f"Could not delete the former cluster from etcd: {text}")
