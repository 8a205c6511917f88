"""stacks/<name>/stack.yaml: what each stack needs, offers and accepts as settings."""

from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any

from swarm.errors import EnvironmentInvalid, StackInvalid
from swarm.settings import validation
from swarm.settings.environment import ROOT, relative
from swarm.settings.secrets import Declaration
from swarm.settings.validation import Strict


class Url(Strict):
    """One address that a stack serves; `{project}` in `host` and `name` stands for the project."""

    name: str
    host: str = ""
    path: str = "/"
    sign_in: str = "open"


class Manifest(Strict):
    """The keys of stacks/<name>/stack.yaml."""

    description: str
    needs: list[str] = []
    values: dict[str, Any] = {}
    secrets: dict[str, Declaration] = {}
    urls: list[Url] = []
    timeout: int = 180


@lru_cache(maxsize=1)
def read() -> dict[str, Manifest]:
    """Every stack.yaml of the checkout, validated."""
    found: dict[str, Manifest] = {}
    mistakes: list[str] = []
    for path in sorted((ROOT / "stacks").glob("*/stack.yaml")):
        manifest, more = validation.check(Manifest, validation.load(path, relative(path)), path, relative(path))
        mistakes += more
        if manifest:
            found[path.parent.name] = manifest
    mistakes += [
        f"stacks/{name}/stack.yaml: needs: unknown stack {need!r}"
        for name, manifest in found.items()
        for need in manifest.needs
        if need not in found
    ]
    if mistakes:
        raise EnvironmentInvalid(mistakes)
    return found


def declarations() -> dict[str, Declaration]:
    """The declaration of each secret of the platform."""
    return {name: how for manifest in read().values() for name, how in manifest.secrets.items()}


def order() -> tuple[str, ...]:
    """All templates, each after what it needs."""
    graph = {name: sorted(manifest.needs) for name, manifest in read().items()}
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise StackInvalid(f"stacks depend on each other in a cycle: {' -> '.join(error.args[1])}") from error
