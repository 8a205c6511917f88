"""One deploy under the lock: wave after wave, released or taken back together."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from secrets import token_hex

from swarm.checks import runner
from swarm.deploy import releases
from swarm.deploy.changeset import ChangeSet
from swarm.deploy.executor import Executor, carry_out, create_versions, restore
from swarm.deploy.prune import prune_after_success
from swarm.deploy.releases import Content, Release, State
from swarm.engine.refusals import REFUSALS, refusing
from swarm.errors import LockLost, RestoreFailed, RollbackFailed, RolledBack, SwarmstatsError
from swarm.plan.plan import StackPlan
from swarm.report import Step
from swarm.rollout.apply import References
from swarm.rollout.lock import HINT, LOST
from swarm.rollout.waves import together, waves
from swarm.stacks.conversion import DesiredState
from swarm.stacks.selection import EVERYTHING, Selection
from swarm.stacks.stack import Stack

LOCK_TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True)
class Options:
    """How a deploy goes about it."""

    lock_timeout: float = LOCK_TIMEOUT_SECONDS
    rollback: bool = True
    tests: bool = True
    pull: bool = False
    dry: bool = False
    selection: Selection = EVERYTHING


@dataclass
class Deployment:
    """One deploy under the lock: all its releases are completed or rolled back together."""

    found: ChangeSet
    executor: Executor
    options: Options
    id: str = field(default_factory=lambda: token_hex(4))
    begun: list[tuple[Stack, Release]] = field(default_factory=list)
    served: list[Release] = field(default_factory=list)

    def run(self) -> None:
        """All waves in order; raises RolledBack, RollbackFailed, or the error itself if rollback is off."""
        changed, commit = self.found.changed, self.executor.session.commit()
        try:
            for title, wave in waves(self.found.rendered, lambda stack: stack.target):
                mine = [stack for stack in wave if stack in changed]
                with self.executor.session.report.step(title, self.executor.hold.ended) as step:
                    if mine:
                        self.executor.hold.require()
                        with refusing(title):
                            ids = create_versions(self.executor.session.engine, mine)
                        together(mine, partial(self._one, commit, ids), step)
                    step.skipped = not mine
                    step.detail = detail(wave, mine)
        except SwarmstatsError as error:
            if not self.executor.hold.stands():
                raise self._stopped() from error
            # An interrupted restore cannot be rolled back: the former services would not start.
            if not self.options.rollback or not self.begun or isinstance(error, RestoreFailed):
                self._fail(error)
                raise
            raise self._undo(error) from error
        self.executor.hold.require()
        with self.executor.session.report.step("old versions") as step:
            removed = prune_after_success(self.executor.session.engine, self.executor.session.report)
            step.detail, step.skipped = f"{removed} removed", not removed

    def _one(self, commit: str, ids: References, stack: Stack, step: Step) -> None:
        with refusing(stack.name):
            self._served(commit, ids, stack, step)

    def _served(self, commit: str, ids: References, stack: Stack, step: Step) -> None:
        self.executor.hold.require()
        done = self.found.plans[stack.name]
        release = self._release(stack, done, commit)
        if release:
            self.begun.append((stack, release))
        carry_out(done, self.executor.site(stack.manifest.timeout, ids), step)
        if self.options.tests and not stack.partial:
            runner.check(self.executor.session.environment, stack.target, self.executor.session.engine, step)
        if release:
            self.executor.hold.require()
            releases.finish(self.executor.session.engine, release, State.DEPLOYED)
            self.served.append(release)

    def _release(self, stack: Stack, done: StackPlan, commit: str) -> Release | None:
        """The release that this deploy of a stack is; one that a killed client left is completed or given up."""
        engine, left = self.executor.session.engine, self.found.begun.get(stack.name)
        wanted = self._content(stack, done)
        if left:
            same = _same(releases.content(engine, left), wanted)
            what = f"{left} was started by {left.owner} on {left.host} and left {left.state}"
            self.executor.session.report.line(f"  {what}: {'completing it' if same else 'abandoning it'}.")
            if same:
                return left
            releases.finish(engine, left, State.INTERRUPTED if left.state is State.PENDING else left.state)
        if done.empty and not left:
            return None
        return releases.begin(engine, stack.name, wanted, deploy=self.id, commit=commit)

    def _content(self, stack: Stack, done: StackPlan) -> Content:
        wanted = self.found.wanted[stack.name]
        held = DesiredState(stack.name, done.specs, wanted.networks)
        content = Content(
            template=stack.target.template,
            document=stack.document,
            services=held.services,
            networks=held.networks,
            configs=tuple(sorted(held.configs)),
            secrets=tuple(sorted(held.secrets)),
            images={name: str(spec["TaskTemplate"]["ContainerSpec"]["Image"]) for name, spec in held.services.items()},
            rollout={name: said.model_dump() for name, said in wanted.rollout.items()},
            timeout=stack.manifest.timeout,
        )
        engine = self.executor.session.engine
        before = releases.latest(engine).get(stack.name) if stack.partial else None
        return releases.completed(content, releases.content(engine, before)) if before else content

    def _stopped(self) -> LockLost:
        """The error of a deploy that lost its lock: it neither continues nor rolls back."""
        left = [(stack.name, release) for stack, release in self.begun if release not in self.served]
        if not left:
            return LockLost(f"{LOST}: the remaining stacks were not deployed.", hint=HINT)
        return LockLost(
            f"{LOST}: this deploy stopped without a rollback.\n"
            f"Left pending: {', '.join(str(release) for _, release in left)}.",
            hint=f"./run deploy {','.join(name for name, _ in left)} completes it; {HINT}",
        )

    def _fail(self, error: SwarmstatsError) -> None:
        for _, release in self.begun:
            self._finish(release, _first_line(error), left=True)

    def _finish(self, release: Release, note: str = "", *, left: bool = False) -> None:
        """Write down that a release failed; one of which that is refused stays open, for the next deploy to see."""
        with suppress(*REFUSALS):
            releases.finish(self.executor.session.engine, release, State.FAILED, note, left=left)

    def _undo(self, error: SwarmstatsError) -> SwarmstatsError:
        """Roll back all stacks of this deploy, last first; returns the error that describes the result."""
        self._fail(error)
        report, hold = self.executor.session.report, self.executor.hold
        began = time.monotonic()
        try:
            goals = [(stack, self._before(stack, release)) for stack, release in reversed(self.begun)]
        except REFUSALS as worse:
            return _no_way_back(error, str(worse))
        kept = [stack.name for stack, before in goals if before is None]
        back = [(stack.target, before) for stack, before in goals if before is not None]
        if back:
            report.line(f"  {_first_line(error)}: rolling back.")
        try:
            for title, wave in waves(back, lambda goal: goal[0]):
                with report.step(f"{title}: roll back to the last release", hold.ended) as step:
                    together(wave, lambda goal, part: _restored(self.executor, goal[1], part), step)
        except (SwarmstatsError, *REFUSALS) as worse:
            return _no_way_back(error, str(worse)) if hold.stands() else self._stopped()
        for stack, release in self.begun:
            if stack.name not in kept:
                self._finish(release)
        left = f"\n{', '.join(kept)}: no earlier release, not rolled back." if kept else ""
        if not back:
            error.message += left
            return error
        seconds = time.monotonic() - began
        names = ", ".join(str(release) for _, release in back[:5]) + (f" and {len(back) - 5} more" if back[5:] else "")
        return RolledBack(
            f"{error.message}\nRolled back to {names}, healthy again after {seconds:.0f} s.{left}",
            hint=error.hint,
        )

    def _before(self, stack: Stack, release: Release) -> Release | None:
        return releases.running_before(releases.history(self.executor.session.engine, stack.name), release)


def _restored(executor: Executor, release: Release, step: Step) -> None:
    with refusing(release.stack):
        restore(executor, release, step)


def _no_way_back(error: SwarmstatsError, worse: str) -> RollbackFailed:
    message = f"{error.message}\nThe rollback failed too: {worse}"
    return RollbackFailed(message, hint="./run status shows what runs; ./run rollback STACK tries again.")


def _same(left: Content, wanted: Content) -> bool:
    return left.services == wanted.services and left.networks == wanted.networks


def _first_line(error: SwarmstatsError) -> str:
    return error.message.splitlines()[0]


def detail(wave: Sequence[Stack], changed: Sequence[Stack]) -> str:
    """What a wave's line says once it is done."""
    if not changed:
        return f"{len(wave)} stacks, nothing to do" if len(wave) > 1 else "nothing to do"
    services = sum(len(stack.services) for stack in changed)
    healthy = f"{services} service{'s' if services != 1 else ''} healthy"
    if len(wave) == 1:
        return healthy
    names = ", ".join(stack.name for stack in changed) if len(changed) <= 4 else f"{len(changed)} stacks"
    return f"{names}: {healthy}"
