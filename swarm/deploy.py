"""The use cases that change stacks: deploy and clean."""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from swarm import converge, images, live, stacks, versions
from swarm.engine import NAMESPACE, Engine
from swarm.environment import Environment
from swarm.errors import CleanIncomplete, ImageMissing
from swarm.report import Report, Step
from swarm.shell import Shell
from swarm.stacks import Stack, Target
from swarm.validate import validate

CLOCK_SKEW = timedelta(seconds=2)
CLEAN_DEADLINE = 90.0
POLL = 0.3


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
) -> None:
    """Bring stacks to what the environment says, each healthy before the next; unchanged ones are not touched."""
    rendered = render(environment, targets, engine.client, shell)
    changed = [stack for stack in rendered if not unchanged(engine, stack)]
    _images_are_there(changed)
    for stack in rendered:
        with report.step(stack.name) as step:
            if stack in changed:
                _deploy(engine, stack, shell, step)
            else:
                step.skipped = True
                step.detail = "nothing to do"


def unchanged(engine: Engine, stack: Stack) -> bool:
    """Whether exactly this rendering runs already, whole and healthy."""
    return converge.settled(live.services(engine, stack.name), stack.digests)


def _deploy(engine: Engine, stack: Stack, shell: Shell, step: Step) -> None:
    began = datetime.now(UTC) - CLOCK_SKEW
    _create_versions(engine, stack)
    step.note("docker stack deploy")
    engine.deploy_stack(stack.name, stack.document, shell)
    converge.wait(engine, stack.name, stack.digests, began, stack.manifest.timeout, step)
    collect(engine)
    step.detail = f"{len(stack.services)} service{'s' if len(stack.services) != 1 else ''} healthy"


def _create_versions(engine: Engine, stack: Stack) -> None:
    configs = {item["Spec"]["Name"] for item in engine.configs()}
    for config in stack.configs:
        if config.name not in configs:
            labels = {NAMESPACE: stack.name, versions.LABEL: f"{stack.name}_{config.key}"}
            engine.create_config(config.name, config.content, labels)
    sealed = {item["Spec"]["Name"] for item in engine.secrets()}
    for secret in stack.secrets:
        if secret.name not in sealed:
            engine.create_secret(secret.name, secret.secret.reveal().encode(), {versions.LABEL: secret.key})


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


def clean(targets: Sequence[Target], engine: Engine, shell: Shell, report: Report) -> None:
    """Remove stacks in reverse order; each is gone wholly (services, tasks, networks) before the next."""
    for target in reversed(targets):
        with report.step(f"clean {target.name}") as step:
            if not remains(engine, target.name):
                step.skipped = True
                step.detail = "was not there"
                continue
            engine.remove_stack(target.name, shell)
            _wait_until_gone(engine, target.name, shell, step)
            step.detail = "services, tasks and networks are gone"
    collect(engine, keep=versions.KEEP if live.services(engine) else 0)


def remains(engine: Engine, stack: str) -> list[str]:
    """What of a stack is still there: services, running tasks, networks, configs."""
    services = [f"service {item['Spec']['Name']}" for item in engine.services(stack)]
    tasks = [
        f"task {item['ID'][:8]} ({item['Status']['State']})"
        for item in engine.tasks(stack)
        if item["Status"]["State"] not in live.ENDED
    ]
    networks = [f"network {item['Name']}" for item in engine.networks(stack)]
    labelled = [item for item in engine.configs() if (item["Spec"].get("Labels") or {}).get(NAMESPACE) == stack]
    return services + tasks + networks + [f"config {item['Spec']['Name']}" for item in labelled]


def _wait_until_gone(engine: Engine, stack: str, shell: Shell, step: Step) -> None:
    deadline = time.monotonic() + CLEAN_DEADLINE
    while left := remains(engine, stack):
        step.note(f"waiting for {len(left)}: {left[0]}")
        if time.monotonic() > deadline:
            raise CleanIncomplete(
                f"{stack}: still there after {CLEAN_DEADLINE:.0f} s: {', '.join(left)}.",
                hint=f"A network goes once no other stack uses it. Then again: ./run clean {stack}",
            )
        if not any(item.startswith(("service", "task")) for item in left):
            engine.remove_stack(stack, shell)
        time.sleep(POLL)
