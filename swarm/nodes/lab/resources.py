"""What belongs to one lab on this machine's own engine: found by label, brought up, waited for, removed."""

import http.client
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from swarm.engine.client import Engine
from swarm.errors import NodeFailed
from swarm.nodes.lab import containers
from swarm.nodes.lab.containers import Container, Operator
from swarm.settings.environment import Environment, Node
from swarm.wait import until

# Removing volumes of many gigabytes takes its time.
ENGINE_SECONDS = 300
ANSWER_SECONDS = 60.0
GONE_SECONDS = 30.0
LOG_LINES = 8
DOWN = ("created", "exited", "dead", "removing")

Summary = dict[str, Any]


class Need(Enum):
    """What it takes to make a container run; one that cannot be started is made."""

    NOTHING = auto()
    UNPAUSE = auto()
    START = auto()
    MAKE = auto()


@dataclass(frozen=True)
class LabResources:
    """One lab's share of this machine: its environment, its operator, the engine that holds its containers."""

    environment: Environment
    operator: Operator
    engine: Engine

    @classmethod
    def of(cls, environment: Environment) -> "LabResources":
        """The site of an environment's lab; sockets lie in the operator's state directory."""
        state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
        operator = Operator(state / "swarmstats" / environment.lab_name, os.getgid())
        return cls(environment, operator, Engine(timeout=ENGINE_SECONDS))

    def containers(self) -> dict[str, Summary]:
        """All containers of the lab by name, running or not."""
        listed = self.engine.containers.list(self._ours)
        return {item["Names"][0].lstrip("/"): item for item in listed}

    def networks(self) -> list[str]:
        """The names of the lab's networks."""
        return [network["Name"] for network in self.engine.networks.local(self._ours)]

    def volumes(self) -> list[str]:
        """The names of the lab's volumes."""
        return sorted(volume["Name"] for volume in self.engine.volumes.list(self._ours))

    def holdings(self) -> tuple[str, ...]:
        """The names of everything that the lab has."""
        return (*sorted(self.containers()), *self.networks(), *self.volumes())

    def node_engine(self, node: Node) -> Engine:
        """The engine inside a node, whether it answers or not."""
        return Engine(host=f"unix://{containers.socket(self.operator, node)}")

    def prepare(self, plan: Sequence[Container]) -> None:
        """Make what must be there before any container: network, volumes, the directories of the sockets."""
        if not self.networks():
            self.engine.networks.create_local(**containers.network(self.environment))
        for name in self._absent_volumes(plan):
            self.engine.volumes.create(name, containers.label(self.environment))
        for node in self.environment.nodes:
            (self.operator.sockets / node.name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def missing(self, plan: Sequence[Container]) -> list[str]:
        """The network and the volumes that `prepare` would make."""
        network = [] if self.networks() else [f"network {self.environment.lab_name}"]
        return [*network, *(f"volume {name}" for name in self._absent_volumes(plan))]

    def _absent_volumes(self, plan: Sequence[Container]) -> list[str]:
        there = self.volumes()
        return [name for name in containers.volumes(plan) if name not in there]

    @staticmethod
    def needs(container: Container, item: Summary | None) -> "Need":
        """What it takes to make a container run."""
        state = item["State"] if item else ""
        if state == "running":
            return Need.NOTHING
        if state == "paused":
            return Need.UNPAUSE
        good = item and state in ("created", "exited") and _still_good(item, container)
        return Need.START if good else Need.MAKE

    def run(self, container: Container, item: Summary | None, rights: "Rights") -> str:
        """Make a container run; returns what had to be done: nothing, `started` or `made`."""
        need = self.needs(container, item)
        if need is Need.NOTHING:
            return ""
        if need is Need.UNPAUSE:
            self.engine.containers.unpause(container.name)
            return "started"
        if need is Need.START and self.engine.containers.start_if_possible(container.name):
            return "started"
        if item:
            self.discard(item["Id"])
        # An engine that was killed can remember an endpoint whose container it forgot.
        self.engine.networks.disconnect(self.environment.lab_name, container.name)
        self.engine.containers.create(rights.given_to(container).config, container.name)
        self.engine.containers.start(container.name)
        return "made"

    def wait(self, title: str) -> None:
        """Wait until a node or the registry serves; raises NodeFailed with its last lines when it does not."""
        name, answers = f"{self.environment.lab_name}-{title}", self._question(title)

        def settled() -> bool:
            return answers() or not self.engine.containers.state(name)["Running"]

        if until(settled, ANSWER_SECONDS) and answers():
            return
        said = "\n  ".join(self.engine.containers.last_lines(name, LOG_LINES))
        raise NodeFailed(f"{title} does not answer. Its last lines:\n  {said}", hint=f"Full log: docker logs {name}")

    def discard(self, name: str) -> None:
        """Remove a container and wait until it is gone."""
        self.engine.containers.remove(name)
        until(lambda: not self.engine.containers.exists(name), GONE_SECONDS)

    def remove_network(self, name: str) -> None:
        """Remove a network, with endpoints that a killed engine left in it."""
        self.engine.networks.remove_local(name)

    def remove_volume(self, name: str) -> None:
        """Remove a volume with all that is in it."""
        self.engine.volumes.remove(name)

    @property
    def _ours(self) -> str:
        return f"{containers.LAB}={self.environment.lab_name}"

    def _question(self, title: str) -> Callable[[], bool]:
        for node in self.environment.nodes:
            if node.name == title:
                return self.node_engine(node).answers
        return partial(_registry_answers, containers.registry_port(self.environment) or 0)


class Rights:
    """What nodes may be given on this machine: everything, or all that this host itself has."""

    def __init__(self, site: LabResources, image: str) -> None:
        self._site, self._image = site, image
        self._lock = Lock()
        self._privileged: bool | None = None

    def given_to(self, container: Container) -> Container:
        """The container with the rights of a node; a registry needs none."""
        if container.title == containers.REGISTRY:
            return container
        with self._lock:
            if self._privileged is None:
                self._privileged = self._may_be_privileged()
        return containers.granted(
            container,
            privileged=self._privileged,
            cgroups=str(self._site.engine.info().get("CgroupVersion", "1")),
            fuse=Path(containers.FUSE).exists(),
        )

    def _may_be_privileged(self) -> bool:
        """Found out by trying: a host without CAP_SYS_RESOURCE refuses."""
        engine = self._site.engine
        probe = engine.containers.create(
            {
                "Image": self._image,
                "Entrypoint": ["true"],
                "Labels": containers.label(self._site.environment),
                "HostConfig": {"Privileged": True, "Tmpfs": {"/var/lib/docker": ""}},
            }
        )
        try:
            return engine.containers.start_if_possible(probe)
        finally:
            self._site.discard(probe)


def _still_good(item: Summary, container: Container) -> bool:
    return bool(item["Labels"].get(containers.MADE_FROM) == container.made_from and item["Image"] == container.image)


def _registry_answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/v2/")
        return bool(connection.getresponse().status == http.client.OK)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
