"""The ledger in the swarm itself: what a release holds comes back whole, and what is old goes."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from swarm.deploy import releases, rollback
from swarm.deploy.deployment import Options
from swarm.deploy.releases import Content, State
from swarm.engine.client import Engine
from swarm.errors import NoRelease, ReleaseGone, UnknownName
from swarm.report import Report
from swarm.session import Session
from swarm.shell import Shell
from swarm.stacks.targets import Target
from tests.e2e.conftest import Platform
from tests.support.waiting import until

STACK = "ledger-test"
CONTENT = Content(
    template="app",
    document={"services": {}},
    services={
        "ledger-test_web": {"Name": "ledger-test_web", "TaskTemplate": {"ContainerSpec": {"Image": "i@sha256:1"}}}
    },
    networks={},
    configs=("ledger-test_conf_0123456789",),
    secrets=(),
    images={"ledger-test_web": "i@sha256:1"},
    rollout={},
    timeout=60,
)


@pytest.fixture
def engine(platform: Platform) -> Iterator[Engine]:
    found = platform.engine
    yield found
    releases.forget(found, gone=[STACK])


def begin(engine: Engine, content: Content = CONTENT, state: State | None = None) -> releases.Release:
    made = releases.begin(engine, STACK, content, deploy="d1", commit="abc")
    if state:
        releases.finish(engine, made, state)
    return made


def numbers(engine: Engine) -> list[int]:
    return [release.number for release in releases.history(engine, STACK)]


def test_a_release_that_is_larger_than_a_config_may_be_is_split_and_comes_back_whole(engine: Engine) -> None:
    noise = random.Random(7).randbytes(900_000).hex()
    large = replace(CONTENT, document={"services": {}, "noise": noise})
    made = begin(engine, large)
    assert made.parts >= 3
    assert releases.content(engine, made) == large


def test_a_release_whose_part_is_gone_says_so(engine: Engine) -> None:
    made = begin(engine, replace(CONTENT, document={"noise": random.Random(8).randbytes(600_000).hex()}))
    part = engine.configs.get(f"swarmstats.release.{STACK}.{made.number}.1")
    assert part
    engine.configs.discard(part["ID"])
    with pytest.raises(ReleaseGone, match="is no longer in the swarm"):
        releases.content(engine, made)


def test_only_the_newest_releases_are_kept_and_the_versions_that_they_need(engine: Engine) -> None:
    for number in range(1, 6):
        begin(engine, replace(CONTENT, configs=(f"conf_{number}",)), State.DEPLOYED)
    begin(engine, replace(CONTENT, configs=("conf_failed",)), State.FAILED)
    needed = releases.forget(engine, keep=2)
    assert numbers(engine) == [6, 5, 4]
    assert {"conf_4", "conf_5"} <= needed
    assert not {"conf_3", "conf_failed"} & needed
    assert begin(engine).number == 7


def test_many_failures_do_not_push_the_last_good_release_out(engine: Engine) -> None:
    begin(engine, state=State.DEPLOYED)
    for _ in range(4):
        begin(engine, state=State.FAILED)
    releases.forget(engine, keep=2)
    assert numbers(engine) == [5, 4, 1]


def test_parts_that_a_killed_client_left_without_a_head_are_removed(engine: Engine) -> None:
    labels = {releases.PART: STACK, f"{releases.PART}-number": "9"}
    engine.configs.create(f"swarmstats.release.{STACK}.9.1", b"part", labels)
    releases.forget(engine)
    assert engine.configs.get(f"swarmstats.release.{STACK}.9.1") is None


def test_a_stack_name_of_any_length_has_releases(engine: Engine) -> None:
    name = "a" * 50
    made = releases.begin(engine, name, CONTENT, deploy="d", commit="")
    try:
        assert releases.content(engine, made) == CONTENT
        assert made.stack == name
    finally:
        releases.forget(engine, gone=[name])


def test_the_verbs_show_what_the_ledger_holds(platform: Platform) -> None:
    listed = json.loads(platform.run("releases", "app", "--json").stdout)
    assert listed[0]["stack"] == "app"
    shown = json.loads(platform.run("release.show", "app", str(listed[0]["number"]), "--json").stdout)
    assert "@sha256:" in shown["content"]["images"]["app_nginx"]
    assert "admin_edge" in platform.run("release.show", "app", str(listed[0]["number"])).stdout
    nothing = platform.run("release.show", "app", "999", check=False)
    assert nothing.returncode == UnknownName.exit_code
    assert 'No release "app 999"' in nothing.stderr


def test_what_was_just_deployed_neither_drifts_nor_has_changes_pending(platform: Platform) -> None:
    for target in ("all", "app", "project"):
        assert platform.run("drift", target).returncode == 0
        assert "nothing to do" in platform.run("plan", target).stdout


def test_a_change_by_hand_is_a_drift_that_a_deploy_ends(platform: Platform) -> None:
    engine = platform.engine
    raw = engine.services.get("app_nginx")
    assert raw
    spec = raw["Spec"]
    spec["TaskTemplate"]["ContainerSpec"]["Env"] = ["BY_HAND=1"]
    engine.services.update(raw["ID"], raw["Version"]["Index"], spec)
    found = platform.run("drift", "app", check=False)
    assert found.returncode == 2
    assert "environment.BY_HAND" in found.stdout
    assert platform.run("plan", "app", check=False).returncode == 2
    platform.run("deploy", "app")
    assert platform.run("drift", "app").returncode == 0


def test_a_stack_without_an_earlier_release_has_nothing_to_go_back_to(platform: Platform, engine: Engine) -> None:
    begin(engine, state=State.DEPLOYED)
    session = Session(platform.environment, engine, Shell(), Report())
    with pytest.raises(NoRelease, match=f"No earlier release to roll back to: {STACK}"):
        rollback.rollback(session, [Target(STACK)], None, False, Options(dry=True))


@pytest.fixture
def two_releases(platform: Platform) -> Iterator[tuple[int, int]]:
    """The numbers of two releases of the demo application: as the environment has it, and then with more memory."""
    file = platform.environment.directory / "env.yaml"
    text = file.read_text()
    platform.run("deploy", "app")
    try:
        first = json.loads(platform.run("releases", "app", "--json").stdout)[0]["number"]
        file.write_text(text + "sizes: {app.nginx: {memory: 77M}}\n")
        platform.run("deploy", "app")
        yield first, first + 1
    finally:
        file.write_text(text)
        platform.run("deploy", "app")


def test_a_cleaned_stack_is_rolled_back_to_what_ran_and_to_the_release_before(
    platform: Platform, two_releases: tuple[int, int]
) -> None:
    engine, (first, second) = platform.engine, two_releases

    def spec() -> dict[str, Any]:
        raw = engine.services.get("app_nginx")
        assert raw
        container = raw["Spec"]["TaskTemplate"]["ContainerSpec"]
        configs = [item["ConfigName"] for item in container.get("Configs") or ()]
        secrets = [item["SecretName"] for item in container.get("Secrets") or ()]
        memory = int(raw["Spec"]["TaskTemplate"]["Resources"]["Limits"]["MemoryBytes"])
        return {"image": container["Image"], "configs": configs, "secrets": secrets, "memory": memory}

    def answers() -> bool:
        return platform.get("app").status_code == 200

    before = spec()
    assert "@sha256:" in before["image"]
    assert before["memory"] == 77 * 1024**2
    refused = platform.run("clean", "app", check=False)
    assert refused.returncode == 76
    assert "app: 1 service (nginx)" in refused.stdout
    assert "Cannot ask for confirmation: standard input is not a terminal." in refused.stderr
    assert spec() == before
    platform.run("clean", "app", "--yes")
    assert engine.services.list("app") == []
    until("no page of a stack that was cleaned", lambda: platform.get("app").status_code == 404)
    newest = json.loads(platform.run("releases", "app", "--json").stdout)[0]
    assert (newest["number"], newest["state"]) == (second, "cleaned")
    assert newest["cleaned_by"]
    assert "(./run rollback app)" in platform.run("status").stdout
    (away,) = json.loads(platform.run("status", "app", "--json").stdout)["not_running"]
    assert (away["stack"], away["state"], away["release"]) == ("app", "cleaned", second)
    assert platform.run("drift", "app", check=False).returncode == NoRelease.exit_code
    assert platform.run("drift", "all").returncode == 0
    planned = platform.run("plan", "app", check=False)
    assert (planned.returncode, "create" in planned.stdout) == (2, True)
    assert "create" in platform.run("rollback", "app", "--dry").stdout
    assert engine.services.list("app") == []

    platform.run("rollback", "app")
    assert spec() == before
    until("the page of a stack that was brought back", answers)
    assert platform.run("drift", "app").returncode == 0

    platform.run("clean", "app", "--yes")
    platform.run("rollback", "app", str(first))
    until("the page of the release before", answers)
    assert {**spec(), "memory": 0} == {**before, "memory": 0}
    assert spec()["memory"] != before["memory"]
    states = [item["state"] for item in json.loads(platform.run("releases", "app", "--json").stdout)[:3]]
    assert states == ["deployed", "cleaned", "cleaned"]
