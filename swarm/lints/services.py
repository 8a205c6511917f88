"""What is wrong in one service alone: image, secrets in plain text, location of its data, updates."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from swarm.lints.finding import Finding, listed, pairs
from swarm.scheduler import constraints

OWN_TAG = re.compile(r"[0-9a-f]{12}")
SECRET_WORDS = {"PASSWORD", "PASSWD", "PASSPHRASE", "TOKEN", "SECRET", "KEY", "APIKEY", "CREDENTIAL", "CREDENTIALS"}
# PGPASSWORD, MYSQL_ROOTPASSWORD: names that run words together.
SECRET_ENDING = re.compile(r"(PASSWORD|PASSWD|SECRET|APIKEY)$")
HARMLESS_ENDINGS = {
    "FILE",
    "PATH",
    "DIR",
    "URL",
    "URI",
    "NAME",
    "ID",
    "TTL",
    "LENGTH",
    "SIZE",
    "LIMIT",
    "HEADER",
    "TYPE",
}
SWITCHES = {"true", "false", "yes", "no", "on", "off", ""}
SIGNED_IN = re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@", re.IGNORECASE)
# The same on every node.
SYSTEM = (
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/var/run",
    "/var/log",
    "/var/lib/docker",
    "/lib/modules",
    "/usr/share/zoneinfo",
)
SYSTEM_FILES = ("/", "/etc/localtime", "/etc/timezone", "/etc/hostname", "/etc/machine-id", "/etc/os-release")


def image(name: str, service: Mapping[str, Any]) -> Iterator[Finding]:
    """An image that means something else tomorrow."""
    given = str(service.get("image", ""))
    last = given.rpartition("/")[2]
    if not given or "@" in last:
        return
    _, tagged, tag = last.partition(":")
    if not tagged:
        message = f"image {given} has no tag, so each node may run a different version"
    elif OWN_TAG.fullmatch(tag) or (tag != "latest" and re.search(r"\d", tag)):
        return
    else:
        message = f"image {given}: the tag {tag} moves, so each node may run a different version"
    yield Finding(
        ("services", name, "image"), message, "Use a version tag or a digest: IMAGE:1.2.3 or IMAGE@sha256:..."
    )


def secrets(name: str, service: Mapping[str, Any]) -> Iterator[Finding]:
    """What everybody reads who may see the service; the message does not repeat it."""
    hint = "Make it a secret of the stack and have the service read /run/secrets/NAME (often KEY_FILE)."
    for key, value in pairs(service.get("environment")).items():
        path = ("services", name, "environment", key)
        if _is_secret(key, value):
            yield Finding(path, f"{key} contains a secret in plain text", hint)
        elif SIGNED_IN.search(value):
            yield Finding(path, f"{key} contains a user and password in its URL", hint)
    for section in ("command", "entrypoint"):
        if any(SIGNED_IN.search(word) for word in listed(service.get(section))):
            yield Finding(("services", name, section), f"{section} contains a user and password in a URL", hint)


def _is_secret(key: str, value: str) -> bool:
    parts = key.upper().split("_")
    if parts[-1] in HARMLESS_ENDINGS or "PUBLIC" in parts:
        return False
    if value.lower() in SWITCHES or value.startswith(("/run/secrets/", "{{")):
        return False
    return bool(SECRET_WORDS.intersection(parts) or SECRET_ENDING.search(key.upper()))


def data(name: str, service: Mapping[str, Any], volumes: Mapping[str, Any], shared: str) -> Iterator[Finding]:
    """A directory or volume of one node under tasks that may go to any; below `shared` all nodes see the same."""
    deploy = service.get("deploy") or {}
    placement = constraints.parse((deploy.get("placement") or {}).get("constraints") or ())
    if str(deploy.get("mode", "")).startswith("global") or any(item.pins for item in placement):
        return
    hint = (
        "deploy: {placement: {constraints: [node.labels.NAME == true]}}, with the label on the node that has the data."
    )
    for index, mount in enumerate(service.get("volumes") or ()):
        kind, source = _mount(mount)
        path = ("services", name, "volumes", index)
        if kind == "bind" and not _everywhere(source, shared):
            yield Finding(path, f"binds {source}, and its task may run on any node", hint)
        elif kind == "volume" and source and _local(volumes.get(source) or {}):
            yield Finding(path, f"volume {source} is local to each node, and its task may run on any node", hint)


def _mount(mount: Any) -> tuple[str, str]:
    if isinstance(mount, Mapping):
        return str(mount.get("type", "")), str(mount.get("source", ""))
    source, separator, _ = str(mount).partition(":")
    if not separator:
        return "volume", ""
    return ("bind" if source.startswith((".", "/", "~")) else "volume"), source


def _everywhere(source: str, shared: str) -> bool:
    below = (*SYSTEM, shared.rstrip("/")) if shared.rstrip("/") else SYSTEM
    return source in (*SYSTEM_FILES, *below) or source.startswith(tuple(f"{path}/" for path in below))


def _local(volume: Mapping[str, Any]) -> bool:
    return volume.get("driver", "local") == "local" and "device" not in (volume.get("driver_opts") or {})


def updates(name: str, service: Mapping[str, Any]) -> Iterator[Finding]:
    """A new task that waits for the port that the old one holds."""
    ports = [port for port in service.get("ports") or () if isinstance(port, Mapping)]
    taken = [str(port["published"]) for port in ports if port.get("mode") == "host" and port.get("published")]
    for section in ("update_config", "rollback_config") if taken else ():
        if ((service.get("deploy") or {}).get(section) or {}).get("order") == "start-first":
            path = ("services", name, "deploy", section, "order")
            message = f"start-first does not work with port {taken[0]} in host mode: the old task still uses it"
            yield Finding(path, message, f"{section}: {{order: stop-first}}")
