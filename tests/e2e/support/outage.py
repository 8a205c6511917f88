"""What befalls a node of a lab and how it ends: its power is lost, or its network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from swarm.errors import EngineUnavailable
from swarm.nodes import manager
from tests.e2e.conftest import Platform
from tests.e2e.support import machine

# Every packet vanishes in both directions: nothing answers, nothing is refused. Within the node all goes on.
WALLS = (("PREROUTING", "-i"), ("POSTROUTING", "-o"))


@dataclass(frozen=True)
class Machine:
    """A node, seen from the engine whose container it is."""

    platform: Platform
    name: str

    @property
    def container(self) -> Any:
        """Its container."""
        return machine.engine().containers.get(f"{self.platform.environment.lab_name}-{self.name}")

    @property
    def manages(self) -> bool:
        """Whether it is a manager of the swarm."""
        return any(node.name == self.name and node.role == "manager" for node in self.platform.environment.nodes)

    def lose_power(self) -> None:
        """End all processes on it at once."""
        self.container.kill("SIGKILL")

    def get_power(self) -> None:
        """Start it again; its disk is as it was."""
        self.container.start()

    def cut_off(self) -> None:
        """Let no packet in or out."""
        self._walls("-I")

    def join_again(self) -> None:
        """Let packets through again."""
        self._walls("-D")

    def run(self, script: str) -> None:
        """Run a shell script on it."""
        code, output = self.container.exec_run(["sh", "-c", script])
        assert code == 0, f"{script}: {output.decode()}"

    def _walls(self, action: str) -> None:
        for chain, direction in WALLS:
            self.run(f"iptables -w -t mangle {action} {chain} {direction} eth0 -j DROP")


@contextmanager
def repaired(node: Machine) -> Iterator[Machine]:
    """Whatever a block did to a node is undone after it when the block fails."""
    try:
        yield node
    except BaseException:
        node.get_power()
        node.container.exec_run(["iptables", "-w", "-t", "mangle", "-F"])
        raise


def of_member(platform: Platform, member: str) -> Machine:
    """The node whose label keeps a member of the database."""
    number = member.removeprefix("patroni")
    found = next(node for node in platform.environment.nodes if node.labels.get("patroni") == number)
    return Machine(platform, found.name)


def containers(platform: Platform, service: str) -> list[tuple[Any, str]]:
    """All running containers of a service: (client of the node's engine, container id)."""
    found = []
    for node in platform.environment.nodes:
        try:
            client = manager.engine(platform.environment, node)._sdk
        except EngineUnavailable:
            continue
        label = f"com.docker.swarm.service.name={service}"
        found += [(client, str(item.id)) for item in client.containers.list(filters={"label": label})]
    return found


def lose_with_volume(platform: Platform, service: str, volume: str, folder: str) -> None:
    """Remove what a container has on its volume under the running program, and kill it before it can notice."""
    _instead(platform, service, f"rm -rf {_place(volume)}/{folder}", "true")


def put_small_disk(platform: Platform, service: str, volume: str, megabytes: int) -> None:
    """Let a service lose its container and its volume, and find a small empty disk in its place."""
    _instead(platform, service, f"mount -t tmpfs -o size={megabytes}m,mode=755 small {_place(volume)}", "true")


def put_former_disk(platform: Platform, service: str, volume: str) -> None:
    """Kill the service's container and let it find its former volume again."""
    _instead(platform, service, "true", f"umount --lazy {_place(volume)}")


def fill(platform: Platform, service: str, volume: str) -> None:
    """Write to the disk of a volume until nothing goes on it any more, again and again, until there is `make_room`."""
    place = _place(volume)
    again = f"while [ -e {place}/filling ]; do dd if=/dev/zero bs=1M >>{place}/ballast 2>/dev/null; sleep 0.5; done"
    script = f"touch {place}/filling; {again}; rm {place}/ballast"
    where(platform, service).container.exec_run(["sh", "-c", script], detach=True)


def make_room(platform: Platform, service: str, volume: str) -> None:
    """Stop filling it, and remove what filled it."""
    place = _place(volume)
    where(platform, service).run(f"rm {place}/filling && while [ -e {place}/ballast ]; do sleep 0.2; done")


def where(platform: Platform, service: str) -> Machine:
    """The node on which the only task of a service runs."""
    return _one(platform, service)[1]


def _instead(platform: Platform, service: str, before: str, after: str) -> None:
    """Something, the end of the service's container, and something else, before the swarm starts another one."""
    identity, machine = _one(platform, service)
    machine.run(f"{before} && docker kill -s KILL {identity} && {after}")


def _one(platform: Platform, service: str) -> tuple[str, Machine]:
    for node in platform.environment.nodes:
        client = manager.engine(platform.environment, node)._sdk
        found = client.containers.list(filters={"label": f"com.docker.swarm.service.name={service}"})
        if found:
            return str(found[0].id), Machine(platform, node.name)
    raise AssertionError(f"{service} runs nowhere")


def _place(volume: str) -> str:
    return f"/var/lib/docker/volumes/{volume}/_data"
