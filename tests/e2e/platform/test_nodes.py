"""Losing nodes, and everything at once."""

import json

import pytest

from swarm.live import services
from tests.e2e.conftest import Platform
from tests.e2e.support import machine
from tests.support.waiting import until

# What comes before wants all nodes.
pytestmark = pytest.mark.last


def test_the_shared_storage_is_the_same_on_all_nodes(platform: Platform) -> None:
    assert "4 nodes" in platform.run("swarm.remount").stdout


def test_a_worker_that_is_gone_is_made_again_and_nothing_else_is_touched(platform: Platform) -> None:
    outer = machine.engine()
    names = [f"{platform.environment.lab_name}-{node.name}" for node in platform.environment.nodes]
    before = {name: outer.containers.get(name).id for name in names}
    outer.containers.get(names[3]).remove(force=True)
    platform.run("swarm.init")
    after = {name: outer.containers.get(name).id for name in names}
    assert [name for name in names if before[name] != after[name]] == [names[3]]
    assert [row["state"] for row in _nodes(platform)] == ["ready"] * 4
    _whole(platform)


def test_a_lab_whose_engine_was_killed_is_brought_back_by_the_demo(platform: Platform) -> None:
    """What a killed engine leaves: every node dead without a shutdown, and a half-made container."""
    outer = machine.engine()
    for container in outer.containers.list(filters={"label": f"swarmstats.lab={platform.environment.lab_name}"}):
        container.kill("SIGKILL")
    outer.containers.get(f"{platform.environment.lab_name}-node-4").remove(force=True)
    platform.run("demo")
    _whole(platform)


def test_stop_keeps_everything_and_start_brings_it_back(platform: Platform) -> None:
    platform.run("swarm.stop")
    outer = machine.engine()
    assert outer.containers.list(filters={"label": f"swarmstats.lab={platform.environment.lab_name}"}) == []
    platform.run("swarm.start")
    _whole(platform)


def _nodes(platform: Platform) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(platform.run("swarm.status", "--json").stdout)
    return found


def _whole(platform: Platform) -> None:
    """All services healthy, all events there, all pages served."""
    until("all services healthy", lambda: all(item.healthy for item in services.services(platform.engine)))
    assert platform.counts() == platform.events
    for project in platform.events:
        until(f"the page of {project}", lambda host=project: platform.get(host).status_code == 200)
