"""A deploy does what was planned or goes back, says why, and whoever asks through Traefik notices neither."""

import io
import json
import os
import re
import signal
import subprocess
import time
from itertools import pairwise
from typing import Any

import pytest

from swarm.live import services as live
from swarm.nodes import manager
from swarm.rollout import lock
from swarm.stacks import images
from tests.e2e.conftest import Platform
from tests.e2e.support import machine
from tests.e2e.support.checkout import NEVER, STACK, Checkout, leftovers, version_of
from tests.support.waiting import HANG, until

# Seconds in which a deploy ends on Ctrl-C, on a machine that has ten other things to do; its end would take longer.
PROMPT = 15.0


@pytest.fixture(scope="module")
def variants(platform: Platform) -> dict[str, str]:
    """Images that differ from that of the demo application in one thing each, in the lab's registry."""
    base = images.image(platform.environment, "nginx").reference
    lines = {
        "unhealthy": 'HEALTHCHECK CMD echo "the page is blank"; exit 1',
        "ends": 'ENTRYPOINT ["sh", "-c", "echo no page to serve >&2; exit 3"]',
        "other": "LABEL variant=other",
    }
    client, found = machine.engine(), {}
    for name, line in lines.items():
        tag = f"{platform.environment.registry}/nginx:{name}"
        client.images.build(fileobj=io.BytesIO(f"FROM {base}\n{line}\n".encode()), tag=tag, rm=True)
        push(tag)
        found[name] = tag
    return found


def push(tag: str) -> None:
    """Push an image of this machine; an error is in what the engine says, not in its status."""
    said = list(machine.engine().images.push(tag, stream=True, decode=True))
    assert not [line for line in said if "error" in line], said


def fields(checkout: Checkout, stack: str) -> dict[str, Any]:
    """What runs of a stack: its specifications by service name."""
    return {item["Spec"]["Name"]: item["Spec"] for item in checkout.platform.engine.services.list(stack)}


def test_the_plan_of_what_was_just_deployed_is_empty_for_every_stack(platform: Platform) -> None:
    plans = json.loads(platform.run("plan", "all", "--json").stdout)
    assert len(plans) == 8
    assert {service["change"] for plan in plans for service in plan["services"]} == {"nothing"}


def test_a_plan_shows_the_fields_that_change_and_a_deploy_makes_exactly_them(checkout: Checkout) -> None:
    checkout.say('sizes: {app.nginx: {memory: 61M, cpus: "0.3"}}\n')
    before = fields(checkout, "app")
    done = checkout.run("plan", "app", check=False)
    assert done.returncode == 2
    assert re.search(r"nginx +rolling restart, 2 tasks", done.stdout)
    assert re.search(r"resources\.limits\.memory +48M -> 61M", done.stdout)
    assert re.search(r"resources\.limits\.cpus +0\.25 -> 0\.3", done.stdout)
    assert fields(checkout, "app") == before
    with checkout.platform.traffic("app") as traffic:
        checkout.run("deploy", "app")
    traffic.demand_no_failure()
    limits = fields(checkout, "app")["app_nginx"]["TaskTemplate"]["Resources"]["Limits"]
    assert limits == {"MemoryBytes": 61 * 2**20, "NanoCPUs": 300_000_000}
    checkout.run("plan", "app")


REASONS = {
    "a broken image tag": ("No such image|manifest unknown|not found", "./run deliver"),
    "an image that ends at once": ("no page to serve", "exit 3"),
    "a failing health check": ("the page is blank", "health check"),
    "an unsatisfiable constraint": ("no suitable node|constraints not satisfied", "./run swarm.status"),
    "a failing stack test": ("Welcome to Mars", "stack tests failed"),
}


@pytest.mark.parametrize("case", REASONS)
def test_what_fails_goes_back_says_why_and_nobody_who_asks_notices(
    checkout: Checkout, variants: dict[str, str], case: str
) -> None:
    checkout.say(
        {
            "a broken image tag": f"images: {{nginx: {checkout.platform.environment.registry}/nginx:nosuchtag}}\n",
            "an image that ends at once": f"images: {{nginx: {variants['ends']}}}\n",
            "a failing health check": f"images: {{nginx: {variants['unhealthy']}}}\n",
            "an unsatisfiable constraint": 'stacks: {app: {placement: ["node.labels.nowhere == true"]}}\n',
            "a failing stack test": "sizes: {app.nginx: {memory: 63M}}\n",
        }[case]
    )
    folder = checkout.path / "stacks" / "app"
    tests, template = folder / "tests.yaml", folder / "stack.yml.j2"
    text, plain, before = tests.read_text(), template.read_text(), fields(checkout, "app")
    if case == "a failing health check":
        # Three checks must fail; they need not be ten seconds apart.
        assert "interval: 10s, timeout: 5s, retries: 3" in plain
        template.write_text(plain.replace("interval: 10s,", "interval: 2s,"))
    if case == "a failing stack test":
        tests.write_text("http: [{name: the page, host: app, text: Welcome to Mars, timeout: 2}]\n")
    try:
        with checkout.platform.traffic("app") as traffic:
            done = checkout.run("deploy", "app", check=False)
    finally:
        tests.write_text(text)
        template.write_text(plain)
    said = done.stdout + done.stderr
    assert done.returncode == 3, said
    for words in REASONS[case]:
        assert re.search(words, said), said
    assert "Rolled back to release" in said
    traffic.demand_no_failure()
    newest = checkout.ledger("app")[0]
    assert newest["state"] == "failed"
    assert newest["note"], newest
    assert fields(checkout, "app") == before
    assert checkout.run("plan", "app", check=False).returncode == 2
    checkout.run("drift", "app")
    assert lock.NAME not in [item["Spec"]["Name"] for item in checkout.platform.engine.configs.list()]


def test_a_first_deploy_that_fails_has_nothing_to_go_back_to_and_says_so(checkout: Checkout) -> None:
    checkout.run("clean", STACK, "--yes")
    checkout.stack(1, unhealthy=[1], services=1)
    done = checkout.run("deploy", STACK, check=False)
    assert done.returncode == 10, done.stdout + done.stderr
    assert "the page is blank" in done.stderr
    assert f"{STACK}: no earlier release, not rolled back." in done.stderr
    assert {item["state"] for item in checkout.ledger(STACK)[1:]} <= {"cleaned", "deployed", "failed"}
    assert checkout.ledger(STACK)[0]["state"] == "failed"
    assert len(fields(checkout, STACK)) == 1
    assert checkout.run("drift", STACK, check=False).returncode == 18
    checkout.stack("one")
    checkout.run("deploy", STACK)
    assert [item["state"] for item in checkout.ledger(STACK)][:2] == ["deployed", "failed"]
    assert leftovers(checkout.platform.engine) == []


def test_a_deploy_that_is_not_to_go_back_leaves_what_failed_and_a_rollback_goes_back(checkout: Checkout) -> None:
    checkout.stack("good", services=1)
    checkout.run("deploy", STACK)
    checkout.stack("late", services=1, well=NEVER, timeout=12)
    done = checkout.run("deploy", STACK, "--no-rollback", check=False)
    assert done.returncode == 5, done.stdout + done.stderr
    assert f"{STACK} was not healthy within 12 s." in done.stderr
    assert "the page is not there yet" in done.stderr
    assert {version_of(spec) for spec in fields(checkout, STACK).values()} == {"late"}
    assert [item["state"] for item in checkout.ledger(STACK)[:2]] == ["failed", "deployed"]
    done = checkout.run("deploy", STACK, check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert {version_of(spec) for spec in fields(checkout, STACK).values()} == {"good"}
    checkout.stack("unhealthy", services=1, unhealthy=[1])
    assert checkout.run("deploy", STACK, "--no-rollback", check=False).returncode == 10
    checkout.run("rollback", STACK)
    assert {version_of(spec) for spec in fields(checkout, STACK).values()} == {"good"}
    checkout.run("drift", STACK)
    assert leftovers(checkout.platform.engine) == []


def test_a_deploy_that_fails_and_cannot_go_back_says_both(checkout: Checkout) -> None:
    engine = checkout.platform.engine
    checkout.stack("good", services=1)
    checkout.run("deploy", STACK)
    (page,) = fields(checkout, STACK)[f"{STACK}_web1"]["TaskTemplate"]["ContainerSpec"]["Configs"]
    checkout.stack("unhealthy", services=1, unhealthy=[1])
    process = checkout.begin("deploy", STACK)
    until("the change", lambda: version_of(engine.services.get(f"{STACK}_web1")["Spec"]) == "unhealthy", every=0.05)
    # Somebody tidies up by hand meanwhile.
    assert engine.configs.discard(page["ConfigID"])
    said = process.communicate(timeout=HANG)[0]
    assert process.returncode == 4, said
    assert "the page is blank" in said
    assert "The rollback failed too" in said
    assert page["ConfigName"] in said
    checkout.stack("good again", services=1)
    checkout.run("deploy", STACK)
    assert leftovers(engine) == []


def test_siblings_are_updated_one_at_a_time_each_healthy_before_the_next(checkout: Checkout) -> None:
    checkout.stack("one")
    checkout.run("deploy", STACK)
    checkout.stack("two")
    before = {task["ID"] for task in checkout.platform.engine.tasks.list(STACK)}
    checkout.run("deploy", STACK)
    services = sorted(live.services(checkout.platform.engine, STACK), key=lambda service: service.name)
    assert [version_of(service.spec) for service in services] == ["two"] * 3
    fresh = [[task for task in service.tasks if task.id not in before] for service in services]
    assert [[task.state for task in tasks] for tasks in fresh] == [["running"]] * 3
    # A task with a health check runs, to the swarm, once the check has succeeded.
    for (former,), (later,) in pairwise(fresh):
        assert former.since <= later.created, (former, later)


def test_a_sibling_that_fails_leaves_the_next_untouched_and_those_before_go_back(checkout: Checkout) -> None:
    checkout.stack("two")
    checkout.run("deploy", STACK)
    before = checkout.platform.versions()
    checkout.stack("three", unhealthy=[2], action="rollback")
    done = checkout.run("deploy", STACK, check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert re.search(rf"{STACK}_web2: .*\n(.*\n)*.*the page is blank", done.stderr)
    after = checkout.platform.versions()
    assert after[f"{STACK}_web3"] == before[f"{STACK}_web3"]
    assert after[f"{STACK}_web1"] != before[f"{STACK}_web1"]
    assert {version_of(spec) for spec in fields(checkout, STACK).values()} == {"two"}
    checkout.run("drift", STACK)


def test_an_interrupted_deploy_ends_at_once_and_the_next_one_completes_it(checkout: Checkout) -> None:
    checkout.stack("two")
    checkout.run("deploy", STACK)
    checkout.stack("after")
    process = checkout.begin("deploy", STACK)
    engine = checkout.platform.engine
    until("the first sibling", lambda: version_of(engine.services.get(f"{STACK}_web1")["Spec"]) == "after", every=0.05)
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=HANG)[0]
    assert time.monotonic() - began < PROMPT, said
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert engine.configs.get(lock.NAME) is None
    assert checkout.ledger(STACK)[0]["state"] == "pending"
    done = checkout.run("deploy", STACK)
    assert "completing it" in done.stdout
    assert {version_of(spec) for spec in fields(checkout, STACK).values()} == {"after"}
    assert leftovers(engine) == []


def test_a_change_by_hand_is_a_drift_that_names_the_field_and_a_deploy_ends_it(checkout: Checkout) -> None:
    engine = checkout.platform.engine
    words = ("service", "update", "--detach", "--label-add", "by.hand=yes", "--replicas", "3", "app_nginx")
    subprocess.run((*engine.argv, *words), check=True, capture_output=True)
    done = checkout.run("drift", "app", check=False)
    assert done.returncode == 2
    assert re.search(r"labels\.by\.hand +yes -> \(none\)", done.stdout)
    assert re.search(r"replicas +3 -> 2", done.stdout)
    checkout.run("deploy", "app")
    checkout.run("drift", "app")


def test_rollback_goes_to_the_release_that_is_named_and_nobody_who_asks_notices(checkout: Checkout) -> None:
    number = checkout.ledger("app")[0]["number"]
    checkout.say("sizes: {app.nginx: {memory: 71M}}\n")
    checkout.run("deploy", "app")
    with checkout.platform.traffic("app") as traffic:
        checkout.run("rollback", "app", str(number))
    traffic.demand_no_failure()
    assert _memory(checkout, "app_nginx") == 48
    newest = checkout.ledger("app")[0]
    assert (newest["state"], newest["note"]) == ("deployed", f"rollback to release {number}")


def _memory(checkout: Checkout, service: str) -> int:
    """The memory limit of a service in MiB."""
    (spec,) = (spec for name, spec in fields(checkout, service.split("_")[0]).items() if name == service)
    return int(spec["TaskTemplate"]["Resources"]["Limits"]["MemoryBytes"]) >> 20


def test_rollback_of_all_takes_the_stacks_of_one_deploy_back_together_in_reverse_order(checkout: Checkout) -> None:
    checkout.stack("small", services=1)
    checkout.run("deploy", STACK)
    before = _memory(checkout, f"{STACK}_web1"), _memory(checkout, "metrics_victoriametrics")
    checkout.say("sizes: {scratch.web1: {memory: 71M}, metrics.victoriametrics: {memory: 571M}}\n")
    checkout.run("deploy", f"metrics,{STACK}")
    assert (_memory(checkout, f"{STACK}_web1"), _memory(checkout, "metrics_victoriametrics")) == (71, 571)
    deploys = {checkout.ledger(stack)[0]["deploy"] for stack in (STACK, "metrics")}
    assert len(deploys) == 1
    done = checkout.run("rollback", "all")
    assert (_memory(checkout, f"{STACK}_web1"), _memory(checkout, "metrics_victoriametrics")) == before
    assert re.findall(r"✓ (\w+): roll back to release", done.stdout) == list(reversed(_order(checkout)))
    checkout.say()
    checkout.run("deploy", "metrics")


def _order(checkout: Checkout) -> list[str]:
    """The two stacks as the order of needs has them."""
    names = [plan["stack"] for plan in json.loads(checkout.run("plan", "all", "--json", check=False).stdout)]
    return [name for name in names if name in (STACK, "metrics")]


def digests(checkout: Checkout) -> set[str]:
    """The digests that the running tasks have, by their containers' own images."""
    found = set()
    for node in checkout.platform.environment.nodes:
        client = manager.engine(checkout.platform.environment, node)._sdk
        for container in client.containers.list(filters={"label": f"com.docker.swarm.service.name={STACK}_web1"}):
            found |= {
                str(name).rpartition("@")[2]
                for name in client.images.get(container.attrs["Image"]).attrs["RepoDigests"]
            }
    return found


def test_rollback_brings_back_the_digest_that_ran_though_its_tag_means_another_now(
    checkout: Checkout, variants: dict[str, str]
) -> None:
    environment, client = checkout.platform.environment, machine.engine()
    tag = f"{environment.registry}/nginx:v1"

    def release(image: str) -> str:
        client.images.get(image).tag(tag)
        push(tag)
        return str(client.images.get_registry_data(tag).id)

    old = release(images.image(environment, "nginx").reference)
    checkout.say(f"images: {{nginx: {tag}}}\n")
    checkout.stack("tagged", services=1)
    checkout.run("deploy", STACK)
    assert old in digests(checkout)
    new = release(variants["other"])
    assert new != old
    assert "nothing to do" in checkout.run("deploy", STACK).stdout
    checkout.run("deploy", STACK, "--pull")
    assert new in digests(checkout)
    assert old not in digests(checkout)
    checkout.run("rollback", STACK)
    assert old in digests(checkout)
    assert new not in digests(checkout)
    assert client.images.get_registry_data(tag).id == new
    checkout.run("drift", STACK)


def test_a_rollback_whose_client_was_killed_is_completed_by_the_same_again(checkout: Checkout) -> None:
    engine = checkout.platform.engine
    for version in ("good", "bad"):
        checkout.stack(version, services=1)
        checkout.run("deploy", STACK)
    for verb, runs in (("rollback", "good"), ("deploy", "bad")):
        note = f"rollback to release {checkout.ledger(STACK)[1]['number']}"
        process = checkout.begin("rollback", STACK)
        until("the change", lambda: version_of(engine.services.get(f"{STACK}_web1")["Spec"]) == "good", every=0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=HANG)
        left = checkout.ledger(STACK)[0]
        assert (left["state"], left["note"]) == ("pending", note)
        # It would expire; test_lock waits for that.
        checkout.run("lock.break")
        checkout.run(verb, STACK)
        assert version_of(engine.services.get(f"{STACK}_web1")["Spec"]) == runs
        newest = checkout.ledger(STACK)[0]
        assert (newest["state"], newest["note"]) == ("deployed", note if verb == "rollback" else "")
        checkout.run("drift", STACK)
        assert leftovers(engine) == []
        checkout.run("deploy", STACK)
        assert version_of(engine.services.get(f"{STACK}_web1")["Spec"]) == "bad"


def test_rotated_secrets_and_configs_reach_the_tasks_and_old_ones_go_when_no_kept_release_needs_them(
    checkout: Checkout,
) -> None:
    ledger = checkout.path / "swarm" / "deploy" / "releases.py"
    folder = checkout.path / "envs" / checkout.platform.environment.name / "secrets"
    secret, engine = folder / "scratch-password.secret", checkout.platform.engine
    text, password = ledger.read_text(), secret.read_text()

    def held(kind: str) -> int:
        names = ("scratch-password_", f"{STACK}_page_")
        return sum(str(item["Spec"]["Name"]).startswith(names) for item in getattr(engine, kind).list())

    try:
        assert "KEPT_RELEASES = 10" in text
        ledger.write_text(text.replace("KEPT_RELEASES = 10", "KEPT_RELEASES = 2"))
        checkout.code_changed()
        for number in range(3):
            checkout.stack(f"number {number}", services=1)
            secret.write_text(f"password number {number}\n")
            checkout.run("deploy", STACK)
            inside = checkout.platform.inside(
                f"{STACK}_web1", "sh", "-c", "cat /etc/page /run/secrets/scratch-password", user="root"
            )
            assert inside == f"This is version number {number}.\npassword number {number}"
            assert leftovers(engine) == []
        assert (held("configs"), held("secrets")) == (2, 2)
        assert len([item for item in checkout.ledger(STACK) if item["state"] == "deployed"]) == 2
        checkout.run("rollback", STACK)
        assert "password number 1" in checkout.platform.inside(
            f"{STACK}_web1", "cat", "/run/secrets/scratch-password", user="root"
        )
    finally:
        ledger.write_text(text)
        checkout.code_changed()
        secret.write_text(password)
