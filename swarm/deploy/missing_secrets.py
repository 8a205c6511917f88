"""The guard of live passwords: a generated secret that the swarm has is never generated a second time.

A checkout without the ignored secret files (a second operator, CI, a fresh clone) would otherwise replace them all.
"""

from collections.abc import Iterable, Mapping, Sequence

from swarm.engine.client import Engine
from swarm.errors import SecretFileMissing
from swarm.settings import secrets
from swarm.settings.environment import Environment, relative
from swarm.settings.secrets import Declaration
from swarm.stacks import manifest, stack, versions
from swarm.stacks.targets import Target


def require(environment: Environment, names: Iterable[str], engine: Engine) -> None:
    """Raise SecretFileMissing with all of these secrets that the swarm has and this checkout has not."""
    found = complaints(environment, names, engine)
    if found:
        lines = (f"{name}: {text}" for name, text in found.items())
        folder = relative(environment.secrets)
        raise SecretFileMissing(
            "\n  ".join(("Deploying from this checkout would replace live passwords; nothing was changed.", *lines)),
            hint=f"Copy the files into {folder} from the checkout that has them, or fetch them from the swarm: "
            "./run secret.fetch; to set a new password: ./run secret.rotate NAME.",
        )


def require_for(environment: Environment, targets: Sequence[Target], engine: Engine) -> None:
    """As `require`, for all secrets that the services of some stacks use; nothing is rendered but templates."""
    representatives = {target.template: target for target in targets}
    names = [name for target in representatives.values() for name in stack.secret_users(environment, target)]
    require(environment, dict.fromkeys(names), engine)


def complaints(environment: Environment, names: Iterable[str], engine: Engine) -> dict[str, str]:
    """The secrets that the swarm has and this checkout has not, or has with another generated content, and which."""
    known = manifest.declarations()
    suspects = [name for name in names if _suspect(environment, name, known)]
    if not suspects:
        return {}
    held = versions.versions_of(engine.secrets.list())
    texts = {name: _complaint(environment, name, known, held) for name in suspects}
    return {name: text for name, text in texts.items() if text}


def unknown_passwords(environment: Environment, names: Iterable[str], engine: Engine) -> list[str]:
    """Passwords of which only a hash is here, and none in the swarm; they are generated."""
    known, folder = manifest.declarations(), environment.secrets
    sources = {name: _source(name, known) for name in names}
    orphaned = [
        name
        for name, source in sources.items()
        if source != name and secrets.file(folder, name).exists() and not secrets.file(folder, source).exists()
    ]
    if not orphaned:
        return []
    held = versions.versions_of(engine.secrets.list())
    return [sources[name] for name in orphaned if not held.get(name)]


def settle(environment: Environment, names: Iterable[str], engine: Engine) -> None:
    """Note which generated secrets have reached the swarm."""
    known = manifest.declarations()
    sources = {_source(name, known): name for name in names}
    fresh = [(source, name) for source, name in sources.items() if secrets.fresh(environment.secrets, source)]
    if not fresh:
        return
    held = versions.versions_of(engine.secrets.list())
    for source, name in fresh:
        if _version(environment, name, known) in held.get(name, ()):
            secrets.settle(environment.secrets, source)


def _suspect(environment: Environment, name: str, known: Mapping[str, Declaration]) -> bool:
    """Whether the content of a secret may be one that the swarm does not know."""
    folder = environment.secrets
    return _absent(environment, name, known) or secrets.fresh(folder, _source(name, known))


def _absent(environment: Environment, name: str, known: Mapping[str, Declaration]) -> bool:
    """Whether neither the file of a secret nor that of what it is made from is there."""
    return not any(secrets.file(environment.secrets, one).exists() for one in (name, _source(name, known)))


def _complaint(
    environment: Environment, name: str, known: Mapping[str, Declaration], held: Mapping[str, Sequence[str]]
) -> str:
    if not held.get(name):
        return ""
    if _absent(environment, name, known):
        source = _source(name, known)
        made_from = f" (made from {source}, whose file is missing too)" if source != name else ""
        return f"it exists in the swarm, but its file is missing here{made_from}"
    if _version(environment, name, known) in held[name]:
        return ""
    return "its file was generated here, but the swarm received different content in the meantime"


def _version(environment: Environment, name: str, known: Mapping[str, Declaration]) -> str:
    """The name that a secret's present content has in the swarm."""
    content = secrets.look(environment.secrets, name, known)
    return versions.secret(secrets.file(environment.secrets, name), name, content).name


def _source(name: str, known: Mapping[str, Declaration]) -> str:
    """The secret that a secret is made from, or itself."""
    return known.get(name, Declaration()).htpasswd or name
