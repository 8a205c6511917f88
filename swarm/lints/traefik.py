"""Labels for Traefik: where it does not look, and what it cannot do without."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from swarm.lints.finding import Finding, pairs

OBJECT = re.compile(r"traefik\.(http|tcp|udp)\.(routers|services|middlewares)\.([^.]+)\.(.+)", re.IGNORECASE)
PORT = "loadbalancer.server.port"


@dataclass(frozen=True)
class Object:
    """A router, service or middleware that labels make: its options, and its first label as it is written."""

    protocol: str
    kind: str
    name: str
    options: Mapping[str, str]
    label: str


def objects(labels: Mapping[str, str]) -> list[Object]:
    """Everything that the labels of one service make, if Traefik is to look at it."""
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    first: dict[tuple[str, str, str], str] = {}
    for label, value in labels.items():
        if match := OBJECT.fullmatch(label):
            key = (match[1].lower(), match[2].lower(), match[3])
            found.setdefault(key, {})[match[4].lower()] = value
            first.setdefault(key, label)
    return [Object(*key, options, first[key]) for key, options in found.items()] if enabled(labels) else []


def enabled(labels: Mapping[str, str]) -> bool:
    """Whether the labels ask Traefik to look."""
    return any(key.lower() == "traefik.enable" and value.lower() in ("true", "1") for key, value in labels.items())


def find(name: str, service: Mapping[str, Any]) -> Iterator[Finding]:
    """Labels of the container instead of the service, and routers without the port that Traefik needs."""
    outside = [key for key in pairs(service.get("labels")) if key.lower().startswith("traefik.")]
    if outside:
        message = "Traefik reads labels of services, not of containers"
        yield Finding(("services", name, "labels", outside[0]), message, "Move them to deploy.labels.")
    made = objects(pairs((service.get("deploy") or {}).get("labels")))
    for protocol in ("http", "tcp", "udp"):
        routers = [item for item in made if (item.protocol, item.kind) == (protocol, "routers")]
        ported = [
            item for item in made if item.protocol == protocol and item.kind == "services" and PORT in item.options
        ]
        if routers and not ported:
            path = ("services", name, "deploy", "labels", routers[0].label)
            missing = f"traefik.{protocol}.services.{routers[0].name}.{PORT}"
            message = f"router {routers[0].name} has no port: Traefik ignores the whole service"
            yield Finding(path, message, f'{missing}: "PORT"')
