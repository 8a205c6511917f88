"""From one server to a cluster and back: one volume is the truth, and what others were left with never comes back.

The first member and the only server have the same volume, so one must have ended before the other begins. A plan that
crosses over is prepared here, whoever carries it out: a deploy, its way back, a rollback. What the other members hold
is set aside, not removed, and nothing is touched before all that is asked for is found to be so.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from swarm.containers import jobs
from swarm.containers.job_spec import Job
from swarm.engine.wire import Spec
from swarm.errors import DatabaseUnhealthy, RestoreFailed
from swarm.live import services, volumes
from swarm.plan.database_mode import FIRST, KEEPER, ONLY, STACK
from swarm.plan.plan import Kind, StackPlan
from swarm.report import Step
from swarm.rollout.apply import ApplyContext
from swarm.scheduler import constraints
from swarm.wait import until

RESTORE = "restore"
MEMBERS, VOTERS = f"{STACK}_patroni", f"{STACK}_etcd"
DATA, VOTES = "/var/lib/postgresql/data", "/var/lib/etcd"
ETCD = "998:998"
GONE_SECONDS = 180.0
JOB_SECONDS = 600.0
HINT = "docs/database.md has the way from one server to a cluster and back."


@dataclass(frozen=True)
class VolumeState:
    """What a volume holds, as the service's verb `state` tells it."""

    cluster: str
    timeline: int
    checkpoint: int
    alone: bool
    follows: bool
    restored: bool = False

    def newer(self, other: "VolumeState") -> bool:
        """Whether it has what another one of the same cluster lacks; of an empty one anything is newer."""
        mine, theirs = (self.timeline, self.checkpoint), (other.timeline, other.checkpoint)
        return bool(self.cluster) and (not other.cluster or (self.cluster == other.cluster and mine > theirs))


@dataclass(frozen=True)
class ModeChange:
    """A plan of the stack, where it is applied, and what runs before it."""

    done: StackPlan
    site: ApplyContext
    step: Step
    seen: services.Snapshot

    @property
    def created(self) -> dict[str, Spec]:
        """The services that the plan makes anew."""
        pending = self.done.pending
        return {change.service: change.wanted for change in pending if change.kind is Kind.CREATE and change.wanted}

    @property
    def there(self) -> dict[str, services.Service]:
        """The services that are there now."""
        return {service.name: service for service in services.read(self.seen) if service.stack == STACK}

    def node(self, spec: Spec) -> str:
        """The one node that a service may run on; its id."""
        wanted = constraints.parse((spec["TaskTemplate"].get("Placement") or {}).get("Constraints") or ())
        fitting = [str(node["ID"]) for node in self.seen.nodes if constraints.met(wanted, node)]
        if len(fitting) != 1:
            words = " and ".join(map(str, wanted)) or "no constraint"
            raise DatabaseUnhealthy(
                f"{spec['Name']} has its volume on one node, but {len(fitting)} nodes meet {words}.",
                hint="./run swarm.label lists labels and gives them.",
            )
        return fitting[0]

    def named(self, node: str) -> str:
        """The host name of a node."""
        return next((constraints.hostname(item) for item in self.seen.nodes if item["ID"] == node), node)

    def home(self, service: str) -> str:
        """The id of the node that a service's newest task is, or was, on; empty where it never had one."""
        identity = self.there[service].id
        tasks = sorted(self.seen.tasks, key=lambda item: str(item["CreatedAt"]))
        nodes = [str(item["NodeID"]) for item in tasks if item["ServiceID"] == identity and item.get("NodeID")]
        return nodes[-1] if nodes else ""

    def run(self, node: str, job: Job, what: str) -> str:
        """Run a job on a node; returns its last line."""
        self.step.note(f"{what} on {self.named(node)}")
        ended = jobs.run_once(self.site.engine, "takeover", replace(job, node=node, deadline=JOB_SECONDS))
        if ended.code:
            said = "\n".join(line.text for line in ended.lines) or ended.failure
            raise DatabaseUnhealthy(f"{what} on {self.named(node)} failed; nothing was changed:\n{said}", hint=HINT)
        return ended.output[-1] if ended.output else ""

    def held(self, node: str, volume: str) -> VolumeState:
        """What a volume holds on a node."""
        said = self.run(node, self._tool("state", volume), f"look into volume {volume}")
        return VolumeState(**json.loads(said))

    def set_aside(self, node: str, volume: str) -> None:
        """Give the data in a volume another name, so that its member copies the leader."""
        self.run(node, self._tool("aside", volume), f"set the data in volume {volume} aside")

    def _tool(self, word: str, volume: str) -> Job:
        spec = self.done.specs.get(KEEPER) or self.there[KEEPER].spec
        image = str(spec["TaskTemplate"]["ContainerSpec"]["Image"])
        return Job(image, ("backup", word), volumes={DATA: volume}, scratch=("/tmp",))  # noqa: S108

    def remove(self, names: Iterable[str]) -> None:
        """Remove services and return when their tasks have ended."""
        self.site.hold.demand()
        gone = {self.there[name].id for name in names if name in self.there}
        for identity in gone:
            self.site.engine.services.remove(identity)

        def ended() -> bool:
            left = [item for item in self.site.engine.tasks.list(STACK) if item["ServiceID"] in gone]
            return all(item["Status"]["State"] in services.ENDED for item in left)

        self.step.note(f"waiting for the end of {', '.join(sorted(names))}")
        if not until(ended, GONE_SECONDS, every=0.3):
            raise DatabaseUnhealthy(f"{', '.join(sorted(names))} still run after {GONE_SECONDS:.0f} s.", hint=HINT)


def prepare(done: StackPlan, site: ApplyContext, step: Step) -> None:
    """Before a plan is applied: where it makes a cluster of one server, or the other way, see to what must be first."""
    created = {change.service for change in done.pending if change.kind is Kind.CREATE}
    stopped = {change.service for change in done.pending if change.live and change.wanted and not change.tasks}
    if done.stack != STACK or not (created | stopped) & {ONLY, FIRST}:
        return
    crossing = ModeChange(done, site, step, services.snapshot(site.engine))
    if stopped & {ONLY, FIRST}:
        _demand_no_restore(crossing, FIRST if FIRST in stopped else ONLY)
        return
    members = [name for name in crossing.there if name.startswith(MEMBERS)]
    if ONLY in created:
        _to_one(crossing, sorted(members))
    elif not members:
        _to_cluster(crossing)


def _demand_no_restore(crossing: ModeChange, service: str) -> None:
    """Servers that a restore stopped may start again unless it has put its result in the place of the data.

    Then the first one has what was restored and the others what was before; only another restore makes them one again.
    One server alone has nobody to disagree with: it starts with what was restored.
    """
    jobs.end(crossing.site.engine, RESTORE)
    spec = dict(crossing.there[service].spec)
    if service != ONLY and crossing.held(crossing.node(spec), _volume(spec, DATA)).restored:
        raise RestoreFailed(
            "A restore of the cluster was interrupted: its first member is restored, others are not; all are stopped.",
            hint="Run it again: ./run db.restore. docs/backups.md says how to go back to what was before.",
        )


def _to_cluster(crossing: ModeChange) -> None:
    first = crossing.created[FIRST]
    node, volume = crossing.node(first), _volume(first, DATA)
    if ONLY in crossing.there:
        _demand_whole_plan(crossing)
        _demand_home(crossing, ONLY, node, "patroni=1")
    elif not _stood_alone(crossing, node, volume):
        return
    # What members of a former cluster were left with is older than what the one server has written since.
    for name, spec in crossing.created.items():
        if name.startswith(MEMBERS) and name != FIRST:
            crossing.set_aside(crossing.node(spec), _volume(spec, DATA))
    _forget(crossing)
    crossing.remove([ONLY])


def _stood_alone(crossing: ModeChange, node: str, volume: str) -> bool:
    """Whether the first member's volume was that of one server last, though none is there now."""
    held = crossing.held(node, volume)
    for other in _holders(crossing, volume) if not held.cluster else ():
        if other != node and crossing.held(other, volume).alone:
            raise DatabaseUnhealthy(
                f"patroni1 would begin an empty database on {crossing.named(node)}, "
                f"but that of mode single is in volume {volume} on {crossing.named(other)}.",
                hint=f"./run swarm.label {crossing.named(other)} patroni=1, or there: docker volume rm {volume}",
            )
    return held.alone


def _forget(crossing: ModeChange) -> None:
    """Have etcd know nothing of a former cluster: by an empty volume, or, where it runs, by being told."""
    voters = {name: spec for name, spec in crossing.created.items() if name.startswith(VOTERS)}
    for spec in voters.values():
        image = str(spec["TaskTemplate"]["ContainerSpec"]["Image"])
        empty = Job(
            image, (VOTES, "-mindepth", "1", "-delete"), command=("find",), volumes={VOTES: _volume(spec, VOTES)},
            user=ETCD,
        )  # fmt: skip
        crossing.run(crossing.node(spec), empty, f"empty volume {_volume(spec, VOTES)}")
    running = [name for name, item in crossing.there.items() if name.startswith(VOTERS) and item.running]
    if running and crossing.site.hook:
        script = f"ETCDCTL_API=3 etcdctl del --prefix /service/{STACK}/"
        code, said = crossing.site.hook(running[0], ("sh", "-c", script))
        if code:
            raise DatabaseUnhealthy(f"etcd does not forget the former cluster: {said}", hint=HINT)


def _to_one(crossing: ModeChange, members: list[str]) -> None:
    only = crossing.created[ONLY]
    node, volume = crossing.node(only), _volume(only, DATA)
    if not members:
        _demand_newest(crossing, node, volume)
        return
    _demand_whole_plan(crossing)
    if FIRST not in members:
        raise DatabaseUnhealthy("patroni1, whose volume would stay, is not there.", hint=HINT)
    _demand_home(crossing, FIRST, node, "database=true")
    _ask(crossing, "lead")
    # The others first: while the first one leads and nobody else is there, nobody can take over.
    crossing.remove([name for name in members if name != FIRST])
    _ask(crossing, "leads")
    crossing.remove([FIRST])


def _ask(crossing: ModeChange, word: str) -> None:
    if crossing.site.hook is None:
        raise DatabaseUnhealthy("Members of the cluster cannot be asked from here.", hint=HINT)
    crossing.step.note(f"patroni1: {word}")
    code, said = crossing.site.hook(FIRST, ("patroni-member", word))
    if code:
        raise DatabaseUnhealthy(
            f"patroni1 must lead before one server goes on with its volume. {said.strip()}",
            hint="./run db.status; then ./run db.switchover --to patroni1",
        )


def _demand_newest(crossing: ModeChange, node: str, volume: str) -> None:
    """Where no member runs: the only server must not begin on data that a former member is ahead of."""
    places = dict(_left_by_members(crossing, node, volume))
    if not places:
        return
    mine = crossing.held(node, volume)
    if mine.alone:
        return
    for other, name in places.items():
        if crossing.held(other, name).newer(mine):
            what = "an empty database" if not mine.cluster else "older data"
            raise DatabaseUnhealthy(
                f"postgres would begin with {what} on {crossing.named(node)}: volume {name} on "
                f"{crossing.named(other)}, of a member of the former cluster, has newer data.",
                hint="Deploy db in mode ha and change the mode then; or, to give those data up, there: "
                f"docker volume rm {name}",
            )


def _left_by_members(crossing: ModeChange, node: str, volume: str) -> Iterator[tuple[str, str]]:
    """Node and volume of each member that a label names, where the volume is or may be; but not the one itself."""
    for item in crossing.seen.nodes:
        number = (item["Spec"].get("Labels") or {}).get("patroni")
        if number:
            name = volume if number == "1" else f"{volume}{number}"
            if (item["ID"], name) != (node, volume) and item["ID"] in _holders(crossing, name):
                yield str(item["ID"]), name


def _holders(crossing: ModeChange, volume: str) -> list[str]:
    """Ids of the nodes that have a volume, as far as their engines can be asked."""
    there = volumes.read(crossing.seen.nodes, crossing.site.reach)
    return [str(item["ID"]) for item in crossing.seen.nodes if volume in there.get(constraints.hostname(item), {})]


def _demand_whole_plan(crossing: ModeChange) -> None:
    if crossing.done.partial:
        raise DatabaseUnhealthy("db.mode cannot change in a part of the stack.", hint="./run deploy db")


def _demand_home(crossing: ModeChange, service: str, node: str, label: str) -> None:
    """The volume stays where it is: the service that goes on with it must be meant for that node."""
    home = crossing.home(service)
    if home and home != node:
        raise DatabaseUnhealthy(
            f"The data of {service} are on {crossing.named(home)}, but {label} means {crossing.named(node)}.",
            hint=f"./run swarm.label {crossing.named(node)} {label.partition('=')[0]}-, "
            f"./run swarm.label {crossing.named(home)} {label}, and the same in env.yaml.",
        )


def _volume(spec: Spec, at: str) -> str:
    mounts: list[dict[str, Any]] = spec["TaskTemplate"]["ContainerSpec"].get("Mounts") or []
    return next(str(item["Source"]) for item in mounts if item["Target"] == at)
