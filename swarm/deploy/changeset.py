"""What is to be deployed against what runs, for all stacks of a command at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from swarm.containers import exec
from swarm.deploy import missing_secrets, releases
from swarm.deploy.releases import Release
from swarm.engine.client import Engine
from swarm.live import orphans, services
from swarm.live.orphans import Orphan
from swarm.live.services import Snapshot
from swarm.plan import config_diff, plan, warnings
from swarm.plan.display import PlanContext
from swarm.plan.plan import Pins, StackPlan
from swarm.session import Session
from swarm.settings.environment import Environment
from swarm.settings.secrets import Secret
from swarm.shell import Shell
from swarm.stacks import conversion, stack, targets
from swarm.stacks.conversion import DesiredState
from swarm.stacks.schema import validate
from swarm.stacks.selection import EVERYTHING, Selection
from swarm.stacks.stack import Stack
from swarm.stacks.targets import Target


@dataclass(frozen=True)
class ChangeSet:
    """What is to be deployed against what runs: rendered stacks, their plans, and releases begun but never finished."""

    rendered: tuple[Stack, ...]
    wanted: Mapping[str, DesiredState]
    plans: Mapping[str, StackPlan]
    begun: Mapping[str, Release]
    seen: Snapshot

    @property
    def changed(self) -> list[Stack]:
        """The stacks that do not run exactly as rendered, whole and healthy."""
        unhealthy = self.unhealthy
        return [
            stack
            for stack in self.rendered
            if not self.plans[stack.name].empty or stack.name in unhealthy or stack.name in self.begun
        ]

    @property
    def unhealthy(self) -> dict[str, list[str]]:
        """The services that are not healthy in a few words each, by stack."""
        found: dict[str, list[str]] = {}
        for service in services.read(self.seen):
            if not service.healthy:
                words = f"{service.short} {service.running}/{service.desired} {service.state}"
                found.setdefault(service.stack, []).append(words)
        return found

    def plan_context(self, session: Session, *, full: bool = False) -> PlanContext:
        """What to know before these plans are applied."""
        reach = partial(exec.engine_of_node, session.environment, session.engine)
        known = warnings.read(self.rendered, self.plans, self.seen, session.environment.storage.path, reach)
        edits = config_diff.config_diffs(self.rendered, self.plans.values(), session.engine)
        begun = {stack: f"{left} was left {left.state} by {left.owner}" for stack, left in self.begun.items()}
        return PlanContext(known, edits, full, self.orphans(session.environment), begun, self.unhealthy)

    def orphans(self, environment: Environment) -> tuple[Orphan, ...]:
        """What runs and nothing has any more; asked only of a survey of all stacks."""
        if targets.with_template(environment).keys() - {stack.name for stack in self.rendered if not stack.partial}:
            return ()
        return tuple(orphans.find(environment, services.read(self.seen)).values())


def render(
    environment: Environment,
    targets: Iterable[Target],
    client: tuple[str, ...],
    shell: Shell,
    selection: Selection = EVERYTHING,
) -> list[Stack]:
    """Render what is meant and validate it; nothing is sent."""
    rendered = stack.chosen((stack.render(environment, target) for target in targets), selection)
    validate(rendered, client, shell)
    return rendered


def collect(session: Session, targets: Sequence[Target], selection: Selection = EVERYTHING) -> ChangeSet:
    """Render what is meant and compare it with what runs.

    Raises StackInvalid for what Docker refuses, SecretFileMissing where secrets would replace live ones by accident.
    """
    environment, engine = session.environment, session.engine
    rendered = tuple(stack.chosen((stack.render(environment, target) for target in targets), selection))
    missing_secrets.require(environment, secrets_of(rendered), engine)
    return compare(rendered, conversion.convert(rendered, engine, session.shell), engine, Pins())


def secrets_of(rendered: Iterable[Stack]) -> dict[str, Secret]:
    """Secret -> its content here, or what stands for one that is not generated yet, of some stacks."""
    return {item.key: item.secret for stack in rendered for item in stack.secrets}


def compare(rendered: tuple[Stack, ...], wanted: Mapping[str, DesiredState], engine: Engine, pins: Pins) -> ChangeSet:
    """Hold what is wanted against what the managers say now."""
    seen = services.snapshot(engine)
    plans = {stack.name: plan.plan(wanted[stack.name], seen, pins) for stack in rendered}
    return ChangeSet(rendered, wanted, plans, releases.unfinished(engine), seen)


def pins(found: ChangeSet, engine: Engine, *, fresh: bool) -> Pins:
    """What the tags that a plan would send mean now, where a registry knows; with `fresh`, those of all services."""
    changes = (change for done in found.plans.values() for change in (done.changes if fresh else done.pending))
    names = {change.service for change in changes if change.wanted}
    specs = (item for done in found.plans for item in found.wanted[done].services.items())
    tags = {str(spec["TaskTemplate"]["ContainerSpec"]["Image"]) for name, spec in specs if name in names}
    known = {tag: engine.images.digest(tag) for tag in sorted(tags) if "@" not in tag}
    return Pins({tag: f"{tag}@{digest}" for tag, digest in known.items() if digest}, fresh)
