"""Every word that a command may have, for the shell's completion: verbs, flags, and the names of an environment."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from swarm.errors import SwarmstatsError
from swarm.files import write_atomically
from swarm.settings import environment
from swarm.settings.environment import Environment
from swarm.stacks import manifest, stack, targets, urls
from verbs import completion

# What the value of an argument is a name of; of one that is not here anything may be given.
KINDS = {
    "stack": "stack",
    "service": "service",
    "sizes": "service",
    "env": "environment",
    "tier": "tier",
    "shell": "shell",
}
NAMES = {"secret": "secret", "open": "page", "job": "service"}
TIERS = ("all", "lint", "unit", "integration", "e2e")


def write(contexts: Iterable[Any]) -> None:
    """Write the table of this environment; `contexts` are invoke's parser contexts of all verbs."""
    folder, file = completion.place()
    table = {"stamps": completion.stamps(completion.ROOT, folder), "verbs": verbs(contexts), "names": names()}
    file.parent.mkdir(exist_ok=True)
    write_atomically(file, json.dumps(table))


def verbs(contexts: Iterable[Any]) -> dict[str, dict[str, str]]:
    """Verb -> flag -> what its value is a name of (empty: it takes none); the flag "" is the word after the verb."""
    found = {}
    for context in contexts:
        flags = {
            name: _kind(context.name, argument.names[0]) if argument.takes_value else ""
            for name, argument in context.flags.items()
            if not argument.positional
        }
        word = next((argument.names[0] for argument in context.positional_args), "")
        found[context.name] = {**flags, "": _kind(context.name, word)}
    return found


def names() -> dict[str, list[str]]:
    """Kind -> names; of an environment with mistakes only what does not depend on it."""
    found: dict[str, list[str]] = {
        "environment": sorted(path.parent.name for path in environment.folder().glob("*/env.yaml")),
        "tier": list(TIERS),
        "shell": list(completion.SCRIPTS),
    }
    try:
        known = environment.load()
        every = targets.select(known, "all")
        owners = [*(target.name for target in every), targets.PROJECT, "all"]
        found["stack"] = owners
        found["secret"] = sorted(manifest.declarations())
        found["page"] = [
            *owners[:-2],
            *(name.lower() for name, *_ in urls.addresses(known, every) if " " not in name),
        ]
        found["service"] = [*owners, *_services(known)]
    except SwarmstatsError:
        return found
    return found


def _services(known: Environment) -> Iterator[str]:
    """`stack/service` of everything that can be deployed."""
    services: dict[str, list[str]] = {}
    for target in targets.select(known, "all"):
        if target.template not in services:
            services[target.template] = _rendered(known, target)
        yield from (f"{target.name}/{name}" for name in services[target.template])


def _rendered(known: Environment, target: targets.Target) -> list[str]:
    try:
        return list(stack.render(known, target).services)
    except SwarmstatsError:
        return []


def _kind(verb: str, argument: str) -> str:
    return NAMES.get(verb.partition(".")[0], "any") if argument == "name" else KINDS.get(argument, "any")
