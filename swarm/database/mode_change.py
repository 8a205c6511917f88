"""Switches between a single server and a cluster: one volume is kept, older data of other members is never used again.

The first member and the single server share a volume, so one must have stopped before the other starts. A plan that
changes the mode is prepared here, for a deploy as well as for its rollback. The data of the other members is set
aside, not removed, and nothing is changed before all preconditions are checked.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from swarm.containers import jobs
from swarm.containers.job_spec import Job
from swarm.database.data_volumes import DATA_PATH, ETCD_PATH, VolumeState, allowed_nodes, placement_of, volume_at
from swarm.database.etcd import EVERY_KEY, forget_command
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
ETCD = "998:998"
GONE_SECONDS = 180.0
JOB_SECONDS = 600.0
HINT = "See docs/database.md for switching between a single server and a cluster."


@dataclass(frozen=True)
class ModeChange:
    """A plan of the stack, where it is applied, and what runs before it."""

    done: StackPlan
    site: ApplyContext
    step: Step
    seen: services.Snapshot

    @property
    def created(self) -> dict[str, Spec]:
        """The services that the plan creates."""
        pending = self.done.pending
        return {change.service: change.wanted for change in pending if change.kind is Kind.CREATE and change.wanted}

    @property
    def there(self) -> dict[str, services.Service]:
        """The services that are there now."""
        return {service.name: service for service in services.read(self.seen) if service.stack == STACK}

    def node(self, spec: Spec) -> str:
        """The one node that a service may run on; its id."""
        fitting = allowed_nodes(spec, self.seen.nodes)
        if len(fitting) != 1:
            words = " and ".join(map(str, placement_of(spec))) or "no constraint"
            raise DatabaseUnhealthy(
                f"{spec['Name']} has its volume on one node, but {len(fitting)} nodes meet {words}.",
                hint="./run swarm.label lists and sets labels.",
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
        said = self.run(node, self._tool("state", volume), f"inspect volume {volume}")
        return VolumeState(**json.loads(said))

    def set_aside(self, node: str, volume: str) -> None:
        """Give the data in a volume another name, so that its member copies the leader."""
        self.run(node, self._tool("aside", volume), f"set the data in volume {volume} aside")

    def _tool(self, word: str, volume: str) -> Job:
        spec = self.done.specs.get(KEEPER) or self.there[KEEPER].spec
        image = str(spec["TaskTemplate"]["ContainerSpec"]["Image"])
        return Job(image, ("backup", word), volumes={DATA_PATH: volume}, scratch=("/tmp",))  # noqa: S108

    def remove(self, names: Iterable[str]) -> None:
        """Remove services and return when their tasks have ended."""
        self.site.hold.require()
        gone = {self.there[name].id for name in names if name in self.there}
        for identity in gone:
            self.site.engine.services.remove(identity)

        def ended() -> bool:
            left = [item for item in self.site.engine.tasks.list(STACK) if item["ServiceID"] in gone]
            return all(item["Status"]["State"] in services.ENDED for item in left)

        self.step.note(f"waiting until these stop: {', '.join(sorted(names))}")
        if not until(ended, GONE_SECONDS, every=0.3):
            raise DatabaseUnhealthy(f"{', '.join(sorted(names))} still running after {GONE_SECONDS:.0f} s.", hint=HINT)


def prepare(done: StackPlan, site: ApplyContext, step: Step) -> None:
    """Before a plan is applied: where it makes a cluster of one server, or the other way, see to what must be first."""
    created = {change.service for change in done.pending if change.kind is Kind.CREATE}
    stopped = {change.service for change in done.pending if change.live and change.wanted and not change.tasks}
    if done.stack != STACK or not (created | stopped) & {ONLY, FIRST}:
        return
    change = ModeChange(done, site, step, services.snapshot(site.engine))
    if stopped & {ONLY, FIRST}:
        _require_no_restore(change, FIRST if FIRST in stopped else ONLY)
        return
    members = [name for name in change.there if name.startswith(MEMBERS)]
    if ONLY in created:
        _to_one(change, sorted(members))
    elif not members:
        _to_cluster(change)


def _require_no_restore(change: ModeChange, service: str) -> None:
    """Servers that a restore stopped may start again unless it has put its result in the place of the data.

    Then the first one has what was restored and the others what was before; only another restore makes them one again.
    A single server has no other members: it starts with the restored data.
    """
    jobs.end(change.site.engine, RESTORE)
    spec = dict(change.there[service].spec)
    if service != ONLY and change.held(change.node(spec), volume_at(spec)).restored:
        raise RestoreFailed(
            "A restore of the cluster was interrupted after the first member; all members are stopped.",
            hint="Run it again: ./run db.restore. See docs/backups.md to undo it.",
        )


def _to_cluster(change: ModeChange) -> None:
    first = change.created[FIRST]
    node, volume = change.node(first), volume_at(first)
    if ONLY in change.there:
        _require_whole_plan(change)
        _require_home(change, ONLY, node, "patroni=1")
    elif not _stood_alone(change, node, volume):
        return
    # What members of a former cluster were left with is older than what the one server has written since.
    for name, spec in change.created.items():
        if name.startswith(MEMBERS) and name != FIRST:
            change.set_aside(change.node(spec), volume_at(spec))
    _forget(change)
    change.remove([ONLY])


def _stood_alone(change: ModeChange, node: str, volume: str) -> bool:
    """Whether the first member's volume was that of one server last, though none is there now."""
    held = change.held(node, volume)
    for other in _holders(change, volume) if not held.cluster else ():
        if other != node and change.held(other, volume).alone:
            raise DatabaseUnhealthy(
                f"patroni1 would start with an empty database on {change.named(node)}, "
                f"but the database of mode single is in volume {volume} on {change.named(other)}.",
                hint=f"./run swarm.label {change.named(other)} patroni=1, or on that node: docker volume rm {volume}",
            )
    return held.alone


def _forget(change: ModeChange) -> None:
    """Delete a former cluster from etcd: through its API where it runs, otherwise by emptying its volume."""
    voters = {name: spec for name, spec in change.created.items() if name.startswith(VOTERS)}
    for spec in voters.values():
        image = str(spec["TaskTemplate"]["ContainerSpec"]["Image"])
        volume = volume_at(spec, ETCD_PATH)
        delete = (ETCD_PATH, "-mindepth", "1", "-delete")
        empty = Job(image, delete, command=("find",), volumes={ETCD_PATH: volume}, user=ETCD)
        change.run(change.node(spec), empty, f"empty volume {volume}")
    running = [name for name, item in change.there.items() if name.startswith(VOTERS) and item.running]
    if running and change.site.hook:
        code, said = change.site.hook(running[0], forget_command(EVERY_KEY))
        if code:
            raise DatabaseUnhealthy(f"Could not delete the former cluster from etcd: {said}", hint=HINT)


def _to_one(change: ModeChange, members: list[str]) -> None:
    only = change.created[ONLY]
    node, volume = change.node(only), volume_at(only)
    if not members:
        _require_newest(change, node, volume)
        return
    _require_whole_plan(change)
    if FIRST not in members:
        raise DatabaseUnhealthy("patroni1, whose volume would be used, does not exist.", hint=HINT)
    _require_home(change, FIRST, node, "database=true")
    _ask(change, "lead")
    # The other members first, so that none can take over from patroni1.
    change.remove([name for name in members if name != FIRST])
    _ask(change, "leads")
    change.remove([FIRST])


def _ask(change: ModeChange, word: str) -> None:
    if change.site.hook is None:
        raise DatabaseUnhealthy("The members of the cluster cannot be reached.", hint=HINT)
    change.step.note(f"patroni1: {word}")
    code, said = change.site.hook(FIRST, ("patroni-member", word))
    if code:
        raise DatabaseUnhealthy(
            f"patroni1 must be the leader before a single server takes over its volume. {said.strip()}",
            hint="./run db.status; then ./run db.switchover --to patroni1",
        )


def _require_newest(change: ModeChange, node: str, volume: str) -> None:
    """Where no member runs: the only server must not begin on data that a former member is ahead of."""
    places = dict(_left_by_members(change, node, volume))
    if not places:
        return
    mine = change.held(node, volume)
    if mine.alone:
        return
    for other, name in places.items():
        if change.held(other, name).newer(mine):
            what = "an empty database" if not mine.cluster else "older data"
            raise DatabaseUnhealthy(
                f"postgres would start with {what} on {change.named(node)}: volume {name} on "
                f"{change.named(other)}, of a former member, has newer data.",
                hint="Deploy db in mode ha first, then change the mode. To discard that data, run on that node: "
                f"docker volume rm {name}",
            )


def _left_by_members(change: ModeChange, node: str, volume: str) -> Iterator[tuple[str, str]]:
    """Node and volume of each member that a label names, where the volume is or may be; but not the one itself."""
    for item in change.seen.nodes:
        number = (item["Spec"].get("Labels") or {}).get("patroni")
        if number:
            name = volume if number == "1" else f"{volume}{number}"
            if (item["ID"], name) != (node, volume) and item["ID"] in _holders(change, name):
                yield str(item["ID"]), name


def _holders(change: ModeChange, volume: str) -> list[str]:
    """Ids of the nodes that have a volume, as far as their engines can be asked."""
    there = volumes.read(change.seen.nodes, change.site.reach)
    return [str(item["ID"]) for item in change.seen.nodes if volume in there.get(constraints.hostname(item), {})]


def _require_whole_plan(change: ModeChange) -> None:
    if change.done.partial:
        raise DatabaseUnhealthy("db.mode cannot change in a partial deploy of the stack.", hint="./run deploy db")


def _require_home(change: ModeChange, service: str, node: str, label: str) -> None:
    """The volume stays where it is: the service that goes on with it must be meant for that node."""
    home = change.home(service)
    if home and home != node:
        raise DatabaseUnhealthy(
            f"The data of {service} is on {change.named(home)}, but label {label} selects {change.named(node)}.",
            hint=f"./run swarm.label {change.named(node)} {label.partition('=')[0]}-, "
            f"./run swarm.label {change.named(home)} {label}, and change env.yaml accordingly.",
        )
