"""The use cases that go back to a release, and that tell whether what runs is still what was released."""

from collections.abc import Mapping, Sequence
from secrets import token_hex

from swarm.deploy import releases
from swarm.deploy.deployment import Options
from swarm.deploy.executor import Executor, restore
from swarm.deploy.prune import prune_after_success
from swarm.deploy.releases import Release, State
from swarm.engine.client import Engine
from swarm.engine.refusals import refusing
from swarm.errors import NoRelease, RollbackFailed, StackFailed, SwarmstatsError
from swarm.live import services
from swarm.plan import display, plan
from swarm.plan.plan import StackPlan
from swarm.report import Report
from swarm.rollout import lock
from swarm.rollout.converge import Timing
from swarm.session import Session
from swarm.stacks.targets import Target


def rollback(
    session: Session,
    targets: Sequence[Target],
    number: int | None,
    whole: bool,
    options: Options,
    timing: Timing | None = None,
) -> None:
    """Bring stacks back to release `number`, or to the one before; `whole` takes one deploy's stacks back together."""
    names = [target.name for target in targets]
    if options.dry:
        goals, kept = goals_of(releases.history(session.engine), names, number, whole)
        _tell_kept(kept, session.report)
        session.report.lines(display.lines(_plans(session.engine, [goal for _, goal in goals])))
        return
    purpose = f"rollback {' '.join(names[:5])}"
    deploy = token_hex(4)
    with lock.held(session.engine, purpose, options.lock_timeout, session.report.line) as hold:
        executor = Executor(session, hold, timing)
        goals, kept = goals_of(releases.history(session.engine), names, number, whole)
        _tell_kept(kept, session.report)
        # Written down before anything is changed: a client that is killed leaves what the next one completes.
        begun = [(goal, _begun(session, goal, deploy) if now != goal else None) for now, goal in goals]
        for place, (goal, made) in enumerate(begun):
            with session.report.step(f"{goal.stack}: roll back to release {goal.number}", hold.ended) as step:
                try:
                    with refusing(goal.stack):
                        done = restore(executor, goal, step)
                except SwarmstatsError as error:
                    # What is left pending is what the same rollback, said again, completes.
                    hold.require()
                    _give_up(session.engine, made, [release for _, release in begun[place + 1 :] if release], error)
                    if isinstance(error, StackFailed):
                        raise RollbackFailed(error.message, hint=error.hint) from error
                    raise
                step.skipped = done.empty
                step.detail = "already running" if done.empty else f"{len(done.pending)} services changed"
                if made:
                    hold.require()
                    releases.finish(session.engine, made, State.DEPLOYED)
        hold.require()
        prune_after_success(session.engine, session.report)


def drift(engine: Engine, targets: Sequence[Target]) -> list[StackPlan]:
    """What would bring each stack back to its last release; raises NoRelease for a stack that has none.

    A cleaned stack should not run, so it has none to compare with.
    """
    newest = releases.newest(releases.history(engine))
    known = {stack: release for stack, release in newest.items() if release.state is State.DEPLOYED}
    there = {service.stack for service in services.services(engine)}
    named = [target.name for target in targets]
    wanted = [name for name in named if name in known or name in there]
    # What neither runs nor should is left out, unless that is all that was asked for.
    if strangers := [name for name in wanted or named if name not in known]:
        raise _nothing_to_compare(strangers, newest)
    return _plans(engine, [known[name] for name in wanted])


def _nothing_to_compare(strangers: Sequence[str], newest: Mapping[str, Release]) -> NoRelease:
    cleaned = [name for name in strangers if name in newest]
    if not cleaned:
        return NoRelease(f"No release found of {', '.join(strangers)}.", hint=f"./run deploy {strangers[0]}")
    first = newest[cleaned[0]]
    when = f" at {first.cleaned_at:%Y-%m-%d %H:%M:%S}" if first.cleaned_at else ""
    others = [name for name in strangers if name != first.stack]
    more = f" No release to compare with: {', '.join(others)}." if others else ""
    return NoRelease(
        f"Stack {first.stack} was cleaned{when} by {first.cleaned_by}; no release of it should be running.{more}",
        hint=f"./run rollback {first.stack} brings {first} back, ./run deploy {first.stack} deploys a new one.",
    )


def _plans(engine: Engine, goals: Sequence[Release]) -> list[StackPlan]:
    """What would make each stack run what a release holds."""
    seen = services.snapshot(engine)
    return [plan.plan(releases.desired_state(goal.stack, releases.content(engine, goal)), seen) for goal in goals]


def goals_of(
    known: Sequence[Release], names: Sequence[str], number: int | None, whole: bool
) -> tuple[list[tuple[Release | None, Release]], list[str]]:
    """(what is deployed now, what to go back to) of each stack, and the stacks that have no earlier release.

    Cleaned stacks come first, in the order of needs, each with the release that was cleaned unless a number is given;
    then those that run, last in the order of needs first. `known` is newest first; `names` are in the order of needs.
    Raises NoRelease when no stack has anything.
    """
    running = _running(known)
    if whole:
        names = _of_last_deploy(known, running, names)
    cleaned: list[tuple[Release | None, Release]] = []
    goals: list[tuple[Release | None, Release]] = []
    kept: list[str] = []
    for name in names:
        mine = [release for release in known if release.stack == name]
        now = running.get(name)
        if number is not None:
            goal: Release | None = releases.among(known, name, number)
        else:
            goal = _interrupted(mine, now) or releases.previous(mine, now)
        if goal and now:
            goals.append((now, goal))
        elif goal:
            cleaned.append((None, goal))
        elif now:
            kept.append(name)
    if not goals and not cleaned:
        raise NoRelease(f"No earlier release to roll back to: {', '.join(names)}.", hint="./run releases")
    return [*cleaned, *reversed(goals)], kept


def _running(known: Sequence[Release]) -> dict[str, Release]:
    """What each stack runs now: its newest release, deployed or left unfinished, unless it was cleaned."""
    found: dict[str, Release] = {}
    for release in known:
        if release.runs or release.complete:
            found.setdefault(release.stack, release)
    return {stack: release for stack, release in found.items() if release.runs}


def _of_last_deploy(known: Sequence[Release], running: Mapping[str, Release], names: Sequence[str]) -> list[str]:
    """The stacks that the last deploy changed and that run still; all of them where every stack was cleaned."""
    newest = next((release for release in known if release in running.values()), None)
    if newest is None:
        return list(names)
    together = [item for item in known if item.deploy == newest.deploy and item.stack in running]
    # Of a rollback that was interrupted only the rest is meant: the others are back.
    together = [item for item in together if item.open and item.back] or together
    chosen = {item.stack for item in together}
    return [name for name in names if name in chosen]


def _tell_kept(kept: Sequence[str], report: Report) -> None:
    """Say which stacks cannot go back: those of which there is one release only."""
    if kept:
        report.line(f"  {', '.join(kept)}: no earlier release, unchanged.")


def _interrupted(mine: Sequence[Release], now: Release | None) -> Release | None:
    """Where a rollback was going whose client was killed: the same again completes it."""
    if now is None or not now.open or now.back is None:
        return None
    return next((release for release in mine if release.number == now.back), None)


def _begun(session: Session, goal: Release, deploy: str) -> Release:
    """A rollback is a release too; one that a killed client left open is abandoned."""
    if left := releases.unfinished(session.engine).get(goal.stack):
        state = State.INTERRUPTED if left.state is State.PENDING else left.state
        releases.finish(session.engine, left, state, f"undone by rolling back to release {goal.number}")
    held = releases.content(session.engine, goal)
    note = f"{releases.BACK}{goal.number}"
    return releases.begin(session.engine, goal.stack, held, deploy=deploy, commit=goal.commit, note=note)


def _give_up(engine: Engine, made: Release | None, rest: Sequence[Release], error: SwarmstatsError) -> None:
    """One failed and may run by half; the rest was not touched yet."""
    if made:
        releases.finish(engine, made, State.FAILED, f"{made.note}: {error.message.splitlines()[0]}", left=True)
    for release in rest:
        releases.finish(engine, release, State.INTERRUPTED)
