"""The use case that brings stacks to what the environment says."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from swarm import converge, images, live, lock, stacks, versions
from swarm.engine import NAMESPACE, Engine
from swarm.environment import Environment
from swarm.errors import ImageMissing
from swarm.report import Report, Step
from swarm.shell import Shell
from swarm.stacks import Stack
from swarm.targets import Target
from swarm.validate import validate
from swarm.waves import together, waves

CLOCK_SKEW = timedelta(seconds=2)
LOCK_TIMEOUT = 600.0


def render(environment: Environment, targets: Iterable[Target], client: tuple[str, ...], shell: Shell) -> list[Stack]:
    """Render and validate; nothing is sent."""
    rendered = [stacks.render(environment, target) for target in targets]
    validate(rendered, client, shell)
    return rendered


def deploy(
    environment: Environment,
    targets: Sequence[Target],
    engine: Engine,
    shell: Shell,
    report: Report,
    lock_timeout: float = LOCK_TIMEOUT,
) -> None:
    """Deploy stacks, each wave healthy before the next; those that run already as rendered are not touched."""
    rendered = render(environment, targets, engine.client, shell)
    if not _changed(engine, rendered):
        _apply(engine, rendered, (), shell, report)
        return
    purpose = f"deploy {' '.join(target.name for target in targets[:5])}{' ...' if len(targets) > 5 else ''}"
    with lock.held(engine, purpose, lock_timeout, report.line):
        # Another change may have ended only now: what is to be done is asked again under the lock.
        changed = _changed(engine, rendered)
        _images_are_there(changed)
        _apply(engine, rendered, changed, shell, report)


def _apply(engine: Engine, rendered: Sequence[Stack], changed: Sequence[Stack], shell: Shell, report: Report) -> None:
    for title, wave in waves(rendered, lambda stack: stack.target):
        mine = [stack for stack in wave if stack in changed]
        with report.step(title) as step:
            if mine:
                _deploy(engine, mine, shell, step)
            step.skipped = not mine
            step.detail = _detail(wave, mine)


def _changed(engine: Engine, rendered: Sequence[Stack]) -> list[Stack]:
    """The stacks that do not run exactly as rendered, whole and healthy."""
    found: dict[str, list[live.Service]] = {stack.name: [] for stack in rendered}
    for service in live.services(engine):
        found.setdefault(service.stack, []).append(service)
    return [stack for stack in rendered if not converge.settled(found[stack.name], stack.digests)]


def _deploy(engine: Engine, wave: Sequence[Stack], shell: Shell, step: Step) -> None:
    _create_versions(engine, wave)

    def one(stack: Stack, part: Step) -> None:
        began = datetime.now(UTC) - CLOCK_SKEW
        part.note("docker stack deploy")
        engine.deploy_stack(stack.name, stack.document, shell)
        converge.wait(engine, stack.name, stack.digests, began, stack.manifest.timeout, part)

    together(wave, one, step)
    collect(engine)


def _detail(wave: Sequence[Stack], changed: Sequence[Stack]) -> str:
    if not changed:
        return f"{len(wave)} stacks, nothing to do" if len(wave) > 1 else "nothing to do"
    services = sum(len(stack.services) for stack in changed)
    healthy = f"{services} service{'s' if services != 1 else ''} healthy"
    if len(wave) == 1:
        return healthy
    names = ", ".join(stack.name for stack in changed) if len(changed) <= 4 else f"{len(changed)} stacks"
    return f"{names}: {healthy}"


def _create_versions(engine: Engine, wave: Iterable[Stack]) -> None:
    """Make the configs and secrets that the stacks refer to and the swarm does not have."""
    configs = {item["Spec"]["Name"] for item in engine.configs()}
    sealed = {item["Spec"]["Name"] for item in engine.secrets()}
    for stack in wave:
        for config in stack.configs:
            if config.name not in configs:
                labels = {NAMESPACE: stack.name, versions.LABEL: f"{stack.name}_{config.key}"}
                engine.create_config(config.name, config.content, labels)
        for secret in stack.secrets:
            if secret.name not in sealed:
                engine.create_secret(secret.name, secret.secret.reveal().encode(), {versions.LABEL: secret.key})
                sealed.add(secret.name)


def _images_are_there(changed: Iterable[Stack]) -> None:
    wanted = {image.reference: image for stack in changed for image in stack.images}
    if absent := images.missing(wanted.values()):
        names = ", ".join(image.reference for image in absent)
        raise ImageMissing(
            f"Not in the registry: {names}.",
            hint="Build and push first: ./run deliver STACK does all three.",
        )


def collect(engine: Engine, keep: int = versions.KEEP) -> None:
    """Remove old versions of configs and secrets that nothing uses; one that is used after all is left alone."""
    services = engine.services()
    for kind, objects in (("configs", engine.configs()), ("secrets", engine.secrets())):
        for identity in versions.unused(objects, services, keep):
            engine.discard(kind, identity)
