"""Where to look: the addresses of what is deployed, by the names that people give them."""

from collections.abc import Iterable

from swarm.errors import UnknownName
from swarm.settings.environment import Environment
from swarm.stacks import manifest, targets
from swarm.stacks.targets import Target

Address = tuple[str, str, str]


def find(environment: Environment, word: str) -> Address:
    """(name, URL, how to sign in) of a stack, a project or a name that `show` lists; without a word the first one."""
    every = targets.select(environment, "all")
    known: dict[str, Address] = {}
    for target in every:
        found = addresses(environment, [target])
        if found:
            known.setdefault(target.name, found[0])
        for address in found:
            known.setdefault(address[0].lower(), address)
    if not word:
        return next(iter(known.values()))
    if word.lower() not in known:
        raise UnknownName("page", word, known)
    return known[word.lower()]


def addresses(environment: Environment, wanted: Iterable[Target]) -> list[tuple[str, str, str]]:
    """What stacks serve: (name, URL, how to sign in)."""
    known = manifest.read()
    found: list[tuple[str, str, str]] = []
    for target in wanted:
        words = {"project": target.project.name if target.project else "", "domain": environment.domain}
        found += [
            (url.name.format(**words), environment.url(url.host.format(**words)) + url.path.rstrip("/"), url.sign_in)
            for url in known[target.template].urls
        ]
    return found
