"""The use cases that go back to a release, and that tell whether what runs is still what was released."""

from collections.abc import Sequence
from secrets import token_hex

from swarm import live, lock, outline, plan, releases
from swarm.deployment import Options
from swarm.desk import Desk, collect, restore
from swarm.engine import Engine
from swarm.errors import NoRelease, RollbackFailed, StackFailed
from swarm.plan import StackPlan
from swarm.releases import Release, State
from swarm.targets import Target


def rollback(desk: Desk, targets: Sequence[Target], number: int | None, whole: bool, options: Options) -> None:
    """Bring stacks back to release `number`, or to the one before; `whole` takes one deploy's stacks back together."""
    if options.dry:
        goals = _goals(desk.engine, targets, number, whole)
        desk.report.lines(outline.outline(_plans(desk.engine, [goal for _, goal in goals])))
        return
    purpose = f"rollback {' '.join(target.name for target in targets[:5])}"
    deploy = token_hex(4)
    with lock.held(desk.engine, purpose, options.lock_timeout, desk.report.line):
        goals = _goals(desk.engine, targets, number, whole)
        for now, goal in goals:
            with desk.report.step(f"{goal.stack}: back to release {goal.number}") as step:
                try:
                    done = restore(desk, goal, step)
                except StackFailed as error:
                    raise RollbackFailed(error.message, hint=error.hint) from error
                step.skipped = done.empty
                step.detail = "runs already" if done.empty else f"{len(done.pending)} services changed"
                if now != goal:
                    _record(desk, goal, deploy)
        collect(desk.engine)


def drift(engine: Engine, targets: Sequence[Target]) -> list[StackPlan]:
    """What would bring each stack back to its last release; raises NoRelease for a stack that has none."""
    known = releases.latest(engine)
    there = {service.stack for service in live.services(engine)}
    wanted = [target.name for target in targets if target.name in known or target.name in there]
    if strangers := [name for name in wanted if name not in known] or [t.name for t in targets if not wanted]:
        raise NoRelease(f"There is no release of {', '.join(strangers)}.", hint=f"./run deploy {strangers[0]}")
    return _plans(engine, [known[name] for name in wanted])


def _plans(engine: Engine, goals: Sequence[Release]) -> list[StackPlan]:
    """What would make each stack run what a release holds."""
    seen = live.snapshot(engine)
    return [plan.plan(releases.wanted(goal.stack, releases.content(engine, goal)), seen) for goal in goals]


def _goals(
    engine: Engine, targets: Sequence[Target], number: int | None, whole: bool
) -> list[tuple[Release | None, Release]]:
    """(what is deployed now, what to go back to) of each stack, last in the order of needs first."""
    known = releases.history(engine)
    names = [target.name for target in targets]
    if whole and (newest := next((item for item in known if item.runs), None)):
        names = [name for name in names if any(i.stack == name and i.deploy == newest.deploy for i in known)]
    goals = []
    for name in reversed(names):
        mine = [release for release in known if release.stack == name]
        now = next((release for release in mine if release.runs), None)
        goal = releases.find(engine, name, number) if number is not None else releases.previous(mine, now)
        if goal:
            goals.append((now, goal))
    if not goals:
        raise NoRelease(f"There is no earlier release of {', '.join(names)} to go back to.", hint="./run releases")
    return goals


def _record(desk: Desk, goal: Release, deploy: str) -> None:
    """Going back is a release too; one that a killed client left is given up."""
    if left := releases.unfinished(desk.engine).get(goal.stack):
        state = State.INTERRUPTED if left.state is State.PENDING else left.state
        releases.finish(desk.engine, left, state, f"undone by going back to release {goal.number}")
    held = releases.content(desk.engine, goal)
    note = f"rollback to release {goal.number}"
    made = releases.begin(desk.engine, goal.stack, held, deploy=deploy, commit=goal.commit, note=note)
    releases.finish(desk.engine, made, State.DEPLOYED)
