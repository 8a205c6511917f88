"""All secrets that stacks declare: who uses them, and how the operator's files and the swarm stand to each other.

Nothing is read from the swarm but names.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from swarm.engine.client import Engine
from swarm.errors import SecretMissing, SecretNotDecrypted
from swarm.secrets import edit
from swarm.settings import secrets
from swarm.settings.environment import Environment
from swarm.settings.secrets import Declaration
from swarm.stacks import manifest, stack, targets, versions
from swarm.stacks.targets import Target

FEW = 6
ENCRYPTED = "encrypted"

# Secret -> its users (target, short name of the service), in the order of what stacks need.
Users = Mapping[str, Sequence[tuple[Target, str]]]


@dataclass(frozen=True)
class Row:
    """One secret: its source, who uses it, its file, its versions in the swarm (None without a swarm)."""

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
        if self.differs is None and self.file == ENCRYPTED:
            return "not compared: it could not be decrypted"
        return {True: "differs from the file", False: "same as the file", None: "no file to compare"}[self.differs]

    @property
    def users(self) -> str:
        """The services that use it, or the secrets that are made from it."""
        shown = list(self.services[:FEW]) + ([f"{len(self.services) - FEW} more"] if len(self.services) > FEW else [])
        return " ".join(shown or self.derived)

    @property
    def swarm(self) -> str:
        """The versions in the swarm; those that services use have a star."""
        return " ".join(f"{name}{'*' if name in (self.in_use or ()) else ''}" for name in self.versions or ())


def users(environment: Environment) -> Users:
    """Which services use each secret, as the stacks are written now."""
    found: dict[str, list[tuple[Target, str]]] = {name: [] for name in manifest.declarations()}
    for target in targets.select(environment, "all"):
        for name, services in stack.secret_users(environment, target).items():
            found.setdefault(name, []).extend((target, service) for service in services)
    return found


def rows(environment: Environment, engine: Engine | None) -> list[Row]:
    """Every secret that a stack declares; nothing is read from the swarm but names, and nothing is changed."""
    known = manifest.declarations()
    used = users(environment)
    there = versions_in_swarm(engine) if engine else None
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
        derived=edit.derived(name),
        file=_file(path),
        versions=tuple(mine) if there is not None else None,
        in_use=in_use if there is not None else None,
        differs=differs(environment.secrets, name, known, in_use) if in_use else None,
        unfinished=secrets.kept(environment.secrets, name).exists(),
    )


def _origin(declaration: Declaration) -> str:
    if declaration.htpasswd:
        return f"htpasswd of {declaration.htpasswd}"
    return "generated" if declaration.generate else "given"


def _file(path: Path) -> str:
    if not path.exists():
        return "absent"
    if path.suffix == ".age":
        return ENCRYPTED
    mode = path.stat().st_mode & 0o777
    if mode != 0o600:
        return f"mode {mode:04o}, not 0600"
    return "there" if path.stat().st_size else "empty"


def differs(folder: Path, name: str, known: Mapping[str, Declaration], in_use: Iterable[str]) -> bool | None:
    """Whether services use anything else than what the file holds; None when there is no file."""
    with suppress(SecretMissing, SecretNotDecrypted):
        content = secrets.read(secrets.file(folder, name))
        if content is None:
            return None
        base = known[name].htpasswd
        plain = secrets.read(secrets.file(folder, base)) if base else None
        if plain and not secrets.fits(content, known[name], plain):
            return True
        return set(in_use) != {versions.secret(secrets.file(folder, name), name, content).name}
    return None


def versions_in_swarm(engine: Engine) -> dict[str, dict[str, list[str]]]:
    """Secret -> its versions in the swarm, oldest first -> full names of the services that use each."""
    services: dict[str, list[str]] = {}
    for service in engine.services.list():
        for name in _references(service):
            services.setdefault(name, []).append(str(service["Spec"]["Name"]))
    found: dict[str, dict[str, list[str]]] = {}
    for item in sorted(engine.secrets.list(), key=lambda item: str(item["CreatedAt"])):
        name = str(item["Spec"]["Name"])
        if key := (item["Spec"].get("Labels") or {}).get(versions.LABEL):
            found.setdefault(key, {})[name] = sorted(services.get(name, ()))
    return found


def _references(service: Mapping[str, Any]) -> set[str]:
    """Names of the secrets that a raw service refers to."""
    container = service["Spec"]["TaskTemplate"].get("ContainerSpec") or {}
    return {str(item["SecretName"]) for item in container.get("Secrets") or ()}
