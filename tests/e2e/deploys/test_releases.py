"""The ledger in the swarm itself: what a release holds comes back whole, and what is old goes."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from swarm.deploy import releases, rollback
from swarm.deploy.deployment import Options
from swarm.deploy.executor import Desk
from swarm.deploy.releases import Content, State
from swarm.engine.client import Engine
from swarm.errors import NoRelease, ReleaseGone, UnknownName
from swarm.report import Report
from swarm.shell import Shell
from swarm.stacks.targets import Target
from tests.e2e.conftest import Platform

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
    part = engine.config(f"swarmstats.release.{STACK}.{made.number}.1")
    assert part
    engine.discard("configs", part["ID"])
    with pytest.raises(ReleaseGone, match="is not in the swarm any more"):
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
    engine.create_config(f"swarmstats.release.{STACK}.9.1", b"part", labels)
    releases.forget(engine)
    assert engine.config(f"swarmstats.release.{STACK}.9.1") is None


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
    raw = engine.service("app_nginx")
    assert raw
    spec = raw["Spec"]
    spec["TaskTemplate"]["ContainerSpec"]["Env"] = ["BY_HAND=1"]
    engine.update_service(raw["ID"], raw["Version"]["Index"], spec)
    found = platform.run("drift", "app", check=False)
    assert found.returncode == 2
    assert "environment.BY_HAND" in found.stdout
    assert platform.run("plan", "app", check=False).returncode == 2
    platform.run("deploy", "app")
    assert platform.run("drift", "app").returncode == 0


def test_a_stack_without_an_earlier_release_has_nothing_to_go_back_to(platform: Platform, engine: Engine) -> None:
    begin(engine, state=State.DEPLOYED)
    desk = Desk(platform.environment, engine, Shell(), Report())
    with pytest.raises(NoRelease, match=f"no earlier release of {STACK}"):
        rollback.rollback(desk, [Target(STACK)], None, False, Options(dry=True))
