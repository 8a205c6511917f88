"""What the words of a user mean among the services that run: `all`, `project`, `admin`, `admin/traefik`, or more."""

from collections.abc import Collection, Iterable, Sequence

from swarm.errors import UnknownName
from swarm.live.services import Service

TEMPLATE = "swarmstats.template"
EVERY = "all"


def choose(services: Sequence[Service], words: str, absent: Collection[str] = ()) -> tuple[Service, ...]:
    """The services that a comma list names, each once, sorted by name; raises UnknownName with the nearest names.

    A word in `absent` may name nothing: it is a stack that is defined and does not run.
    """
    chosen: set[str] = set()
    given = [word.strip() for word in words.split(",") if word.strip()]
    for word in given or [words]:
        matching = {service.name for service in services if _means(word, service)}
        if not matching and word != EVERY and word not in absent:
            raise UnknownName("service", word, _known(services))
        chosen |= matching
    return tuple(service for service in services if service.name in chosen)


def one(services: Sequence[Service], word: str) -> Service:
    """The one service that a word names; raises UnknownName when it names none, or a stack of several."""
    found = choose(services, word)
    if len(found) != 1:
        raise UnknownName("service", word, (display_name(service) for service in found))
    return found[0]


def display_name(service: Service) -> str:
    """A service as people name it: `admin/traefik`."""
    return f"{service.stack}/{service.short}"


def _means(word: str, service: Service) -> bool:
    owners = (EVERY, service.stack, service.labels.get(TEMPLATE))
    return word in (*owners, service.name, display_name(service))


def _known(services: Iterable[Service]) -> set[str]:
    found = list(services)
    return {service.stack for service in found} | {display_name(service) for service in found}
