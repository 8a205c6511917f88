"""What a plan alone does not say: tasks that no node would take, options that Swarm ignores, lints."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from swarm.engine.reach import Reach
from swarm.lints import lint as lints
from swarm.live import volumes
from swarm.live.services import Snapshot
from swarm.plan import database_mode
from swarm.plan.plan import Kind, StackPlan
from swarm.scheduler import forecast
from swarm.stacks.stack import Stack

CALM = (Kind.UPDATE, Kind.LABELS)


@dataclass(frozen=True)
class PlanWarning:
    """One thing to know before a deploy; `blocks` where tasks would stay pending for sure."""

    stack: str
    kind: str
    subject: str
    text: str
    hint: str
    blocks: bool = False


def read(
    rendered: Sequence[Stack], plans: Mapping[str, StackPlan], seen: Snapshot, shared: str, reach: Reach
) -> list[PlanWarning]:
    """Everything worth knowing about a deploy, by stack; nodes are asked only where services mount volumes."""
    specs = [spec for done in plans.values() for spec in done.specs.values()]
    held = volumes.read(seen.nodes, reach) if volumes.names_of(specs) else {}
    return [
        *_capacity(plans, seen, held), *_takeover(plans), *_volumes(plans, held), *_lints(rendered, shared, seen)
    ]  # fmt: skip


def _capacity(plans: Mapping[str, StackPlan], seen: Snapshot, held: volumes.Volumes) -> Iterable[PlanWarning]:
    owners = {name: done.stack for done in plans.values() for name in done.specs}
    changes = [change for done in plans.values() for change in done.pending]
    desired = {change.service: change.wanted for change in changes if change.wanted is not None}
    kept = {change.service for change in changes if change.kind in CALM}
    gone = {change.service for change in changes if change.kind in (Kind.REMOVE, Kind.RECREATE)}
    left = replace(seen, services=tuple(raw for raw in seen.services if raw["Spec"]["Name"] not in gone))
    for item in forecast.forecast(desired, left, held, kept):
        verb = "would stay pending" if item.certain else "may stay pending"
        text = f"{item.tasks} of {item.of} tasks {verb}: {item.reason}" if item.tasks else item.reason
        yield PlanWarning(
            owners[item.service], "capacity", item.service, text, item.hint, item.certain and item.tasks > 0
        )


def _volumes(plans: Mapping[str, StackPlan], held: volumes.Volumes) -> Iterable[PlanWarning]:
    for done in plans.values():
        for name, node, words in volumes.ignored(done.specs.values(), held):
            yield PlanWarning(
                done.stack,
                "ignored",
                f"volume {name}",
                f"{words} on {node}: Swarm ignores this because the volume exists",
                "Rename the volume, or stop its users and remove it, with all its data, on that node.",
            )


def _takeover(plans: Mapping[str, StackPlan]) -> Iterable[PlanWarning]:
    for done in plans.values():
        if text := database_mode.description(done):
            hint = "Clients wait meanwhile; data of former members is set aside. See docs/database.md."
            yield PlanWarning(done.stack, "takeover", "db.mode", text, hint)


def _lints(rendered: Sequence[Stack], shared: str, seen: Snapshot) -> Iterable[PlanWarning]:
    owners = {f"{stack.name}_{name}": stack.name for stack in rendered for name in stack.services}
    for item in lints.every(rendered, shared, seen):
        stack = owners.get(item.service, item.service)
        yield PlanWarning(stack, "lint", item.place, f"{item.service}: {item.message}", item.hint)
