"""Whatever dies during a deploy (the client, a node, the registry, the only manager), the next one ends well."""

import os
import random
import re
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from docker.models.containers import Container

from swarm.live import services
from swarm.nodes import manager
from swarm.rollout import lock
from tests.e2e.support import machine
from tests.e2e.support.checkout import STACK, Checkout, leftovers, version_of
from tests.support.waiting import HANG, until, wait

SEED = 20150101


def outer(checkout: Checkout, title: str) -> Container:
    """The container of a node, or of the registry."""
    return machine.engine().containers.get(f"{checkout.platform.environment.lab_name}-{title}")


def locked(checkout: Checkout) -> Any:
    """The lock, as soon as somebody holds it."""
    engine = checkout.platform.engine
    return until("the lock", lambda: engine.configs.get(lock.NAME), every=0.05)


def versions(checkout: Checkout) -> set[str]:
    """The versions that the services of the stack ask for."""
    return {version_of(item["Spec"]) for item in checkout.platform.engine.services.list(STACK)}


@pytest.mark.timeout(2400, func_only=True)
def test_after_a_client_was_killed_at_any_moment_the_next_deploy_ends_well_and_leaves_nothing(
    checkout: Checkout, long: bool
) -> None:
    chance, engine = random.Random(SEED), checkout.platform.engine
    checkout.stack("whole", services=2)
    process = checkout.begin("deploy", STACK)
    locked(checkout)
    began = time.monotonic()
    said = process.communicate(timeout=HANG)[0]
    assert process.returncode == 0, said
    whole = time.monotonic() - began
    for number in range(20 if long else 3):
        checkout.stack(f"killed {number}", services=2)
        process = checkout.begin("deploy", STACK)
        locked(checkout)
        moment = chance.uniform(0, whole)
        wait(moment)
        os.killpg(process.pid, signal.SIGKILL)
        said = process.communicate()[0]
        wanted = f"killed {number}"
        if chance.random() < 0.5:
            wanted = f"other {number}"
            checkout.stack(wanted, services=2)
        if not long and number:
            checkout.run("lock.break")
        began = time.monotonic()
        done = checkout.run("deploy", STACK)
        sys.stderr.write(
            f"\nkilled after {moment:.1f} of {whole:.1f} s, {wanted} {time.monotonic() - began:.0f} s later"
        )
        assert versions(checkout) == {wanted}, said + done.stdout
        assert all(service.healthy for service in services.services(engine, STACK))
        assert leftovers(engine) == [], said + done.stdout
        checkout.run("drift", STACK)


def test_a_worker_that_dies_during_a_deploy_is_done_without(checkout: Checkout) -> None:
    checkout.say("stacks: {app: {replicas: 4}}\n")
    checkout.run("deploy", "app")
    checkout.say("stacks: {app: {replicas: 4}}\nsizes: {app.nginx: {memory: 81M}}\n")
    process = checkout.begin("deploy", "app")
    locked(checkout)
    node = outer(checkout, "node-4")
    node.kill("SIGKILL")
    try:
        said = process.communicate(timeout=HANG)[0]
        # Swarm's own update waits for ever for a task on a node that is down: the next deploy knows better.
        if process.returncode != 0:
            assert process.returncode == 3, said
            assert "node-4, which is down" in said
            checkout.run("deploy", "app")
        (service,) = services.services(checkout.platform.engine, "app")
        assert service.running == 4
        assert "node-4" not in {task.node for task in service.tasks if task.running}
    finally:
        node.start()
    until("the node", lambda: _ready(checkout) == 4)
    checkout.say()
    checkout.run("deploy", "app")
    assert checkout.platform.get("app").status_code == 200


def _ready(checkout: Checkout) -> int:
    return sum(node["Status"]["State"] == "ready" for node in checkout.platform.engine.nodes.list())


@pytest.fixture
def registry(checkout: Checkout) -> Iterator[Container]:
    """The container of the registry, which runs again afterwards."""
    found = outer(checkout, "registry")
    yield found
    found.start()
    until("the registry", lambda: outer(checkout, "registry").attrs["State"]["Health"]["Status"] == "healthy")


def test_without_the_registry_a_new_image_is_refused_before_anything_is_touched(
    checkout: Checkout, registry: Container
) -> None:
    page = checkout.path / "images" / "nginx" / "nginx.conf"
    text, before = page.read_text(), checkout.platform.versions()
    registry.stop(timeout=2)
    page.write_text(text + "# another image\n")
    try:
        done = checkout.run("deploy", "app", check=False)
    finally:
        page.write_text(text)
    assert done.returncode == 83, done.stdout + done.stderr
    assert re.search(r"The registry 127\.0\.0\.1:\d+ does not answer: .*refused", done.stderr)
    assert "Nothing was changed" in done.stderr
    assert "Images not found in the registry" not in done.stderr
    assert checkout.platform.versions() == before
    assert checkout.platform.engine.configs.get(lock.NAME) is None


def test_without_the_registry_what_nodes_have_is_deployed(checkout: Checkout, registry: Container) -> None:
    (service,) = checkout.platform.engine.services.list("app")
    image = service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    for node in checkout.platform.environment.nodes:
        manager.engine(checkout.platform.environment, node)._sdk.images.pull(image)
    checkout.say("sizes: {app.nginx: {memory: 82M}}\n")
    registry.stop(timeout=2)
    with checkout.platform.traffic("app") as traffic:
        done = checkout.run("deploy", "app")
    assert "does not answer" in done.stdout
    traffic.demand_no_failure()
    registry.start()
    checkout.say("sizes: {app.nginx: {memory: 83M}}\n")
    process = checkout.begin("deploy", "app")
    locked(checkout)
    registry.stop(timeout=2)
    said = process.communicate(timeout=HANG)[0]
    assert process.returncode == 0, said
    assert checkout.platform.get("app").status_code == 200


def test_a_deploy_goes_on_when_the_only_manager_was_restarted_meanwhile(checkout: Checkout, long: bool) -> None:
    chance, engine = random.Random(SEED), checkout.platform.engine
    for number in range(5 if long else 1):
        checkout.stack(f"restarted {number}", services=2)
        process = checkout.begin("deploy", STACK)
        locked(checkout)
        wait(chance.uniform(0, 6))
        outer(checkout, "node-1").restart(timeout=10)
        said = process.communicate(timeout=HANG)[0]
        assert process.returncode == 0, said
        assert versions(checkout) == {f"restarted {number}"}
        until("the node", lambda: _ready(checkout) == 4)
        checkout.run("drift", STACK)
        assert leftovers(engine) == []
    until("app through Traefik", lambda: checkout.platform.get("app").status_code == 200)
