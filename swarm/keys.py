"""The use cases on the operator's own secrets: generate, import, list, rotate.

No content goes anywhere but to its file and, by the API, to the swarm.
"""

import fcntl
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from swarm import cluster, deploy, live, manifests, secrets, stacks, survey, targets, versions
from swarm.deployment import LOCK_TIMEOUT, Options
from swarm.engine import Engine
from swarm.environment import Environment, shown
from swarm.errors import EngineUnavailable, Locked, NodeFailed, SecretMissing, SecretRefused, UnknownName
from swarm.live import Service
from swarm.report import Report
from swarm.secrets import Declaration, Secret
from swarm.shell import Shell
from swarm.targets import Target

FEW = 6
BCRYPT = 72

# Secret -> its users (target, short name of the service), in the order of what stacks need.
Users = Mapping[str, Sequence[tuple[Target, str]]]


@dataclass(frozen=True)
class Row:
    """One secret: how it comes to be, who uses it, its file, its versions in the swarm (None without a swarm)."""

    name: str
    origin: str
    services: tuple[str, ...]
    derived: tuple[str, ...]
    file: str
    versions: tuple[str, ...] | None
    in_use: tuple[str, ...] | None
    differs: bool | None
    unfinished: bool

    @property
    def state(self) -> str:
        """How the file and the swarm stand to each other, in words."""
        if self.unfinished and self.differs:
            return f"rotation unfinished: ./run secret.rotate {self.name}"
        if self.in_use is None:
            return "?"
        if not self.in_use and not self.derived:
            return "not in use"
        return {True: "differs from the file", False: "as in the file", None: "no file to compare"}[self.differs]

    @property
    def users(self) -> str:
        """The services that use it, or the secrets that are made from it."""
        shown = list(self.services[:FEW]) + ([f"{len(self.services) - FEW} more"] if len(self.services) > FEW else [])
        return " ".join(shown or self.derived)

    @property
    def swarm(self) -> str:
        """The versions in the swarm; those that services use have a star."""
        return " ".join(f"{name}{'*' if name in (self.in_use or ()) else ''}" for name in self.versions or ())


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
    with_it: tuple[str, ...]

    def told(self) -> dict[str, Any]:
        """A rotation for machines."""
        return {
            "secrets": self.secrets,
            "restarts": [{"stack": it.target.name, "service": it.service, "tasks": it.tasks} for it in self.restarts],
            "comes_with_it": self.with_it,
        }


def source(path: str, name: str, report: Report) -> bytes:
    """What a file holds, or what is piped in for `-` or nothing; raises SecretMissing."""
    if path in ("", "-"):
        return report.given(name)
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SecretMissing(f"{path}: {error.strerror}.") from error


def generate(
    environment: Environment, name: str, *, force: bool = False, length: int = secrets.LENGTH, dry: bool = False
) -> Path:
    """Write a new password into the operator's own file; raises SecretRefused where there is one, unless forced."""
    declaration = _declared(name)
    if declaration.generate is None:
        raise SecretRefused(f"{name} cannot be generated.", hint=f"./run secret.import {name} FILE")
    path = secrets.file(environment.secrets, name)
    made = _fitting(name, secrets.password(length))
    if path.exists() and not force:
        raise SecretRefused(
            f"{shown(path)} is there already.",
            hint=f"./run secret.rotate {name} changes it and what uses it; --force overwrites the file.",
        )
    if not dry:
        secrets.write(environment.secrets, name, made)
    return path


def import_(environment: Environment, name: str, content: bytes, *, dry: bool = False) -> Path:
    """Write what was given into the operator's own file."""
    wanted = _fitting(name, secrets.given(name, content, _declared(name)))
    if not dry:
        secrets.write(environment.secrets, name, wanted)
    return secrets.file(environment.secrets, name)


def content(environment: Environment, name: str) -> Secret:
    """What the operator's own file holds; raises UnknownName, or SecretMissing for one that is yet to be made."""
    known = manifests.declarations()
    if name not in known:
        raise UnknownName("secret", name, known)
    found = secrets.look(environment.secrets, name, known)
    if found == secrets.unmade(name):
        raise SecretMissing(f"{name} is not made yet.", hint="The first deploy of a stack that uses it makes it.")
    return found


def users(environment: Environment) -> Users:
    """Which services use each secret, as the stacks are written now."""
    found: dict[str, list[tuple[Target, str]]] = {name: [] for name in manifests.declarations()}
    for target in targets.select(environment, "all"):
        for name, services in stacks.secret_users(environment, target).items():
            found.setdefault(name, []).extend((target, service) for service in services)
    return found


def reach(environment: Environment, shell: Shell) -> Engine | None:
    """The engine that commands the swarm, or None where there is no swarm yet."""
    with suppress(NodeFailed, EngineUnavailable):
        return cluster.manager(environment, shell)
    return None


def rows(environment: Environment, engine: Engine | None) -> list[Row]:
    """Every secret that a stack declares; nothing is read from the swarm but names, and nothing is changed."""
    known = manifests.declarations()
    used = users(environment)
    there = _versions(engine) if engine else None
    found = {name: _row(environment, name, known, used[name], there) for name in sorted(known)}
    return [
        replace(row, differs=any(found[name].differs for name in row.derived))
        if row.derived and not row.in_use
        else row
        for row in found.values()
    ]


def _row(
    environment: Environment,
    name: str,
    known: Mapping[str, Declaration],
    used: Iterable[tuple[Target, str]],
    there: Mapping[str, Mapping[str, list[str]]] | None,
) -> Row:
    path = secrets.file(environment.secrets, name)
    mine = (there or {}).get(name, {})
    in_use = tuple(version for version, services in mine.items() if services)
    return Row(
        name=name,
        origin=_origin(known[name]),
        services=tuple(f"{target.name}_{service}" for target, service in used),
        derived=_derived(name),
        file=_file(path),
        versions=tuple(mine) if there is not None else None,
        in_use=in_use if there is not None else None,
        differs=_differs(environment.secrets, name, known, in_use) if in_use else None,
        unfinished=secrets.kept(environment.secrets, name).exists(),
    )


def _origin(declaration: Declaration) -> str:
    if declaration.htpasswd:
        return f"htpasswd of {declaration.htpasswd}"
    return "generated" if declaration.generate else "given"


def _file(path: Path) -> str:
    if not path.exists():
        return "absent"
    mode = path.stat().st_mode & 0o777
    if mode != 0o600:
        return f"mode {mode:04o}, not 0600"
    return "there" if path.stat().st_size else "empty"


def _differs(folder: Path, name: str, known: Mapping[str, Declaration], in_use: Iterable[str]) -> bool | None:
    """Whether services use anything else than what the file holds; None when there is no file."""
    with suppress(SecretMissing):
        content = secrets.read(secrets.file(folder, name))
        if content is None:
            return None
        base = known[name].htpasswd
        plain = secrets.read(secrets.file(folder, base)) if base else None
        if plain and not secrets.fits(content, known[name], plain):
            return True
        return set(in_use) != {versions.secret(secrets.file(folder, name), name, content).name}
    return None


def _versions(engine: Engine) -> dict[str, dict[str, list[str]]]:
    """Secret -> its versions in the swarm, oldest first -> full names of the services that use each."""
    services: dict[str, list[str]] = {}
    for service in engine.services():
        for name in _references(service):
            services.setdefault(name, []).append(str(service["Spec"]["Name"]))
    found: dict[str, dict[str, list[str]]] = {}
    for item in sorted(engine.secrets(), key=lambda item: str(item["CreatedAt"])):
        name = str(item["Spec"]["Name"])
        if key := (item["Spec"].get("Labels") or {}).get(versions.LABEL):
            found.setdefault(key, {})[name] = sorted(services.get(name, ()))
    return found


def _references(service: Mapping[str, Any]) -> set[str]:
    """Names of the secrets that a raw service refers to."""
    container = service["Spec"]["TaskTemplate"].get("ContainerSpec") or {}
    return {str(item["SecretName"]) for item in container.get("Secrets") or ()}


def rotate(
    environment: Environment,
    name: str,
    content: bytes | None,
    engine: Engine,
    shell: Shell,
    report: Report,
    *,
    dry: bool = False,
    lock_timeout: float = LOCK_TIMEOUT,
) -> None:
    """Give a secret another content and bring it to the services; if that fails, its file holds the former one."""
    wanted, coming = _wanted(name, content), rotation(environment, name, content, engine, shell)
    restarts, names = coming.restarts, coming.secrets
    _tell(names, restarts, report)
    if coming.with_it:
        report.line(f"Changes of these stacks that are not deployed yet come with it: {', '.join(coming.with_it)}.")
    if dry:
        return
    with _alone(environment.secrets, name), _replaced(environment, names, wanted, engine, report):
        if restarts:
            affected = tuple(dict.fromkeys(restart.target for restart in restarts))
            deploy.deploy(environment, affected, engine, shell, report, Options(lock_timeout))
    report.line(f"{name} is rotated{'' if restarts else ': in its file; no service that runs uses it'}.")


def rotation(environment: Environment, name: str, content: bytes | None, engine: Engine, shell: Shell) -> Rotation:
    """What a rotation would do; raises what it would refuse."""
    _wanted(name, content)
    names, used, running = (name, *_derived(name)), users(environment), live.services(engine)
    restarts = _restarts(environment, names, used, running)
    _demand_files(environment, name, used, {one.target for one in restarts})
    return Rotation(names, tuple(restarts), tuple(_waiting(environment, restarts, used, engine, shell)))


def _wanted(name: str, content: bytes | None) -> Secret | None:
    """The content that is given, if it can be one; None where a new password is generated."""
    declaration = _declared(name)
    if content is None and declaration.generate is None:
        raise SecretRefused(f"{name} cannot be generated.", hint=f"./run secret.rotate {name} --from FILE")
    return _fitting(name, secrets.given(name, content, declaration)) if content is not None else None


def _declared(name: str) -> Declaration:
    """How a secret that may be written comes to be."""
    known = manifests.declarations()
    if name not in known:
        raise UnknownName("secret", name, known)
    if base := known[name].htpasswd:
        raise SecretRefused(
            f"{name} is made from {base}, whenever that changes.", hint=f"./run secret.rotate {base} changes both."
        )
    return known[name]


def _derived(name: str) -> tuple[str, ...]:
    return tuple(other for other, how in manifests.declarations().items() if how.htpasswd == name)


def _fitting(name: str, secret: Secret) -> Secret:
    """The secret, if what is derived from it takes one so long; raises SecretRefused."""
    if (derived := _derived(name)) and len(secret.reveal().encode()) > BCRYPT:
        raise SecretRefused(f"{derived[0]} is a hash of {name}, which may have {BCRYPT} bytes for that.")
    return secret


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
        what = "not there yet" if service is None else "a job, runs again" if service.job else str(service.desired)
        found.append(Restart(target, f"{target.name}_{short}", what))
    return found


def _demand_files(environment: Environment, name: str, used: Users, affected: Collection[Target]) -> None:
    """Raise SecretMissing where the deploy would make up another secret, whose file is on somebody else's machine."""
    known, folder = manifests.declarations(), environment.secrets
    needed = {key for key, pairs in used.items() if any(target in affected for target, _ in pairs)}
    needed = {known[key].htpasswd or key for key in needed} - {name}
    if absent := sorted(key for key in needed if not secrets.file(folder, key).exists()):
        raise SecretMissing(
            f"Not in {shown(folder)}: {', '.join(absent)}. The same stacks use them, and would get new ones.",
            hint=f"Bring the files of whoever deployed, or ./run secret.import {absent[0]} FILE",
        )


def _tell(names: tuple[str, ...], restarts: Sequence[Restart], report: Report) -> None:
    """Say which services will restart."""
    if not restarts:
        report.line(f"{names[0]}: no service that runs uses it; only its file changes.")
        return
    services = f"{len(restarts)} service{'s' if len(restarts) > 1 else ''}"
    report.line(f"{' and '.join(names)}: {services} will restart, stack after stack:")
    report.table(("STACK", "SERVICE", "TASKS"), _table(restarts))


def _table(restarts: Sequence[Restart]) -> Iterator[tuple[str, str, str]]:
    projects = [one for one in restarts if one.target.project]
    few = len(projects) <= FEW
    yield from ((one.target.name, one.service, one.tasks) for one in restarts if few or not one.target.project)
    if not few:
        yield "projects", f"{len(projects)} services of {len({one.target for one in projects})} projects", ""


def _waiting(
    environment: Environment, restarts: Iterable[Restart], used: Users, engine: Engine, shell: Shell
) -> list[str]:
    """Other services of the same stacks that do not run as the environment says now."""
    affected = tuple(dict.fromkeys(one.target for one in restarts))
    keys = {key for key, pairs in used.items() if any(target in affected for target, _ in pairs)}
    if not affected or not all(secrets.file(environment.secrets, key).exists() for key in keys):
        return []
    plans = survey.survey(environment, affected, engine, shell).plans.values()
    return sorted({change.service for done in plans for change in done.pending} - {one.service for one in restarts})


@contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    """One rotation at a time of one folder of secrets; the hold of a client that was killed is gone with it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked(
                f"Another rotation of secrets in {shown(folder)} is under way; {name} was not changed.",
                hint="Wait for it; ./run lock.status says what runs.",
            ) from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _replaced(
    environment: Environment, names: tuple[str, ...], wanted: Secret | None, engine: Engine, report: Report
) -> Iterator[None]:
    """Write another content, keeping the former one beside it until the block has ended well.

    When the block fails the former files come back. A client that is killed or interrupted leaves both: the
    next rotation goes on with the new content, or finds that a deploy has brought it everywhere.
    """
    folder, (name, *_) = environment.secrets, names
    present = secrets.read(secrets.file(folder, name))
    if _unfinished(environment, names, present, engine):
        report.line(f"An earlier rotation of {name} did not end; {'replacing' if wanted else 'completing'} it.")
        wanted = wanted or present
    else:
        for other in names:
            secrets.keep(folder, other)
    secrets.write(folder, name, wanted or secrets.password())
    try:
        yield
    except Exception:
        for other in reversed(names):
            secrets.restore(folder, other)
        report.line(f"{shown(secrets.file(folder, name))} holds what it held before.")
        raise
    for other in names:
        secrets.kept(folder, other).unlink(missing_ok=True)


def _unfinished(environment: Environment, names: tuple[str, ...], present: Secret | None, engine: Engine) -> bool:
    """Whether a killed rotation left a new content that not all services have."""
    former = secrets.kept(environment.secrets, names[0])
    if present is None or not former.exists() or secrets.read(former) == present:
        return False
    there, known = _versions(engine), manifests.declarations()
    return any(
        _differs(environment.secrets, name, known, [version for version, users in there[name].items() if users])
        for name in names
        if any(there.get(name, {}).values())
    )
