"""A small lab on this machine's real engine, broken and completed again."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from swarm.errors import EngineUnavailable, NodeFailed, PortTaken
from swarm.nodes import lifecycle, manager
from swarm.nodes.lab import driver
from swarm.report import Report
from swarm.settings import environment
from swarm.settings.environment import Environment
from swarm.shell import Shell

ENV = """
domain: labtest.localhost
registry: 127.0.0.1:{registry}/swarmstats
driver: lab
lab: {{subnet: {subnet}, pool: 10.229.0.0/16, http_port: {port}}}
nodes:
  - {{name: node-1, role: manager}}
  - {{name: node-2, role: worker, labels: {{database: "true"}}}}
"""


def load(
    directory: Path, name: str = "labtest", subnet: str = "10.230.0.0/24", port: int = 18180, registry: int = 15180
) -> Environment:
    (directory / name).mkdir(exist_ok=True)
    (directory / name / "env.yaml").write_text(ENV.format(subnet=subnet, port=port, registry=registry))
    return environment.load(name, {"SWARMSTATS_ENVS": str(directory)})


def init(made: Environment) -> None:
    lifecycle.init(made, Shell(), Report())


@contextmanager
def this_machine() -> Iterator[docker.DockerClient]:
    """This machine's engine, asked apart from the code under test."""
    client = docker.from_env()
    try:
        yield client
    finally:
        client.close()


def containers(made: Environment) -> dict[str, tuple[str, str]]:
    """Name -> id and start of every container of a lab: whatever is done to one changes this."""
    with this_machine() as client:
        listed = client.containers.list(all=True, filters={"label": f"swarmstats.lab={made.lab_name}"})
        return {item.name: (item.id, item.attrs["State"]["StartedAt"]) for item in listed}


@contextmanager
def container(made: Environment, name: str) -> Iterator[Any]:
    with this_machine() as client:
        yield client.containers.get(f"{made.lab_name}-{name}")


def nodes(made: Environment) -> list[tuple[str, str, str]]:
    return [(row.name, row.role, row.state) for row in lifecycle.status(made, Shell())]


WELL = [("node-1", "manager, leader", "ready"), ("node-2", "worker", "ready")]


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """A short path: sockets lie below it."""
    made = Path(tempfile.mkdtemp(prefix="lab-"))
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(made / "state")
    yield made
    os.environ.pop("XDG_STATE_HOME")
    if before is not None:
        os.environ["XDG_STATE_HOME"] = before
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def small(directory: Path) -> Iterator[Environment]:
    """A lab of one manager and one worker, removed at the end."""
    made = load(directory)
    lifecycle.clean(made, Shell(), Report())
    init(made)
    yield made
    lifecycle.clean(made, Shell(), Report())


def test_the_first_init_makes_a_swarm_with_roles_and_labels(small: Environment) -> None:
    assert nodes(small) == WELL
    assert lifecycle.status(small, Shell())[1].labels == {"database": "true"}


def test_a_node_may_be_silent_for_a_while(small: Environment) -> None:
    """A swarm of before learns it by the next init."""
    api = driver.engine(small)._sdk.api
    found = api.inspect_swarm()
    assert found["Spec"]["Dispatcher"]["HeartbeatPeriod"] == 25 * 10**9
    former = {**found["Spec"], "Dispatcher": {"HeartbeatPeriod": 5 * 10**9}}
    api.update_swarm(found["Version"]["Index"], swarm_spec=former)
    init(small)
    assert api.inspect_swarm()["Spec"]["Dispatcher"]["HeartbeatPeriod"] == 25 * 10**9


def test_the_sockets_are_the_operators_alone(small: Environment, directory: Path) -> None:
    home = directory / "state/swarmstats" / small.lab_name
    assert (home / "node-1").stat().st_mode & 0o777 == 0o700
    assert (home / "node-1/docker.sock").is_socket()


def test_a_second_init_changes_nothing(small: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    before = containers(small)
    init(small)
    assert containers(small) == before
    assert "2 nodes ready: nothing to do" in capsys.readouterr().out


def everything(made: Environment) -> dict[str, Any]:
    """Whatever a verb may change: objects of the engine, nodes of the lab's swarm, the operator's files."""
    ours = {"label": f"swarmstats.lab={made.lab_name}"}
    home = Path(os.environ["XDG_STATE_HOME"]) / "swarmstats" / made.lab_name
    found: dict[str, Any] = {"containers": containers(made), "files": sorted(map(str, home.rglob("*")))}
    with this_machine() as client:
        found["states"] = sorted((item.name, item.status) for item in client.containers.list(all=True, filters=ours))
        found["networks"] = [item.id for item in client.networks.list(filters=ours)]
        found["volumes"] = sorted(item.name for item in client.volumes.list(filters=ours))
        found["images"] = sorted(item.tags for item in client.images.list(f"{made.registry}/*"))
    with suppress(EngineUnavailable):
        entries = driver.engine(made).nodes.list()
        found["nodes"] = sorted((entry["ID"], str(entry["Spec"])) for entry in entries)
    return found


def dry(made: Environment, capsys: pytest.CaptureFixture[str], *verbs: str) -> list[str]:
    """What dry runs say; they must leave everything as it is."""
    before = everything(made)
    capsys.readouterr()
    for verb in verbs:
        getattr(lifecycle, verb)(made, Shell(), Report(), dry=True)
    assert everything(made) == before
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def test_dry_runs_on_a_lab_that_is_well_change_nothing(small: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    assert dry(small, capsys, "init", "start") == ["all lab containers are running", "nothing to do in the swarm"] * 2
    name = small.lab_name
    assert sorted(dry(small, capsys, "stop")) == [
        f"would stop container {name}-{title}" for title in ("node-1", "node-2", "registry")
    ]
    assert dry(small, capsys, "clean") == [
        *(f"would remove container {name}-{title}" for title in ("node-1", "node-2", "registry")),
        f"would remove network {name}",
        *(f"would remove volume {name}-{title}" for title in ("data", "node-1-docker", "node-2-docker", "registry")),
    ]
    assert dry(small, capsys, "remount")[0].startswith("would write a file to /data on each of node-1, node-2")


def test_a_dry_init_names_what_is_broken_and_mends_nothing(
    small: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    with container(small, "node-2") as node:
        node.kill()
    with container(small, "registry") as lost:
        lost.remove(force=True)
    labels = {"nodes": [small.nodes[0].model_copy(update={"labels": {"zone": "a"}}), small.nodes[1]]}
    other = replace(small, file=small.file.model_copy(update=labels))
    assert dry(other, capsys, "init") == [
        f"would create container {small.lab_name}-registry",
        f"would start container {small.lab_name}-node-2",
        "would set the labels of node-1",
        "would check that node-2 are members with their roles and labels",
    ]
    init(small)
    assert nodes(small) == WELL


def test_a_dry_init_of_a_lab_that_is_not_there_names_all_of_it(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = load(directory, "labtest5", "10.231.0.0/24", 18185, 15185)
    said = dry(made, capsys, "init", "stop", "clean")
    assert "would create network swarmstats-labtest5" in said
    assert "would create volume swarmstats-labtest5-node-2-docker" in said
    assert "would create container swarmstats-labtest5-node-1" in said
    assert said[-3:] == [
        "would form a swarm of all nodes, with their roles and labels",
        "nothing to stop",
        "nothing to remove",
    ]
    assert not driver.exists(made)


def test_a_killed_node_is_started_again(small: Environment) -> None:
    before = containers(small)
    with container(small, "node-2") as node:
        node.kill()
    init(small)
    assert nodes(small) == WELL
    assert {name: identity for name, (identity, _) in containers(small).items()} == {
        name: identity for name, (identity, _) in before.items()
    }


def test_a_removed_node_and_registry_are_made_anew_with_their_data(small: Environment) -> None:
    member = driver.engine(small, small.nodes[1]).info()["Swarm"]["NodeID"]
    for name in ("node-2", "registry"):
        with container(small, name) as lost:
            lost.remove(force=True)
    init(small)
    assert nodes(small) == WELL
    assert driver.engine(small, small.nodes[1]).info()["Swarm"]["NodeID"] == member


def test_a_node_that_lost_its_data_joins_again_and_its_former_life_is_forgotten(small: Environment) -> None:
    with container(small, "node-2") as node:
        node.remove(force=True)
    with this_machine() as client:
        client.volumes.get(f"{small.lab_name}-node-2-docker").remove()
    init(small)
    assert nodes(small) == WELL
    assert lifecycle.status(small, Shell())[1].labels == {"database": "true"}


def test_a_lost_network_is_made_again(small: Environment) -> None:
    lifecycle.stop(small, Shell(), Report())
    with this_machine() as client:
        client.networks.get(small.lab_name).remove()
    lifecycle.start(small, Shell(), Report())
    assert nodes(small) == WELL


def test_a_stopped_lab_says_how_to_start_it_and_starts_again(
    small: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    lifecycle.stop(small, Shell(), Report())
    with pytest.raises(EngineUnavailable, match=r"No engine answers on node-1") as caught:
        manager.connect(small, Shell())
    assert caught.value.hint == "./run swarm.start"
    said = dry(small, capsys, "start")
    assert f"would start container {small.lab_name}-node-1" in said
    assert said[-1] == "would form a swarm of all nodes, with their roles and labels"
    lifecycle.start(small, Shell(), Report())
    assert nodes(small) == WELL


def test_a_node_that_lost_the_shared_storage_gets_it_again(
    small: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    with container(small, "node-2") as node:
        assert node.exec_run(["umount", "/data"]).exit_code == 0
    lifecycle.remount(small, Shell(), Report())
    assert "/data is the same on 2 nodes, remounted on node-2" in capsys.readouterr().out
    assert nodes(small) == WELL


def test_other_settings_are_refused_while_the_nodes_run(small: Environment, directory: Path) -> None:
    before = containers(small)
    try:
        with pytest.raises(NodeFailed, match="node-1 runs with outdated settings") as caught:
            init(load(directory, port=18181))
    finally:
        load(directory)
    assert "swarm.stop" in caught.value.hint
    assert containers(small) == before


def test_a_port_held_by_a_lab_is_named_and_nothing_is_begun(small: Environment, directory: Path) -> None:
    second = load(directory, "labtest2", "10.228.0.0/24")
    with pytest.raises(PortTaken, match=r"Port 18180 .* is in use by container swarmstats-labtest-node-1"):
        init(second)
    assert not driver.exists(second)


def test_a_port_held_by_a_process_is_named_and_nothing_is_begun(small: Environment, directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        third = load(directory, "labtest3", "10.228.0.0/24", number)
        with pytest.raises(PortTaken, match=rf"Port {number} .* \(process {os.getpid()}\)"):
            init(third)
    assert not driver.exists(third)


def test_a_subnet_that_another_network_has_is_refused_before_anything_is_made(
    small: Environment, directory: Path
) -> None:
    fourth = load(directory, "labtest4", "10.230.0.0/16", 18182)
    with pytest.raises(NodeFailed, match=r"The network swarmstats-labtest overlaps lab\.subnet"):
        init(fourth)
    assert not driver.exists(fourth)


def test_clean_leaves_nothing_and_is_content_with_nothing(small: Environment, directory: Path) -> None:
    lifecycle.clean(small, Shell(), Report())
    ours = {"label": f"swarmstats.lab={small.lab_name}"}
    with this_machine() as client:
        assert client.containers.list(all=True, filters=ours) == []
        assert client.networks.list(filters=ours) == []
        assert client.volumes.list(filters=ours) == []
    assert not (directory / "state/swarmstats" / small.lab_name).exists()
    lifecycle.clean(small, Shell(), Report())
    with pytest.raises(NodeFailed, match="Lab swarmstats-labtest does not exist"):
        lifecycle.start(small, Shell(), Report())
