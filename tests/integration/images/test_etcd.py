"""Members of etcd in plain containers: how they begin, and what one does that has lost its volume."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import uuid4

import docker
import pytest

from swarm.report import Report
from swarm.settings import environment
from swarm.shell import Shell
from swarm.stacks import images
from tests.support.postgres import LABEL, here
from tests.support.waiting import until, wait

KIND = here("etcd")
NAMES = ("etcd1", "etcd2", "etcd3")
# How long a member waits for others where it sees none, before it begins a cluster.
PATIENCE_SECONDS = 3


@dataclass
class Voters:
    """Three members on a network of their own; a member that is started has an empty volume."""

    image: str
    name: str = field(default_factory=lambda: f"swarmstats-etcd-{uuid4().hex[:8]}")
    containers: dict[str, Any] = field(default_factory=dict)

    def start(self, name: str) -> None:
        given = {"STACK": "db", "MEMBER": name, "MEMBERS": " ".join(NAMES), "JOIN_PATIENCE": str(PATIENCE_SECONDS)}
        api = docker.from_env().api
        wanted = api.create_networking_config({self.name: api.create_endpoint_config(aliases=[f"db_{name}"])})
        made = api.create_container(
            self.image, [], environment=given, labels={LABEL: KIND}, networking_config=wanted,
            # As Swarm does: etcd refuses a new member for seconds after another one has come back.
            host_config=api.create_host_config(restart_policy={"Name": "on-failure"}),
        )  # fmt: skip
        api.start(made["Id"])
        self.containers[name] = docker.from_env().containers.get(made["Id"])

    def lose(self, name: str) -> None:
        """Kill a member and remove its volume."""
        self.containers.pop(name).remove(force=True, v=True)

    def ask(self, name: str, *words: str) -> str:
        """What etcdctl says in a member's container; empty when it fails."""
        argv = ["etcdctl", "--endpoints=http://127.0.0.1:2379", "--command-timeout=2s", *words]
        done = self.containers[name].exec_run(argv)
        return str(done.output.decode()) if done.exit_code == 0 else ""

    def said(self, name: str) -> str:
        return str(self.containers[name].logs().decode(errors="replace"))


@pytest.fixture
def voters() -> Iterator[Voters]:
    client = docker.from_env()
    for stale in client.containers.list(all=True, filters={"label": f"{LABEL}={KIND}"}):
        stale.remove(force=True, v=True)
    made = Voters(images.ensure_local(environment.load("lab", {}), ("etcd",), Shell(), Report())["etcd"])
    network = client.networks.create(made.name, labels={LABEL: KIND})
    try:
        yield made
    finally:
        for name in tuple(made.containers):
            made.lose(name)
        network.remove()


def test_a_member_that_lost_its_volume_does_not_vote_until_the_others_are_a_majority_without_it(voters: Voters) -> None:
    began = monotonic()
    for name in NAMES:
        voters.start(name)
    until("a cluster", lambda: bool(voters.ask("etcd1", "put", "promised", "kept")))
    assert monotonic() - began < 25
    voters.containers["etcd3"].stop(timeout=10)
    voters.lose("etcd1")
    until("the loss", lambda: not voters.ask("etcd2", "get", "promised"))
    voters.start("etcd1")
    until("its wait", lambda: "etcd1 has an empty volume, and etcd2 has no majority" in voters.said("etcd1"))
    # Longer than it waits for others where it sees none.
    wait(2 * PATIENCE_SECONDS)
    assert not voters.ask("etcd2", "get", "promised")
    voters.containers["etcd3"].start()
    until("the whole cluster", lambda: "kept" in voters.ask("etcd1", "get", "promised"))
    assert "joins the existing cluster" in voters.said("etcd1")
    assert voters.ask("etcd2", "member", "list").count("started") == 3
