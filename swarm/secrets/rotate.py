"""The use case rotate: a secret gets another content, and the services that use it get it one stack after the other.

No content goes anywhere but to its file and, by the API, to the swarm.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarm.deploy import changeset, deploy, missing_secrets
from swarm.deploy.deployment import LOCK_TIMEOUT_SECONDS, Options
from swarm.engine.client import Engine
from swarm.errors import Locked, LockLost, SecretRefused
from swarm.host.folder_lock import lock_folder
from swarm.live import services
from swarm.live.services import Service
from swarm.report import Report
from swarm.secrets import edit, inventory
from swarm.secrets.inventory import FEW, Users
from swarm.session import Session
from swarm.settings import secrets
from swarm.settings.environment import Environment, relative
from swarm.settings.secrets import Secret
from swarm.stacks import manifest as manifests
from swarm.stacks import targets
from swarm.stacks.targets import Target


@dataclass(frozen=True)
class Restart:
    """A service that restarts when a secret changes."""

    target: Target
    service: str
    tasks: str


@dataclass(frozen=True)
class Rotation:
    """What a rotation does: the secrets that change, the services that restart, in order, and what comes with it."""

    secrets: tuple[str, ...]
    restarts: tuple[Restart, ...]
    also_deploys: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """A rotation for machines."""
        return {
            "secrets": self.secrets,
            "restarts": [{"stack": it.target.name, "service": it.service, "tasks": it.tasks} for it in self.restarts],
            "also_deploys": self.also_deploys,
        }


def rotate(
    session: Session,
    name: str,
    content: bytes | None,
    *,
    dry: bool = False,
    lock_timeout: float = LOCK_TIMEOUT_SECONDS,
) -> None:
    """Give a secret another content and bring it to the services; if that fails, its file holds the former one."""
    report = session.report
    wanted, coming = _wanted(name, content), preview(session, name, content)
    restarts, names = coming.restarts, coming.secrets
    _tell(names, restarts, report)
    if coming.also_deploys:
        report.line(f"This also deploys pending changes of these stacks: {', '.join(coming.also_deploys)}.")
    if dry:
        return
    with _alone(session.environment.secrets, name), _replaced(session, names, wanted):
        if restarts:
            affected = tuple(dict.fromkeys(restart.target for restart in restarts))
            deploy.deploy(session, affected, Options(lock_timeout))
    report.line(f"Rotated {name}{'' if restarts else ' in its file; no running service uses it'}.")


def preview(session: Session, name: str, content: bytes | None) -> Rotation:
    """What a rotation would do; raises what it would refuse."""
    environment, engine = session.environment, session.engine
    _wanted(name, content)
    for one in (name, *edit.derived(name)):
        secrets.require_writable(environment.secrets, one)
    names, used, running = (name, *edit.derived(name)), inventory.users(environment), services.services(engine)
    restarts = _restarts(environment, names, used, running)
    _require_files(environment, names, used, {one.target for one in restarts}, engine)
    return Rotation(names, tuple(restarts), tuple(_waiting(session, restarts, used)))


def _wanted(name: str, content: bytes | None) -> Secret | None:
    """The content that is given, if it can be one; None where a new password is generated."""
    declaration = edit.declared(name)
    if content is None and declaration.generate is None:
        raise SecretRefused(f"{name} cannot be generated.", hint=f"./run secret.rotate {name} --from FILE")
    return edit.fitting(name, secrets.given(name, content, declaration)) if content is not None else None


def _restarts(
    environment: Environment, names: Collection[str], used: Users, running: Iterable[Service]
) -> list[Restart]:
    """The services that use the secrets, of stacks that run: first those of the stack that declares the secret.

    That one makes a new password valid (Postgres and its bootstrap job), the others, in the order of what
    stacks need, then come with it; connections that they have already are not cut by the change.
    """
    there = {service.name: service for service in running}
    deployed = {service.stack for service in there.values()}
    wanted = {pair for name in names for pair in used[name] if pair[0].name in deployed}
    owners = {template for template, manifest in manifests.read().items() if manifest.secrets.keys() & set(names)}
    every = targets.select(environment, "all")
    found: list[Restart] = []
    for target, short in sorted(
        wanted, key=lambda pair: (pair[0].template not in owners, every.index(pair[0]), pair[1])
    ):
        service = there.get(f"{target.name}_{short}")
        what = "not deployed" if service is None else "job, runs again" if service.job else str(service.desired)
        found.append(Restart(target, f"{target.name}_{short}", what))
    return found


def _require_files(
    environment: Environment, names: Collection[str], used: Users, affected: Collection[Target], engine: Engine
) -> None:
    """Raise SecretFileMissing where the deploy would replace other secrets, whose files are on another machine."""
    needed = [key for key, pairs in used.items() if any(target in affected for target, _ in pairs)]
    missing_secrets.require(environment, [key for key in needed if key not in names], engine)


def _tell(names: tuple[str, ...], restarts: Sequence[Restart], report: Report) -> None:
    """Say which services will restart."""
    if not restarts:
        report.line(f"{names[0]}: no running service uses it; only its file changes.")
        return
    services = f"{len(restarts)} service{'s' if len(restarts) > 1 else ''}"
    report.line(f"{' and '.join(names)}: {services} will restart, stack by stack:")
    report.table(("STACK", "SERVICE", "TASKS"), _table(restarts))


def _table(restarts: Sequence[Restart]) -> Iterator[tuple[str, str, str]]:
    projects = [one for one in restarts if one.target.project]
    few = len(projects) <= FEW
    yield from ((one.target.name, one.service, one.tasks) for one in restarts if few or not one.target.project)
    if not few:
        yield "projects", f"{len(projects)} services of {len({one.target for one in projects})} projects", ""


def _waiting(session: Session, restarts: Iterable[Restart], used: Users) -> list[str]:
    """Other services of the same stacks that do not run as the environment says now."""
    affected = tuple(dict.fromkeys(one.target for one in restarts))
    needed = {key for key, pairs in used.items() if any(target in affected for target, _ in pairs)}
    if not affected or not all(secrets.file(session.environment.secrets, key).exists() for key in needed):
        return []
    plans = changeset.collect(session, affected).plans.values()
    return sorted({change.service for done in plans for change in done.pending} - {one.service for one in restarts})


def _alone(folder: Path, name: str) -> AbstractContextManager[None]:
    """One rotation at a time of one folder of secrets."""

    def busy() -> None:
        raise Locked(
            f"Another rotation of secrets in {relative(folder)} is running; {name} was not changed.",
            hint="Wait until it has finished; ./run lock.status shows what is running.",
        ) from None

    return lock_folder(folder, busy)


@contextmanager
def _replaced(session: Session, names: tuple[str, ...], wanted: Secret | None) -> Iterator[None]:
    """Write another content, keeping the former one next to it until the block has succeeded.

    When the block fails the former files come back. A client that is killed, interrupted or has lost the lock leaves
    both: the next rotation goes on with the new content, or finds that a deploy has brought it everywhere.
    """
    environment, report = session.environment, session.report
    folder, (name, *_) = environment.secrets, names
    present = secrets.read(secrets.file(folder, name))
    if _unfinished(environment, names, present, session.engine):
        report.line(f"An earlier rotation of {name} is unfinished; {'replacing' if wanted else 'completing'} it.")
        wanted = wanted or present
    else:
        for other in names:
            secrets.keep(folder, other)
    secrets.write(folder, name, wanted or secrets.password())
    try:
        yield
    except LockLost:
        raise
    except Exception:
        for other in reversed(names):
            secrets.restore(folder, other)
        report.line(f"{relative(secrets.file(folder, name))} has its former content again.")
        raise
    for other in names:
        secrets.forget(folder, other)


def _unfinished(environment: Environment, names: tuple[str, ...], present: Secret | None, engine: Engine) -> bool:
    """Whether a killed rotation left a new content that not all services have."""
    former = secrets.kept(environment.secrets, names[0])
    if present is None or not former.exists() or secrets.read(former) == present:
        return False
    there, known = inventory.versions_in_swarm(engine), manifests.declarations()
    return any(
        inventory.differs(
            environment.secrets, name, known, [version for version, users in there[name].items() if users]
        )
        for name in names
        if any(there.get(name, {}).values())
    )
