"""Names that Swarm or DNS refuses for their length."""

from collections.abc import Iterator, Mapping
from typing import Any

from swarm.lints.finding import Finding

DNS, OBJECT = 63, 64


def of_service(stack: str, name: str, service: Mapping[str, Any]) -> Iterator[Finding]:
    """The service's own name, its host name and its aliases."""
    path = ("services", name)
    yield from _long(path, "service name", f"{stack}_{name}", DNS)
    hostname = str(service.get("hostname", ""))
    if "{{" not in hostname:
        yield from _long((*path, "hostname"), "host name", hostname, DNS)
    networks = service.get("networks")
    for network, options in networks.items() if isinstance(networks, Mapping) else ():
        for alias in (options or {}).get("aliases") or ():
            yield from _long((*path, "networks", network, "aliases"), "alias", str(alias), DNS)


def of_stack(stack: str, document: Mapping[str, Any]) -> Iterator[Finding]:
    """The stack's networks, configs and secrets."""
    for section, longest in (("networks", DNS), ("configs", OBJECT), ("secrets", OBJECT)):
        for key, given in (document.get(section) or {}).items():
            name = str((given or {}).get("name") or f"{stack}_{key}")
            yield from _long((section, key), section[:-1], name, longest)


def _long(path: tuple[str, ...], kind: str, name: str, longest: int) -> Iterator[Finding]:
    if len(name) > longest:
        yield Finding(path, f"{kind} {name} has {len(name)} characters; Swarm allows {longest}", "Shorten it.")
