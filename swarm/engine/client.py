"""One Docker engine: its connection, and the objects behind it."""

import socket
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import docker

from swarm.engine import contexts, images, retry, timestamps
from swarm.engine.configs import Configs, Secrets
from swarm.engine.containers import Containers, Volumes
from swarm.engine.images import Images
from swarm.engine.logs import Logs
from swarm.engine.networks import Networks
from swarm.engine.nodes import Nodes, SwarmMembership
from swarm.engine.refusals import REFUSALS
from swarm.engine.services import Services, Tasks
from swarm.engine.wire import Spec
from swarm.errors import EngineUnavailable

UNIX = "unix://"


@dataclass(frozen=True)
class Engine:
    """An engine at `host` (unix:///..., tcp://..., ssh://...), of a docker `context`, or this machine's own.

    `timeout` is the time for one answer, in seconds; `patience` for how many seconds a request is repeated while the
    engine does not answer or has no leader to ask, with `pause` seconds between.
    """

    host: str | None = None
    context: str | None = None
    client: tuple[str, ...] = ("docker",)
    timeout: int = 30
    patience: float = 0.0
    pause: float = retry.PAUSE_SECONDS

    @cached_property
    def _sdk(self) -> docker.DockerClient:
        """The SDK's client, closed once it is no longer referenced; raises EngineUnavailable when nothing answers."""
        client = retry.until_accepted(self._connect, self.patience, (EngineUnavailable,), self.pause)
        weakref.finalize(client, client.api.close)
        retry.mount_retries(client.api, self.patience, self.pause)
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
    def services(self) -> Services:
        """The services of the swarm."""
        return Services(self._sdk)

    @property
    def tasks(self) -> Tasks:
        """The tasks of the swarm."""
        return Tasks(self._sdk)

    @property
    def configs(self) -> Configs:
        """The configs of the swarm."""
        return Configs(self._sdk)

    @property
    def secrets(self) -> Secrets:
        """The secrets of the swarm."""
        return Secrets(self._sdk)

    @property
    def networks(self) -> Networks:
        """The networks of the swarm and of this engine."""
        return Networks(self._sdk)

    @property
    def nodes(self) -> Nodes:
        """The nodes of the swarm."""
        return Nodes(self._sdk)

    @property
    def swarm(self) -> SwarmMembership:
        """This engine's part in a swarm."""
        return SwarmMembership(self._sdk)

    @property
    def logs(self) -> Logs:
        """The logs of services and tasks."""
        return Logs(self._sdk, self.timeout)

    @property
    def containers(self) -> Containers:
        """The containers of this engine."""
        return Containers(self._sdk)

    @property
    def volumes(self) -> Volumes:
        """The volumes of this engine."""
        return Volumes(self._sdk)

    @property
    def images(self) -> Images:
        """The images of this engine and of registries."""
        return Images(self._sdk)

    @property
    def place(self) -> str:
        """Where the engine is, for people."""
        return self.host or (f"docker context {self.context}" if self.context else "this machine")

    @property
    def argv(self) -> tuple[str, ...]:
        """The words that begin a docker command on this engine."""
        if self.context:
            return (*self.client, "--context", self.context)
        return (*self.client, "--host", self.host) if self.host else self.client

    def ping(self) -> None:
        """Ask for a sign of life; raises EngineUnavailable or one of REFUSALS."""
        self._sdk.ping()

    def answers(self) -> bool:
        """Whether the engine answers."""
        try:
            self.ping()
        except (EngineUnavailable, *REFUSALS):
            return False
        return True

    def is_manager(self) -> bool:
        """Whether it is a manager of a swarm; engines older than API 1.42 do not say so in a ping."""
        answer = self._sdk.api.get(f"{self._sdk.api.base_url}/_ping", timeout=self.timeout)
        answer.raise_for_status()
        role = answer.headers.get("Swarm")
        return role == "active/manager" if role else bool(self.info()["Swarm"]["ControlAvailable"])

    def with_client(self, client: tuple[str, ...], patience: float = 0.0) -> "Engine":
        """The same engine on the same connection, with another docker client, and patience for so many seconds."""
        engine = replace(self, client=client, patience=patience)
        vars(engine)["_sdk"] = self._sdk
        retry.mount_retries(self._sdk.api, patience)
        return engine

    def with_own_connection(self) -> "Engine":
        """The same engine with a connection of its own, for another thread."""
        return replace(self)

    def version(self) -> str:
        """The engine's version, e.g. 26.1.5."""
        return str(self._sdk.version()["Version"])

    @property
    def api_version(self) -> str:
        """The version of the API that is spoken with this engine, e.g. 1.45."""
        return str(self._sdk.api.api_version)

    def info(self) -> Spec:
        """The answer of `docker info`."""
        return dict(self._sdk.info())

    def now(self) -> datetime:
        """The engine's own clock, UTC."""
        return timestamps.parse(self.info()["SystemTime"])

    def build(self, directory: Path, tag: str, arguments: Mapping[str, str], secrets: Sequence[str]) -> None:
        """Build an image through the docker client's buildx; raises ImageFailed."""
        images.build(self.host, self.context, self.client, directory, tag, arguments, secrets)


def _accepts(path: str) -> bool:
    """Whether a process listens on a unix socket; the SDK would leak its own socket where none does."""
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
