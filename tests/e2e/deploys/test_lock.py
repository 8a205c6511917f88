"""One change of stacks at a time, whoever else tries, and whatever becomes of who holds the lock."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from swarm.errors import LockLost
from swarm.rollout import lock
from swarm.rollout.lock import Timing
from swarm.settings.environment import ROOT
from tests.e2e.conftest import FILE, Platform
from tests.support.waiting import HANG, until


@pytest.fixture
def changed(platform: Platform) -> Iterator[None]:
    """The environment with another memory limit for the demo application, so that there is something to deploy."""
    text = FILE.read_text()
    FILE.write_text(text + f"sizes: {{app.nginx: {{memory: {60 + int(time.time()) % 400}M}}}}\n")
    try:
        yield
    finally:
        FILE.write_text(text)
        platform.run("deploy", "app")


def begin(platform: Platform, *words: str) -> "subprocess.Popen[str]":
    """`./run VERB ...` that goes on by itself, in a process group of its own."""
    argv = (str(ROOT / "run"), *words)
    return subprocess.Popen(
        argv, env=platform.process, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def holder(platform: Platform) -> Any:
    """What `lock.status --json` says."""
    return json.loads(platform.run("lock.status", "--json").stdout)


@pytest.mark.usefixtures("changed")
def test_of_two_deploys_at_once_one_waits_and_both_end_right(platform: Platform) -> None:
    both = [begin(platform, "deploy", "app") for _ in range(2)]
    said = [process.communicate(timeout=HANG)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("1 service healthy" in text for text in said) == 1, said
    assert sum("Waiting for the deploy lock" in text and "nothing to do" in text for text in said) == 1, said
    assert holder(platform) is None


@pytest.mark.usefixtures("changed")
def test_a_deploy_that_may_not_wait_gives_up_and_names_the_holder(platform: Platform) -> None:
    with lock.held(platform.engine, "maintenance", 5, print):
        assert holder(platform)["purpose"] == "maintenance"
        done = platform.run("deploy", "app", "--lock-timeout", "1", check=False)
    assert done.returncode == 6
    assert "maintenance" in done.stderr
    assert "./run lock.break" in done.stderr
    platform.run("deploy", "app")


@pytest.mark.usefixtures("changed")
def test_the_lock_of_a_client_that_was_killed_expires_and_the_next_deploy_ends_well(platform: Platform) -> None:
    client = begin(platform, "deploy", "app")
    until("the lock", lambda: platform.engine.configs.get(lock.NAME), every=0.1)
    os.killpg(client.pid, signal.SIGKILL)
    client.communicate()
    began = time.monotonic()
    done = platform.run("deploy", "app")
    assert time.monotonic() - began < lock.LIFETIME.total_seconds() + 120
    assert "app" in done.stdout
    assert holder(platform) is None
    assert platform.get("app").status_code == 200


def test_a_lock_can_be_broken_and_its_holder_learns_of_it(platform: Platform) -> None:
    said: list[str] = []
    with lock.held(platform.engine, "stuck", 5, said.append, Timing(renewal_seconds=60)):
        assert "stuck" in platform.run("lock.break").stdout
        assert holder(platform) is None
    assert said == ["The deploy lock was broken while this ran; check ./run status."]


def test_who_goes_on_without_the_lock_is_stopped(platform: Platform) -> None:
    with pytest.raises(LockLost), lock.held(platform.engine, "stuck", 5, print) as hold:
        platform.run("lock.break")
        hold.require()


def test_a_lock_that_is_held_long_is_renewed(platform: Platform) -> None:
    engine = platform.engine
    with lock.held(engine, "long", 5, print, Timing(renewal_seconds=0.5)):
        first = lock.read(engine)
        assert first is not None

        def renewed() -> bool:
            found = lock.read(engine)
            return found is not None and found.expires > first.expires

        until("a renewal", renewed)
