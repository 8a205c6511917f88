"""Configs and secrets are immutable in Swarm: each content has a name of its own."""

import hashlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from swarm.errors import StackInvalid
from swarm.settings.hash_cache import cached
from swarm.settings.secrets import Secret

NAME_LENGTH_LIMIT = 64
HASH_DIGITS = 10
LABEL = "swarmstats.version-of"


@dataclass(frozen=True)
class ConfigVersion:
    """One content of a config: `name` in the swarm, `key` in the stack file."""

    key: str
    name: str
    content: bytes


@dataclass(frozen=True)
class SecretVersion:
    """One content of a secret: `name` in the swarm, `key` in the stack file."""

    key: str
    name: str
    secret: Secret


def config(stack: str, key: str, content: str) -> ConfigVersion:
    """Name a config after its stack, key and content."""
    digest = hashlib.sha256(content.encode()).hexdigest()[:HASH_DIGITS]
    return ConfigVersion(key, fitting(f"{stack}_{key}_{digest}"), content.encode())


def secret(file: Path, key: str, content: Secret) -> SecretVersion:
    """Name a secret after its key and content, which is that of `file`; shared by all stacks that use it."""
    return SecretVersion(key, fitting(f"{key}_{_slow_digest(file, key, content)}"), content)


def secret_name(key: str, content: Secret) -> str:
    """The name of the version that has this content, whatever file it comes from."""
    return fitting(f"{key}_{_scrypt(key, content)}")


def versions_of(secrets: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Key -> names of its versions in the swarm, oldest first, from raw secrets."""
    found: dict[str, list[str]] = {}
    for item in sorted(secrets, key=lambda item: str(item["CreatedAt"])):
        if key := (item["Spec"].get("Labels") or {}).get(LABEL):
            found.setdefault(str(key), []).append(str(item["Spec"]["Name"]))
    return found


def fitting(name: str) -> str:
    """The name, if Swarm takes one so long; raises StackInvalid."""
    if len(name) > NAME_LENGTH_LIMIT:
        raise StackInvalid(
            f"The name {name} has {len(name)} characters; Swarm allows {NAME_LENGTH_LIMIT}.",
            hint="Shorten the project, the stack or the key.",
        )
    return name


@lru_cache(maxsize=1024)
def _slow_digest(file: Path, key: str, content: Secret) -> str:
    """The digest of a secret's content, remembered from one run to the next while its file does not change."""
    return cached(f"scrypt of {key}", (file,), partial(_scrypt, key, content))


@lru_cache(maxsize=1024)
def _scrypt(key: str, content: Secret) -> str:
    """Names are public: a slow hash keeps them from giving away a weak password."""
    raw = hashlib.scrypt(content.reveal().encode(), salt=key.encode(), n=2**14, r=8, p=1, dklen=16)
    return raw.hex()[:HASH_DIGITS]


def unused(
    objects: Iterable[Mapping[str, Any]], services: Iterable[Mapping[str, Any]], needed: Container[str]
) -> list[str]:
    """Ids of our configs or secrets that no service refers to and no release needs (`needed` holds their names)."""
    used = {reference for service in services for reference in _references(service)}
    return [
        str(item["ID"])
        for item in objects
        if LABEL in (item["Spec"].get("Labels") or {}) and item["ID"] not in used and item["Spec"]["Name"] not in needed
    ]


def _references(service: Mapping[str, Any]) -> Iterable[str]:
    for specification in (service.get("Spec"), service.get("PreviousSpec")):
        container = ((specification or {}).get("TaskTemplate") or {}).get("ContainerSpec") or {}
        yield from (item["ConfigID"] for item in container.get("Configs") or ())
        yield from (item["SecretID"] for item in container.get("Secrets") or ())
