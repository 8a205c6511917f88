"""A swarm whose services use secrets, and what is in their files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from swarm.engine.client import Engine
from swarm.engine.wire import NAMESPACE
from swarm.secrets import inventory
from swarm.secrets.inventory import Row
from swarm.settings import secrets
from swarm.settings.environment import Environment
from swarm.settings.secrets import Secret
from swarm.stacks import manifest, versions

READER = "ro-user-password"
SERVICES = {
    "admin_portal": [READER], "admin_traefik": ["traefik-users"], "app_nginx": [],
    "db_bootstrap": [
        "postgres-password", "replication-password", "rewind-password", "gha-admin-password", READER,
        "devstats-team-password",
    ],
    "db_haproxy": [], "db_postgres": ["postgres-password"], "db_patroni1": ["patroni-password"],
}  # fmt: skip
# What is given by hand is needed only where a setting asks for it.
MADE = {name: how for name, how in manifest.declarations().items() if how.generate or how.htpasswd}


@dataclass(frozen=True)
class Swarm(Engine):
    """A swarm that runs services with secrets as the files were when it was made."""

    uses: dict[str, list[str]] = field(default_factory=dict)
    there: list[str] = field(default_factory=list)

    def _list_services(self, stack: str | None = None) -> list[dict[str, Any]]:
        return [
            {
                "ID": name,
                "Spec": {
                    "Name": name,
                    "Labels": {NAMESPACE: name.partition("_")[0]},
                    "Mode": {"ReplicatedJob": {}} if name == "db_bootstrap" else {"Replicated": {"Replicas": 1}},
                    "TaskTemplate": {"ContainerSpec": {"Image": "x", "Secrets": [_mounted(used) for used in sealed]}},
                },
            }
            for name, sealed in self.uses.items()
        ]

    def _list_nodes(self) -> list[dict[str, Any]]:
        return []

    def _list_tasks(self, stack: str | None = None) -> list[dict[str, Any]]:
        return []

    def _list_secrets(self) -> list[dict[str, Any]]:
        return [
            {
                "ID": name,
                "CreatedAt": str(place),
                "Spec": {"Name": name, "Labels": {versions.LABEL: name.split("_")[0]}},
            }
            for place, name in enumerate(self.there)
        ]

    @property
    def services(self) -> Any:
        return SimpleNamespace(list=self._list_services)

    @property
    def nodes(self) -> Any:
        return SimpleNamespace(list=self._list_nodes)

    @property
    def tasks(self) -> Any:
        return SimpleNamespace(list=self._list_tasks)

    @property
    def secrets(self) -> Any:
        return SimpleNamespace(list=self._list_secrets)


def _mounted(version: str) -> dict[str, Any]:
    return {"SecretName": version, "File": {"Name": version.rpartition("_")[0]}}


@cache
def generated() -> dict[str, str]:
    """Content of all secrets that can be made, by their names; made once, because hashes are slow on purpose."""
    with TemporaryDirectory() as folder:
        return {name: secrets.get(Path(folder), name, MADE).reveal() for name in sorted(MADE)}


def swarm(environment: Environment, services: Sequence[str] = tuple(SERVICES)) -> Swarm:
    """What a deploy of the files as they are leaves; files that are not there are written first."""
    folder = environment.secrets
    names = {}
    for key, made in generated().items():
        file = secrets.file(folder, key)
        if not file.exists():
            secrets.write(folder, key, Secret(made))
        names[key] = versions.secret(file, key, secrets.get(folder, key, MADE)).name
    uses = {name: [names[key] for key in SERVICES[name]] for name in services}
    return Swarm(uses=uses, there=sorted({name for used in uses.values() for name in used}))


def content(environment: Environment, name: str) -> str:
    found = secrets.read(secrets.file(environment.secrets, name))
    assert found
    return found.reveal()


def row(environment: Environment, engine: Engine | None, name: str) -> Row:
    return next(item for item in inventory.rows(environment, engine) if item.name == name)


def leftovers(environment: Environment) -> list[str]:
    return [path.name for path in environment.secrets.iterdir() if path.name.startswith(".")]
