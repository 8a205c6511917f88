"""One Docker engine: its API through the docker SDK, `stack deploy` through the docker client."""

import http
import json
import socket
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import docker
import docker.errors
import requests.exceptions
from python_on_whales import DockerClient

from swarm import contexts
from swarm.errors import CommandFailed, EngineUnavailable, StackInvalid
from swarm.shell import Shell

Spec = dict[str, Any]
UNIX = "unix://"
NAMESPACE = "com.docker.stack.namespace"
REFUSALS = (docker.errors.DockerException, requests.exceptions.RequestException)


@dataclass(frozen=True)
class Engine:
    """An engine at `host` (unix:///..., tcp://..., ssh://...), of a docker `context`, or this machine's own."""

    host: str | None = None
    context: str | None = None
    client: tuple[str, ...] = ("docker",)
    timeout: int = 30

    @cached_property
    def api(self) -> docker.DockerClient:
        """The SDK's client, closed with the engine; raises EngineUnavailable when nothing answers."""
        client = self._connect()
        weakref.finalize(self, client.close)
        return client

    def _connect(self) -> docker.DockerClient:
        if self.host and self.host.startswith(UNIX) and not _accepts(self.host.removeprefix(UNIX)):
            raise EngineUnavailable(f"No Docker engine answers at {self.place}.")
        try:
            if self.context:
                return _of_context(self.context, self.timeout)
            if self.host:
                ssh = self.host.startswith("ssh://")
                return docker.DockerClient(base_url=self.host, timeout=self.timeout, use_ssh_client=ssh)
            return docker.from_env(timeout=self.timeout)
        except REFUSALS as error:
            raise EngineUnavailable(f"No Docker engine answers at {self.place}: {error}") from error

    @property
    def place(self) -> str:
        """Where the engine is, for people."""
        return self.host or (f"docker context {self.context}" if self.context else "this machine")

    @cached_property
    def cli(self) -> DockerClient:
        """The docker client, for what has no API of its own."""
        return DockerClient(host=self.host, context=self.context, client_call=list(self.client))

    @property
    def argv(self) -> tuple[str, ...]:
        """The words that begin a docker command on this engine."""
        if self.context:
            return (*self.client, "--context", self.context)
        return (*self.client, "--host", self.host) if self.host else self.client

    def answers(self) -> bool:
        """Whether the engine is there."""
        try:
            return bool(self.api.ping())
        except (EngineUnavailable, *REFUSALS):
            return False

    def version(self) -> str:
        """The engine's version, e.g. 26.1.5."""
        return str(self.api.version()["Version"])

    def info(self) -> Spec:
        """What `docker info` knows."""
        return dict(self.api.info())

    def nodes(self) -> list[Spec]:
        """All nodes of the swarm, raw."""
        return [dict(node.attrs) for node in self.api.nodes.list()]

    def services(self, stack: str | None = None) -> list[Spec]:
        """Services, of one stack or all, with ServiceStatus (running and desired tasks)."""
        filters = {"label": f"{NAMESPACE}={stack}"} if stack else None
        return [dict(service) for service in self.api.api.services(filters=filters, status=True)]

    def tasks(self, stack: str | None = None) -> list[Spec]:
        """Tasks, of one stack or all, raw."""
        filters = {"label": f"{NAMESPACE}={stack}"} if stack else None
        return [dict(task) for task in self.api.api.tasks(filters=filters)]

    def networks(self, stack: str | None = None) -> list[Spec]:
        """Swarm networks, of one stack or all, raw."""
        filters: Spec = {"scope": "swarm"}
        if stack:
            filters["label"] = f"{NAMESPACE}={stack}"
        return [dict(network) for network in self.api.api.networks(filters=filters)]

    def configs(self) -> list[Spec]:
        """All configs, raw."""
        return [dict(config.attrs) for config in self.api.configs.list()]

    def secrets(self) -> list[Spec]:
        """All secrets, raw; the engine never gives their content."""
        return [dict(secret.attrs) for secret in self.api.secrets.list()]

    def create_config(self, name: str, content: bytes, labels: Mapping[str, str]) -> None:
        """Create a config."""
        self.api.configs.create(name=name, data=content, labels=dict(labels))

    def config(self, name: str) -> Spec | None:
        """One config by its exact name, raw, or None."""
        found = self.api.api.configs(filters={"name": name})
        return next((dict(item) for item in found if item["Spec"]["Name"] == name), None)

    def claim_config(self, name: str, labels: Mapping[str, str]) -> str | None:
        """Create an empty config and return its id, or None when the name exists: the managers let only one through."""
        try:
            return str(self.api.configs.create(name=name, data=b" ", labels=dict(labels)).id)
        except docker.errors.APIError as error:
            if error.status_code == http.HTTPStatus.CONFLICT:
                return None
            raise

    def touch_config(self, identity: str) -> None:
        """Write a config's own labels again, which moves its UpdatedAt; the SDK has no call for it."""
        found = self.api.api.inspect_config(identity)
        answer = self.api.api.post(
            f"{self.api.api.base_url}/configs/{identity}/update",
            params={"version": found["Version"]["Index"]},
            json=found["Spec"],
        )
        answer.raise_for_status()

    def now(self) -> datetime:
        """The engine's own clock, UTC."""
        return self.moment(self.info()["SystemTime"])

    @staticmethod
    def moment(text: str) -> datetime:
        """A time as Docker writes it, with nanoseconds, as a datetime."""
        whole, _, fraction = text.rstrip("Z").partition(".")
        return datetime.fromisoformat(f"{whole}.{(fraction or '0')[:6].ljust(6, '0')}").replace(tzinfo=UTC)

    def again(self) -> "Engine":
        """The same engine with a connection of its own, for another thread."""
        return replace(self)

    def create_secret(self, name: str, content: bytes, labels: Mapping[str, str]) -> None:
        """Create a secret; the content goes over the API only."""
        self.api.secrets.create(name=name, data=content, labels=dict(labels))

    def discard(self, kind: str, identity: str) -> bool:
        """Remove a config or secret (`kind` is its plural); False when it is in use, gone, or the engine is."""
        try:
            getattr(self.api, kind).get(identity).remove()
        except REFUSALS:
            return False
        return True

    def deploy_stack(self, name: str, document: Mapping[str, Any], shell: Shell) -> None:
        """Hand a stack to `docker stack deploy`; returns at once, tasks follow."""
        words = ("--compose-file", "-", "--prune", "--resolve-image", "never", "--with-registry-auth", name)
        try:
            shell.run((*self.argv, "stack", "deploy", *words), stdin=json.dumps(document))
        except CommandFailed as error:
            raise StackInvalid(f"{name}: Docker refuses the stack: {error.message}") from error

    def remove_stack(self, name: str, shell: Shell) -> None:
        """Ask for a stack's removal; returns at once."""
        shell.run((*self.argv, "stack", "rm", name))

    def logs(self, service: str, *, tail: int = 20) -> list[str]:
        """The last lines that a service's tasks wrote, oldest first."""
        try:
            stream = self.api.services.get(service).logs(stdout=True, stderr=True, tail=tail)
            text = b"".join(stream)
        except REFUSALS:
            return []
        return text.decode(errors="replace").splitlines()[-tail:]


def _accepts(path: str) -> bool:
    """Whether somebody listens on a unix socket; the SDK would leak its own socket where nobody does."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


def _of_context(name: str, timeout: int) -> docker.DockerClient:
    found = contexts.find(name)
    ssh = found.host.startswith("ssh://")
    return docker.DockerClient(base_url=found.host, tls=found.tls or False, timeout=timeout, use_ssh_client=ssh)
