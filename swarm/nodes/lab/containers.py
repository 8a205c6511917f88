"""What the lab is made of, as the Engine API takes it: pure functions of the environment and of this machine."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from swarm.errors import NodeFailed
from swarm.settings.environment import Environment, Node

Spec = dict[str, Any]

LAB = "swarmstats.lab"
MADE_FROM = "swarmstats.made-from"
REGISTRY = "registry"
REGISTRY_HOST_NUMBER = 5
FIRST_NODE_HOST_NUMBER = 11
SOCKET = "docker.sock"
SOCKET_PATH_LIMIT = 107
STOP_SECONDS = 40
CGROUPS = "/sys/fs/cgroup"
FUSE = "/dev/fuse"


@dataclass(frozen=True)
class Operator:
    """The user that runs the lab: the directory of the nodes' sockets, and the group that may use them."""

    sockets: Path
    group: int


@dataclass(frozen=True)
class Container:
    """A container of the lab: `title` is how people call it, `config` what it is created from."""

    name: str
    title: str
    config: Spec

    @property
    def made_from(self) -> str:
        """The hash of its settings; the image is left out, it may be older than ours while the container runs."""
        return str(self.config["Labels"][MADE_FROM])

    @property
    def image(self) -> str:
        """The reference of its image."""
        return str(self.config["Image"])


def node(environment: Environment, node: Node, image: str, operator: Operator) -> Container:
    """A node: an engine in a container, its data on a volume of its own, the shared storage at the same path on all."""
    name = f"{environment.lab_name}-{node.name}"
    config: Spec = {
        "Image": image,
        "Hostname": node.name,
        "Env": _node_settings(environment, operator),
        "StopTimeout": STOP_SECONDS,
        "HostConfig": {
            "Binds": [
                f"{name}-docker:/var/lib/docker",
                f"{environment.lab_name}-data:{environment.storage.path}",
                f"{operator.sockets / node.name}:/run/swarmstats",
            ],
            "RestartPolicy": {"Name": "no"},
        },
        **_at(environment, address(environment, node)),
    }
    if node == first_manager(environment):
        _publish(config, 80, str(environment.file.lab.listen), environment.http_port)
    return Container(name, node.name, _signed(config, environment))


def registry(environment: Environment, image: str) -> Container | None:
    """The registry on this machine; none when the environment names a registry elsewhere."""
    port = registry_port(environment)
    if port is None:
        return None
    name = f"{environment.lab_name}-{REGISTRY}"
    config: Spec = {
        "Image": image,
        "Hostname": REGISTRY,
        "Env": [f"REGISTRY_PORT={port}"],
        "HostConfig": {"Binds": [f"{name}:/var/lib/registry"], "RestartPolicy": {"Name": "no"}},
        **_at(environment, _address(environment, REGISTRY_HOST_NUMBER)),
    }
    _publish(config, port, "127.0.0.1", port)
    return Container(name, REGISTRY, _signed(config, environment))


def granted(container: Container, *, privileged: bool, cgroups: str, fuse: bool) -> Container:
    """The container with the rights that an engine in it needs; `cgroups` is the version, "1" or "2"."""
    host = dict(container.config["HostConfig"])
    if privileged:
        host["Privileged"] = True
    else:
        # The same, piece by piece, for hosts that may not give CAP_SYS_RESOURCE away.
        host["CapAdd"], host["CapDrop"] = ["ALL"], ["SYS_RESOURCE"]
        host["SecurityOpt"] = ["seccomp=unconfined", "apparmor=unconfined"]
        host["MaskedPaths"], host["ReadonlyPaths"] = [], []
        host["Devices"] = [_device(FUSE)] if fuse else []
    if privileged and cgroups == "2":
        host["CgroupnsMode"] = "private"
    else:
        host["CgroupnsMode"] = "host"
        host["Binds"] = [*host["Binds"], f"{CGROUPS}:{CGROUPS}:rw"]
    return Container(container.name, container.title, {**container.config, "HostConfig": host})


def network(environment: Environment) -> Spec:
    """The lab's own network, as keyword arguments of the engine's create_network."""
    subnet = environment.file.lab.subnet
    return {
        "name": environment.lab_name,
        "driver": "bridge",
        "ipam": {"Driver": "default", "Config": [{"Subnet": str(subnet), "Gateway": str(subnet.network_address + 1)}]},
        "labels": label(environment),
        "check_duplicate": True,
    }


def check_network(environment: Environment, existing: Spec) -> None:
    """Raise NodeFailed when a network that exists, as the engine lists it, is in the way of the lab's own."""
    subnets = [
        IPv4Network(item["Subnet"]) for item in existing["IPAM"]["Config"] or () if "." in item.get("Subnet", "")
    ]
    ours = (existing["Labels"] or {}).get(LAB) == environment.lab_name
    wanted = environment.file.lab.subnet
    if ours and wanted not in subnets:
        raise NodeFailed(
            f"The lab's network has {', '.join(map(str, subnets))}, lab.subnet is {wanted} now.",
            hint="Addresses cannot change: run ./run swarm.clean first, or restore the former lab.subnet.",
        )
    if not ours and existing["Name"] == environment.lab_name:
        raise NodeFailed(
            f"Network {environment.lab_name} exists but was not created by a lab.",
            hint=f"Remove it: docker network rm {environment.lab_name}",
        )
    if not ours and any(subnet.overlaps(wanted) for subnet in subnets):
        raise NodeFailed(
            f"The network {existing['Name']} overlaps lab.subnet {wanted}.",
            hint=f"Set another lab.subnet in env/{environment.name}/env.yaml.",
        )


def volumes(containers: Sequence[Container]) -> list[str]:
    """The named volumes that containers use, each once."""
    sources = [bind.split(":")[0] for container in containers for bind in container.config["HostConfig"]["Binds"]]
    return sorted({source for source in sources if not source.startswith("/")})


def label(environment: Environment) -> dict[str, str]:
    """The label by which everything of a lab is found again."""
    return {LAB: environment.lab_name}


def address(environment: Environment, node: Node) -> str:
    """A node's fixed address on the lab's network, by its place in env.yaml."""
    return _address(environment, FIRST_NODE_HOST_NUMBER + environment.nodes.index(node))


def first_manager(environment: Environment) -> Node:
    """The manager that makes the swarm and publishes its web port."""
    return next(node for node in environment.nodes if node.role == "manager")


def registry_port(environment: Environment) -> int | None:
    """The port of the registry on this machine; None when the environment names one elsewhere."""
    host, _, port = environment.registry.partition("/")[0].partition(":")
    return int(port or 80) if host in ("127.0.0.1", "localhost") else None


def socket(operator: Operator, node: Node) -> Path:
    """The API socket of a node's engine on this machine; raises NodeFailed when Linux could not use its path."""
    path = operator.sockets / node.name / SOCKET
    if len(str(path).encode()) > SOCKET_PATH_LIMIT:
        raise NodeFailed(
            f"{path} exceeds the {SOCKET_PATH_LIMIT} bytes allowed for a Unix socket path.",
            hint="Set XDG_STATE_HOME to a shorter path.",
        )
    return path


def _node_settings(environment: Environment, operator: Operator) -> list[str]:
    settings = [f"NODE_POOL={environment.file.lab.pool}", f"SOCKET_GROUP={operator.group}"]
    if port := registry_port(environment):
        settings += [f"REGISTRY_HOST={_address(environment, REGISTRY_HOST_NUMBER)}", f"REGISTRY_PORT={port}"]
    return settings


def _at(environment: Environment, place: str) -> Spec:
    endpoint = {"IPAMConfig": {"IPv4Address": place}}
    return {"NetworkingConfig": {"EndpointsConfig": {environment.lab_name: endpoint}}}


def _publish(config: Spec, inside: int, listen: str, outside: int) -> None:
    config["ExposedPorts"] = {f"{inside}/tcp": {}}
    config["HostConfig"]["PortBindings"] = {f"{inside}/tcp": [{"HostIp": listen, "HostPort": str(outside)}]}


def _signed(config: Spec, environment: Environment) -> Spec:
    settings = {key: value for key, value in config.items() if key != "Image"}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]
    return {**config, "Labels": {**label(environment), MADE_FROM: digest}}


def _device(path: str) -> Spec:
    return {"PathOnHost": path, "PathInContainer": path, "CgroupPermissions": "rwm"}


def _address(environment: Environment, number: int) -> str:
    subnet = environment.file.lab.subnet
    place: IPv4Address = subnet.network_address + number
    if place not in subnet or place == subnet.broadcast_address:
        raise NodeFailed(
            f"lab.subnet {subnet} is too small for {len(environment.nodes)} nodes.",
            hint=f"Set a larger lab.subnet in env/{environment.name}/env.yaml.",
        )
    return str(place)
