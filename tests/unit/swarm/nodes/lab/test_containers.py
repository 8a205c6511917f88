from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from swarm.errors import NodeFailed
from swarm.nodes.lab import containers
from swarm.nodes.lab.containers import Operator
from swarm.settings.environment import Environment

Make = Callable[..., Environment]

OPERATOR = Operator(Path("/home/ada/state/swarmstats"), 1000)
ENV = """
domain: example.test
registry: {registry}
driver: lab
lab: {{subnet: {subnet}, http_port: {port}}}
nodes:
  - {{name: node-1, role: manager}}
  - {{name: node-2, role: worker}}
"""


def env(registry: str = "127.0.0.1:5000/swarmstats", subnet: str = "10.210.0.0/24", port: int = 8080) -> str:
    return ENV.format(registry=registry, subnet=subnet, port=port)


def test_a_worker_is_one_whole_specification(make: Make) -> None:
    environment = make(env())
    container = containers.node(environment, environment.nodes[1], "node:1", OPERATOR)
    assert (container.name, container.title) == ("swarmstats-node-2", "node-2")
    assert container.config == {
        "Image": "node:1",
        "Hostname": "node-2",
        "Env": [
            "NODE_POOL=10.211.0.0/16",
            "SOCKET_GROUP=1000",
            "REGISTRY_HOST=10.210.0.5",
            "REGISTRY_PORT=5000",
        ],
        "StopTimeout": 40,
        "HostConfig": {
            "Binds": [
                "swarmstats-node-2-docker:/var/lib/docker",
                "swarmstats-data:/data",
                "/home/ada/state/swarmstats/node-2:/run/swarmstats",
            ],
            "RestartPolicy": {"Name": "no"},
        },
        "NetworkingConfig": {"EndpointsConfig": {"swarmstats": {"IPAMConfig": {"IPv4Address": "10.210.0.12"}}}},
        "Labels": {"swarmstats.lab": "swarmstats", "swarmstats.made-from": container.made_from},
    }


def test_only_the_first_manager_publishes_the_web_port(make: Make) -> None:
    environment = make(env())
    first, second = (containers.node(environment, node, "node:1", OPERATOR).config for node in environment.nodes)
    assert first["HostConfig"]["PortBindings"] == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}
    assert "PortBindings" not in second["HostConfig"]


def test_the_registry_is_published_on_this_machine_only(make: Make) -> None:
    registry = containers.registry(make(env("127.0.0.1:5005/swarmstats")), "registry:1")
    assert registry is not None
    assert registry.config["Env"] == ["REGISTRY_PORT=5005"]
    assert registry.config["HostConfig"] == {
        "Binds": ["swarmstats-registry:/var/lib/registry"],
        "RestartPolicy": {"Name": "no"},
        "PortBindings": {"5005/tcp": [{"HostIp": "127.0.0.1", "HostPort": "5005"}]},
    }


def test_a_registry_elsewhere_is_not_made_and_not_forwarded(make: Make) -> None:
    environment = make(env("registry.example.test/swarmstats"))
    assert containers.registry(environment, "registry:1") is None
    settings = containers.node(environment, environment.nodes[0], "node:1", OPERATOR).config["Env"]
    assert not [setting for setting in settings if setting.startswith("REGISTRY")]


def test_a_container_is_known_by_its_settings_but_not_by_its_image(make: Make) -> None:
    def made_from(text: str, image: str) -> str:
        environment = make(text)
        return containers.node(environment, environment.nodes[0], image, OPERATOR).made_from

    assert made_from(env(), "node:1") == made_from(env(), "node:2")
    assert made_from(env(), "node:1") != made_from(env(port=8081), "node:1")


def test_a_host_without_all_capabilities_gives_what_it_has(make: Make) -> None:
    environment = make(env())
    node = containers.node(environment, environment.nodes[1], "node:1", OPERATOR)
    given = containers.granted(node, privileged=False, cgroups="1", fuse=True)
    assert given.made_from == node.made_from
    assert given.config["HostConfig"] == {
        "Binds": [*node.config["HostConfig"]["Binds"], "/sys/fs/cgroup:/sys/fs/cgroup:rw"],
        "RestartPolicy": {"Name": "no"},
        "CapAdd": ["ALL"],
        "CapDrop": ["SYS_RESOURCE"],
        "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
        "MaskedPaths": [],
        "ReadonlyPaths": [],
        "Devices": [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"}],
        "CgroupnsMode": "host",
    }


@pytest.mark.parametrize(("cgroups", "namespace", "bound"), [("1", "host", True), ("2", "private", False)])
def test_a_privileged_node_has_its_own_cgroups_where_the_kernel_can(
    make: Make, cgroups: str, namespace: str, bound: bool
) -> None:
    environment = make(env())
    node = containers.node(environment, environment.nodes[1], "node:1", OPERATOR)
    host = containers.granted(node, privileged=True, cgroups=cgroups, fuse=True).config["HostConfig"]
    assert (host["Privileged"], host["CgroupnsMode"]) == (True, namespace)
    assert ("/sys/fs/cgroup:/sys/fs/cgroup:rw" in host["Binds"]) is bound
    assert "CapAdd" not in host


def test_volumes_are_named_once_and_bound_directories_are_none(make: Make) -> None:
    environment = make(env())
    plan = [containers.node(environment, node, "node:1", OPERATOR) for node in environment.nodes]
    assert containers.volumes(plan) == ["swarmstats-data", "swarmstats-node-1-docker", "swarmstats-node-2-docker"]


def test_the_network_has_the_subnet_and_the_label_of_its_lab(make: Make) -> None:
    assert containers.network(make(env(), name="trial")) == {
        "name": "swarmstats-trial",
        "driver": "bridge",
        "ipam": {"Driver": "default", "Config": [{"Subnet": "10.210.0.0/24", "Gateway": "10.210.0.1"}]},
        "labels": {"swarmstats.lab": "swarmstats-trial"},
        "check_duplicate": True,
    }


def test_a_subnet_too_small_for_the_nodes_is_an_error(make: Make) -> None:
    environment = make(env(subnet="10.210.0.0/29"))
    with pytest.raises(NodeFailed, match=r"10\.210\.0\.0/29 is too small for 2 nodes"):
        containers.address(environment, environment.nodes[0])


def test_a_socket_path_that_linux_cannot_use_is_an_error(make: Make) -> None:
    node = make(env()).nodes[0]
    assert containers.socket(OPERATOR, node) == OPERATOR.sockets / "node-1" / "docker.sock"
    with pytest.raises(NodeFailed, match="exceeds the 107 bytes") as caught:
        containers.socket(Operator(Path("/home") / ("a" * 90), 1000), node)
    assert "XDG_STATE_HOME" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "subnet", "ours", "problem"),
    [
        ("bridge", "172.17.0.0/16", False, ""),
        ("swarmstats", "10.210.0.0/24", True, ""),
        ("other", "10.210.0.0/16", False, "The network other overlaps lab.subnet 10.210.0.0/24"),
        ("swarmstats", "10.99.0.0/24", False, "swarmstats exists but was not created by a lab"),
        ("swarmstats", "10.99.0.0/24", True, "The lab's network has 10.99.0.0/24, lab.subnet is 10.210.0.0/24 now"),
    ],
)
def test_a_network_in_the_way_is_named(make: Make, name: str, subnet: str, ours: bool, problem: str) -> None:
    labels = {"swarmstats.lab": "swarmstats"} if ours else None
    existing = {"Name": name, "Labels": labels, "IPAM": {"Config": [{"Subnet": str(IPv4Network(subnet))}]}}
    if problem:
        with pytest.raises(NodeFailed, match=problem):
            containers.check_network(make(env()), existing)
    else:
        containers.check_network(make(env()), existing)


def test_networks_without_subnets_or_with_other_families_are_in_nobodys_way(make: Make) -> None:
    for config in (None, [], [{"Subnet": "fd00::/64"}], [{}]):
        containers.check_network(make(env()), {"Name": "host", "Labels": {}, "IPAM": {"Config": config}})
