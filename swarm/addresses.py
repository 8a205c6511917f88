"""Where to look: the addresses of what is deployed, by the names that people give them."""

from swarm import targets
from swarm.environment import Environment
from swarm.errors import UnknownName

Address = tuple[str, str, str]


def find(environment: Environment, word: str) -> Address:
    """(name, URL, how to sign in) of a stack, a project or a name that `show` lists; without a word the first one."""
    every = targets.select(environment, "all")
    known: dict[str, Address] = {}
    for target in every:
        found = targets.addresses(environment, [target])
        if found:
            known.setdefault(target.name, found[0])
        for address in found:
            known.setdefault(address[0].lower(), address)
    if not word:
        return next(iter(known.values()))
    if word.lower() not in known:
        raise UnknownName("page", word, known)
    return known[word.lower()]
