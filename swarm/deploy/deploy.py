"""The use case that brings stacks to what the environment says."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from swarm.checks import runner
from swarm.deploy import missing_secrets
from swarm.deploy.changeset import ChangeSet, collect, compare, pins, secrets_of
from swarm.deploy.deployment import Deployment, Options, detail
from swarm.deploy.executor import Executor
from swarm.engine.refusals import REFUSALS
from swarm.errors import ImageMissing, RegistryUnreachable
from swarm.live import services
from swarm.plan import display
from swarm.plan.plan import Pins
from swarm.report import Report
from swarm.rollout import lock
from swarm.rollout.waves import waves
from swarm.session import Session
from swarm.settings import secrets
from swarm.settings.environment import relative
from swarm.stacks import images, manifest
from swarm.stacks.stack import Stack
from swarm.stacks.targets import Target


def deploy(session: Session, targets: Sequence[Target], options: Options | None = None) -> None:
    """Deploy stacks, each wave healthy before the next; those that run already as rendered are not touched."""
    options = options or Options()
    environment, engine, report = session.environment, session.engine, session.report
    found = collect(session, targets, options.selection)
    if _secrets_made(session, found.rendered, dry=options.dry):
        found = collect(session, targets, options.selection)
    if options.pull:
        found = compare(found.rendered, found.wanted, engine, pins(found, engine, fresh=True))
    if options.dry:
        report.lines(display.lines(list(found.plans.values()), found.plan_context(session)))
        return
    # If the lock exists, another client is changing stacks or has died: decide under the lock.
    if not found.changed and lock.read(engine) is None:
        _say_nothing_to_do(found, report)
        return
    runner.validate(environment, targets)
    purpose = f"deploy {' '.join(target.name for target in targets[:5])}{' ...' if len(targets) > 5 else ''}"
    with lock.held(engine, purpose, options.lock_timeout, report.line) as hold:
        # Another change may have ended only now: what is to be done is asked again under the lock.
        names = secrets_of(found.rendered)
        missing_secrets.require(environment, names, engine)
        found = compare(found.rendered, found.wanted, engine, Pins())
        _images_are_there(found, report)
        found = compare(found.rendered, found.wanted, engine, pins(found, engine, fresh=options.pull))
        try:
            Deployment(found, Executor(session, hold), options).run()
        finally:
            with suppress(*REFUSALS):
                missing_secrets.settle(environment, names, engine)


def _secrets_made(session: Session, rendered: Iterable[Stack], *, dry: bool) -> bool:
    """Generate the secrets that are generated when they are needed; whether there were any."""
    environment = session.environment
    folder, known = environment.secrets, manifest.declarations()
    given = secrets_of(rendered)
    lacking = [key for key, secret in given.items() if secret == secrets.unmade(key)]
    lacking += missing_secrets.unknown_passwords(environment, given, session.engine)
    for key in lacking:
        secrets.require_writable(folder, key)
    if dry and lacking:
        session.report.would((f"write {relative(secrets.file(folder, key))}" for key in lacking), "")
    if not dry:
        for key in (*lacking, *given):
            secrets.get(folder, key, known)
    return bool(lacking) and not dry


def _say_nothing_to_do(found: ChangeSet, report: Report) -> None:
    for title, wave in waves(found.rendered, lambda stack: stack.target):
        with report.step(title) as step:
            step.skipped = True
            step.detail = detail(wave, ())


def _images_are_there(found: ChangeSet, report: Report) -> None:
    """Demand the images that changed stacks need; what runs already may go on while the registry does not answer."""
    wanted = {image.reference: image for stack in found.changed for image in stack.images}
    try:
        absent = images.missing(wanted.values())
    except RegistryUnreachable as error:
        running = {service.image.partition("@")[0] for service in services.read(found.seen)}
        if strangers := sorted(wanted.keys() - running):
            error.message += f"\nNothing was changed; no running service uses these images yet: {', '.join(strangers)}."
            raise
        report.line(f"  {error.message}\n  Tasks can start only on nodes that already have the images.")
        return
    if absent:
        names = ", ".join(image.reference for image in absent)
        raise ImageMissing(
            f"Images not found in the registry: {names}.",
            hint="./run deliver STACK builds, pushes and deploys.",
        )
