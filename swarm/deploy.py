"""The use case that brings stacks to what the environment says, or back to what ran before."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from secrets import token_hex

from swarm import (
    checks,
    contents,
    converge,
    execute,
    images,
    live,
    lock,
    manifests,
    notes,
    outline,
    plan,
    releases,
    secrets,
    specs,
    stacks,
    versions,
)
from swarm.apply import References, Site, apply
from swarm.converge import Reach, Watch
from swarm.engine import NAMESPACE, Engine
from swarm.environment import Environment, shown
from swarm.errors import ImageMissing, RegistryUnreachable, ReleaseGone, RollbackFailed, RolledBack, SwarmstatsError
from swarm.live import Snapshot
from swarm.outline import Beside
from swarm.plan import Pins, StackPlan
from swarm.releases import Content, Release, State
from swarm.report import Report, Step
from swarm.selection import EVERYTHING, Selection
from swarm.shell import Shell
from swarm.specs import Wanted
from swarm.stacks import Stack
from swarm.targets import Target
from swarm.validate import validate
from swarm.waves import together, waves

LOCK_TIMEOUT = 600.0


@dataclass(frozen=True)
class Options:
    """How a deploy goes about it."""

    lock_timeout: float = LOCK_TIMEOUT
    rollback: bool = True
    tests: bool = True
    pull: bool = False
    dry: bool = False
    selection: Selection = EVERYTHING


@dataclass(frozen=True)
class Survey:
    """What is to be deployed against what runs: rendered stacks, their plans, and releases begun but never finished."""

    rendered: tuple[Stack, ...]
    wanted: Mapping[str, Wanted]
    plans: Mapping[str, StackPlan]
    begun: Mapping[str, Release]
    seen: Snapshot

    @property
    def changed(self) -> list[Stack]:
        """The stacks that do not run exactly as rendered, whole and healthy."""
        unwell = {service.stack for service in live.read(self.seen) if not service.healthy}
        return [
            stack
            for stack in self.rendered
            if not self.plans[stack.name].empty or stack.name in unwell or stack.name in self.begun
        ]

    def beside(self, desk: "Desk", *, full: bool = False) -> Beside:
        """What to know before these plans are applied."""
        known = notes.read(self.rendered, self.plans, self.seen, desk.environment.storage.path, desk.reach)
        return Beside(known, contents.edits(self.rendered, self.plans.values(), desk.engine), full)


def render(
    environment: Environment,
    targets: Iterable[Target],
    client: tuple[str, ...],
    shell: Shell,
    selection: Selection = EVERYTHING,
) -> list[Stack]:
    """Render what is meant and validate it; nothing is sent."""
    rendered = stacks.chosen((stacks.render(environment, target) for target in targets), selection)
    validate(rendered, client, shell)
    return rendered


def survey(
    environment: Environment,
    targets: Sequence[Target],
    engine: Engine,
    shell: Shell,
    selection: Selection = EVERYTHING,
) -> Survey:
    """Render what is meant and compare it with what runs; raises StackInvalid for what Docker refuses."""
    rendered = tuple(stacks.chosen((stacks.render(environment, target) for target in targets), selection))
    return _compare(rendered, specs.wanted(rendered, engine, shell), engine, Pins())


def deploy(
    environment: Environment,
    targets: Sequence[Target],
    engine: Engine,
    shell: Shell,
    report: Report,
    options: Options | None = None,
) -> None:
    """Deploy stacks, each wave healthy before the next; those that run already as rendered are not touched."""
    options = options or Options()
    found = survey(environment, targets, engine, shell, options.selection)
    if _secrets_made(found.rendered, environment, report, dry=options.dry):
        found = survey(environment, targets, engine, shell, options.selection)
    if options.pull:
        found = _compare(found.rendered, found.wanted, engine, _pins(found, engine, fresh=True))
    if options.dry:
        beside = found.beside(Desk(environment, engine, shell, report))
        report.lines(outline.outline(list(found.plans.values()), beside))
        return
    # Where the lock is there, somebody changes stacks, or died of it: then the answer is found under the lock.
    if not found.changed and lock.read(engine) is None:
        _say_nothing_to_do(found, report)
        return
    checks.validate(environment, targets)
    purpose = f"deploy {' '.join(target.name for target in targets[:5])}{' ...' if len(targets) > 5 else ''}"
    with lock.held(engine, purpose, options.lock_timeout, report.line):
        # Another change may have ended only now: what is to be done is asked again under the lock.
        found = _compare(found.rendered, found.wanted, engine, Pins())
        _images_are_there(found, report)
        found = _compare(found.rendered, found.wanted, engine, _pins(found, engine, fresh=options.pull))
        Deployment(found, Desk(environment, engine, shell, report), options).run()


def _secrets_made(rendered: Iterable[Stack], environment: Environment, report: Report, *, dry: bool) -> bool:
    """Make the secrets that are made when they are needed; whether there were any."""
    given = {item.key: item.secret for stack in rendered for item in stack.secrets}
    lacking = [key for key, secret in given.items() if secret == secrets.unmade(key)]
    if dry and lacking:
        report.would((f"write {shown(secrets.file(environment.secrets, key))}" for key in lacking), "")
    if not dry:
        known = manifests.declarations()
        for key in given:
            secrets.get(environment.secrets, key, known)
    return bool(lacking) and not dry


def _compare(rendered: tuple[Stack, ...], wanted: Mapping[str, Wanted], engine: Engine, pins: Pins) -> Survey:
    seen = live.snapshot(engine)
    plans = {stack.name: plan.plan(wanted[stack.name], seen, pins) for stack in rendered}
    return Survey(rendered, wanted, plans, releases.unfinished(engine), seen)


def _say_nothing_to_do(found: Survey, report: Report) -> None:
    for title, wave in waves(found.rendered, lambda stack: stack.target):
        with report.step(title) as step:
            step.skipped = True
            step.detail = _detail(wave, ())


@dataclass(frozen=True)
class Desk:
    """Whom a deploy works for and what with."""

    environment: Environment
    engine: Engine
    shell: Shell
    report: Report

    def reach(self, node: str) -> Engine | None:
        """The engine of a node by its host name, where it can be asked."""
        return execute.node(self.environment, self.engine, node)

    def site(self, timeout: float, ids: References) -> Site:
        """Where plans are applied from now on, by the managers' own clock."""
        reach: Reach = self.reach
        return Site(self.engine, self.engine.now(), timeout, ids, reach, self.hook)

    def hook(self, service: str, argv: tuple[str, ...]) -> tuple[int, str]:
        """Run a command in a task of a service; returns its exit code and what it said."""
        said: list[bytes] = []
        code = execute.run(self.environment, self.engine, service, argv, said.append)
        return code, b"".join(said).decode(errors="replace")

    def commit(self) -> str:
        """The git commit that stacks are rendered from, `+` where files differ from it; empty where there is no git."""
        folder = str(self.environment.root)
        found = self.shell.run(("git", "-C", folder, "rev-parse", "--short=12", "HEAD"), check=False)
        if found.code != 0:
            return ""
        changes = self.shell.run(("git", "-C", folder, "status", "--porcelain"), check=False).stdout
        return found.stdout.strip() + ("+" if changes.strip() else "")


@dataclass
class Deployment:
    """One deploy under the lock: what it began is finished, or goes back together."""

    found: Survey
    desk: Desk
    options: Options
    id: str = field(default_factory=lambda: token_hex(4))
    begun: list[tuple[Stack, Release]] = field(default_factory=list)

    def run(self) -> None:
        """All waves in order; raises RolledBack, RollbackFailed, or what went wrong where nothing goes back."""
        changed, commit = self.found.changed, self.desk.commit()
        try:
            for title, wave in waves(self.found.rendered, lambda stack: stack.target):
                mine = [stack for stack in wave if stack in changed]
                with self.desk.report.step(title) as step:
                    if mine:
                        ids = _create_versions(self.desk.engine, mine)
                        together(mine, partial(self._one, commit, ids), step)
                    step.skipped = not mine
                    step.detail = _detail(wave, mine)
        except SwarmstatsError as error:
            if not self.options.rollback or not self.begun:
                self._fail(error)
                raise
            raise self._undo(error) from error
        with self.desk.report.step("old versions") as step:
            removed = collect(self.desk.engine)
            step.detail, step.skipped = f"{removed} removed", not removed

    def _one(self, commit: str, ids: References, stack: Stack, step: Step) -> None:
        done = self.found.plans[stack.name]
        release = self._release(stack, done, commit)
        if release:
            self.begun.append((stack, release))
        carry_out(done, self.desk.site(stack.manifest.timeout, ids), step)
        if self.options.tests and not stack.partial:
            checks.check(self.desk.environment, stack.target, self.desk.engine, step)
        if release:
            releases.finish(self.desk.engine, release, State.DEPLOYED)

    def _release(self, stack: Stack, done: StackPlan, commit: str) -> Release | None:
        """The release that this deploy of a stack is; one that a killed client left is completed or given up."""
        engine, left = self.desk.engine, self.found.begun.get(stack.name)
        wanted = self._content(stack, done)
        if left:
            same = _same(releases.content(engine, left), wanted)
            what = f"{left} was begun by {left.owner} on {left.host} and left {left.state}"
            self.desk.report.line(f"  {what}: {'completing it' if same else 'giving it up'}.")
            if same:
                return left
            releases.finish(engine, left, State.INTERRUPTED if left.state is State.PENDING else left.state)
        if done.empty and not left:
            return None
        return releases.begin(engine, stack.name, wanted, deploy=self.id, commit=commit)

    def _content(self, stack: Stack, done: StackPlan) -> Content:
        services, networks = dict(done.specs), dict(self.found.wanted[stack.name].networks)
        if stack.partial and (before := releases.latest(self.desk.engine).get(stack.name)):
            services = {**releases.content(self.desk.engine, before).services, **services}
        held = Wanted(stack.name, services, networks)
        return Content(
            template=stack.target.template,
            document=stack.document,
            services=services,
            networks=networks,
            configs=tuple(sorted(held.configs)),
            secrets=tuple(sorted(held.secrets)),
            images={name: str(spec["TaskTemplate"]["ContainerSpec"]["Image"]) for name, spec in services.items()},
            rollout={name: said.model_dump() for name, said in self.found.wanted[stack.name].rollout.items()},
            timeout=stack.manifest.timeout,
        )

    def _fail(self, error: SwarmstatsError) -> None:
        for _, release in self.begun:
            releases.finish(self.desk.engine, release, State.FAILED, _first_line(error), left=True)

    def _undo(self, error: SwarmstatsError) -> SwarmstatsError:
        """Take all stacks of this deploy back, last first; what is raised says what became of it."""
        self._fail(error)
        began = time.monotonic()
        goals = [(stack, self._before(stack, release)) for stack, release in reversed(self.begun)]
        kept = [stack.name for stack, before in goals if before is None]
        back = [(stack.target, before) for stack, before in goals if before is not None]
        if back:
            self.desk.report.line(error.message)
        try:
            for title, wave in waves(back, lambda goal: goal[0]):
                with self.desk.report.step(f"{title}: back to the last release") as step:
                    together(wave, lambda goal, part: _restored(self.desk, goal[1], part), step)
        except SwarmstatsError as worse:
            message = f"{error.message}\nGoing back failed too: {worse.message}"
            return RollbackFailed(message, hint="./run status shows what runs; ./run rollback STACK tries again.")
        for stack, release in self.begun:
            if stack.name not in kept:
                releases.finish(self.desk.engine, release, State.FAILED)
        left = f"\n{', '.join(kept)}: no earlier release, left as it is." if kept else ""
        if not back:
            error.message += left
            return error
        seconds = time.monotonic() - began
        names = ", ".join(str(release) for _, release in back[:5]) + (f" and {len(back) - 5} more" if back[5:] else "")
        return RolledBack(
            f"{_first_line(error)}\nRolled back to {names}, serving again after {seconds:.0f} s.{left}",
            hint=error.hint,
        )

    def _before(self, stack: Stack, release: Release) -> Release | None:
        return releases.previous(releases.history(self.desk.engine, stack.name), release)


def restore(desk: Desk, release: Release, step: Step) -> StackPlan:
    """Make a stack run exactly what a release holds: its digests, its versions; returns what had to be done."""
    held = releases.content(desk.engine, release)
    ids = References.read(desk.engine)
    if gone := sorted({*held.configs, *held.secrets} - {*ids.configs, *ids.secrets}):
        raise ReleaseGone(f"{release} needs {', '.join(gone)}, which the swarm does not have any more.")
    done = plan.plan(releases.wanted(release.stack, held), live.snapshot(desk.engine))
    carry_out(done, desk.site(held.timeout, ids), step)
    return done


def carry_out(done: StackPlan, site: Site, step: Step) -> None:
    """Apply a plan and return when all its services are healthy; networks that nothing needs any more go last."""
    told = apply(done, site, step)
    converge.wait(site.engine, Watch(done.stack, told, site.began, site.timeout), step, site.reach)
    for network in done.unwanted_networks:
        site.engine.remove_network(network)


def _restored(desk: Desk, release: Release, step: Step) -> None:
    restore(desk, release, step)


def _same(left: Content, wanted: Content) -> bool:
    return left.services == wanted.services and left.networks == wanted.networks


def _first_line(error: SwarmstatsError) -> str:
    return error.message.splitlines()[0]


def _detail(wave: Sequence[Stack], changed: Sequence[Stack]) -> str:
    if not changed:
        return f"{len(wave)} stacks, nothing to do" if len(wave) > 1 else "nothing to do"
    services = sum(len(stack.services) for stack in changed)
    healthy = f"{services} service{'s' if services != 1 else ''} healthy"
    if len(wave) == 1:
        return healthy
    names = ", ".join(stack.name for stack in changed) if len(changed) <= 4 else f"{len(changed)} stacks"
    return f"{names}: {healthy}"


def _pins(found: Survey, engine: Engine, *, fresh: bool) -> Pins:
    """What the tags that a plan would send mean now, where a registry knows; with `fresh`, those of all services."""
    changes = (change for done in found.plans.values() for change in (done.changes if fresh else done.pending))
    specs_ = [found.wanted[name].services for name in found.plans]
    names = {change.service for change in changes if change.wanted}
    tags = {
        str(spec["TaskTemplate"]["ContainerSpec"]["Image"])
        for services in specs_
        for name, spec in services.items()
        if name in names
    }
    known = {tag: engine.image_digest(tag) for tag in sorted(tags) if "@" not in tag}
    return Pins({tag: f"{tag}@{digest}" for tag, digest in known.items() if digest}, fresh)


def _create_versions(engine: Engine, wave: Iterable[Stack]) -> References:
    """Make the configs and secrets that the stacks refer to and the swarm does not have; returns the ids of all."""
    there = References.read(engine)
    sealed = set(there.secrets)
    for stack in wave:
        for config in stack.configs:
            if config.name not in there.configs:
                labels = {NAMESPACE: stack.name, versions.LABEL: f"{stack.name}_{config.key}"}
                engine.create_config(config.name, config.content, labels)
        for secret in stack.secrets:
            if secret.name not in sealed:
                engine.create_secret(secret.name, secret.secret.reveal().encode(), {versions.LABEL: secret.key})
                sealed.add(secret.name)
    return References.read(engine)


def _images_are_there(found: Survey, report: Report) -> None:
    """Demand the images that changed stacks need; what runs already may go on while the registry does not answer."""
    wanted = {image.reference: image for stack in found.changed for image in stack.images}
    try:
        absent = images.missing(wanted.values())
    except RegistryUnreachable as error:
        running = {service.image.partition("@")[0] for service in live.read(found.seen)}
        if strangers := sorted(wanted.keys() - running):
            error.message += f"\nNothing was changed; these images run nowhere yet: {', '.join(strangers)}."
            raise
        report.line(f"  {error.message}\n  Nodes must have the images: tasks start only where they ran before.")
        return
    if absent:
        names = ", ".join(image.reference for image in absent)
        raise ImageMissing(
            f"Not in the registry: {names}.",
            hint="Build and push first: ./run deliver STACK does all three.",
        )


def collect(engine: Engine, gone: Iterable[str] = ()) -> int:
    """Remove versions of configs and secrets that no service uses and no kept release needs; returns how many."""
    needed = releases.forget(engine, gone=gone)
    services = engine.services()
    doomed = [
        (kind, identity)
        for kind, objects in (("configs", engine.configs()), ("secrets", engine.secrets()))
        for identity in versions.unused(objects, services, needed)
    ]
    return sum(engine.discard(kind, identity) for kind, identity in doomed)
