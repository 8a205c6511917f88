"""Where plans are carried out: the managers, the other nodes, and what a stack needs before and after."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from swarm.containers import exec
from swarm.database import mode_change
from swarm.deploy import releases
from swarm.deploy.prune import remove_networks
from swarm.deploy.releases import Release
from swarm.engine.client import Engine
from swarm.engine.reach import Reach
from swarm.engine.wire import NAMESPACE
from swarm.errors import ReleaseGone
from swarm.live import services
from swarm.plan import plan
from swarm.plan.plan import StackPlan
from swarm.report import Step
from swarm.rollout import converge
from swarm.rollout.apply import ApplyContext, References, apply
from swarm.rollout.converge import Timing
from swarm.rollout.lock import HeldLock
from swarm.session import Session
from swarm.stacks import versions
from swarm.stacks.stack import Stack


@dataclass(frozen=True)
class Executor:
    """Carries plans out: for a session, by the lock under which it changes stacks."""

    session: Session
    hold: HeldLock = field(default_factory=HeldLock)
    # Instead of what the environment says.
    timing: Timing | None = None

    def reach(self, node: str) -> Engine | None:
        """The engine of a node by its host name, where it can be asked."""
        return exec.engine_of_node(self.session.environment, self.session.engine, node)

    def site(self, timeout: float, ids: References) -> ApplyContext:
        """Where plans are applied from now on, by the managers' own clock."""
        reach: Reach = self.reach
        engine = self.session.engine
        timing = self.timing or Timing(self.session.environment.rollout.stable_seconds)
        return ApplyContext(engine, engine.now(), timeout, ids, reach, self.hook, self.hold, timing)

    def hook(self, service: str, argv: tuple[str, ...]) -> tuple[int, str]:
        """Run a command in a task of a service; returns its exit code and what it said."""
        said: list[bytes] = []
        code = exec.run(self.session.environment, self.session.engine, service, argv, said.append)
        return code, b"".join(said).decode(errors="replace")


def restore(executor: Executor, release: Release, step: Step) -> StackPlan:
    """Make a stack run exactly what a release holds: its digests, its versions; returns what had to be done."""
    held = releases.content(executor.session.engine, release)
    ids = References.read(executor.session.engine)
    if gone := sorted({*held.configs, *held.secrets} - {*ids.configs, *ids.secrets}):
        raise ReleaseGone(f"{release} needs {', '.join(gone)}, no longer in the swarm.")
    done = plan.plan(releases.desired_state(release.stack, held), services.snapshot(executor.session.engine))
    carry_out(done, executor.site(held.timeout, ids), step)
    return done


def carry_out(done: StackPlan, site: ApplyContext, step: Step) -> None:
    """Apply a plan and return when all its services are healthy; networks that nothing needs any more go last.

    One that cannot go harms nothing, so it is said and no failure.
    """
    site.hold.require()
    mode_change.prepare(done, site, step)
    told = apply(done, site, step)
    converge.wait(site.engine, site.watch(done.stack, told), step, site.reach)
    site.hold.require()
    remove_networks(done, site.engine, step, site.timing)


def create_versions(engine: Engine, wave: Iterable[Stack]) -> References:
    """Make the configs and secrets that the stacks refer to and the swarm does not have; returns the ids of all."""
    there = References.read(engine)
    sealed = set(there.secrets)
    for stack in wave:
        for config in stack.configs:
            if config.name not in there.configs:
                labels = {NAMESPACE: stack.name, versions.LABEL: f"{stack.name}_{config.key}"}
                engine.configs.create(config.name, config.content, labels)
        for secret in stack.secrets:
            if secret.name not in sealed:
                engine.secrets.create(secret.name, secret.secret.reveal().encode(), {versions.LABEL: secret.key})
                sealed.add(secret.name)
    return References.read(engine)
