"""Members of the database die while one writer writes: it waits a few seconds, and every acknowledged row stays."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import docker
import pytest

from tests.e2e.conftest import Platform
from tests.e2e.writer import Writer, writing
from tests.waiting import until

FEW = 5
SETTLED = 6.0


@pytest.fixture(scope="module")
def writer(platform: Platform) -> Iterator[Writer]:
    with writing(platform) as made:
        yield made
        assert made.missing() == []


def members(platform: Platform) -> list[dict[str, Any]]:
    """The members as Patroni sees them, asked of whichever answers."""
    for number in range(1, platform.environment.database.members + 1):
        try:
            said = platform.inside(
                f"db_patroni{number}", "curl", "-s", "--max-time", "3", "http://127.0.0.1:8008/cluster"
            )
            found: list[dict[str, Any]] = json.loads(said)["members"]
            return found
        except (AssertionError, docker.errors.DockerException, ValueError):
            continue
    return []


def leader(platform: Platform) -> str:
    return next((item["name"] for item in members(platform) if item["role"] == "leader"), "")


def whole(platform: Platform) -> bool:
    """One leader, and all others follow it closely."""
    found = members(platform)
    followers = [item for item in found if item["state"] == "streaming" and item.get("lag", 1) == 0]
    return bool(leader(platform)) and len(followers) == platform.environment.database.members - 1


def rounds(writer: Writer, what: str, count: int, within: float, fault: Callable[[str], None]) -> float:
    """Do something to the leader several times; returns the median of the longest gaps, seconds."""
    gaps = [_round(writer, f"{what} {number + 1}", fault) for number in range(count)]
    sys.stderr.write(f"\n{what}: median gap {median(gaps):.1f} s of {sorted(round(gap, 1) for gap in gaps)}")
    assert median(gaps) < within, gaps
    return median(gaps)


def _round(writer: Writer, what: str, fault: Callable[[str], None]) -> float:
    until("a whole cluster", lambda: whole(writer.platform), deadline=120)
    led, began = leader(writer.platform), time.time()
    until("rows", lambda: writer.flows(began - 1), deadline=30)
    fault(led)
    until("rows again", lambda: _again(writer, began), deadline=90)
    until("a whole cluster again", lambda: whole(writer.platform), deadline=180)
    seen, lost, leaders = writer.seen(), writer.missing(), writer.leaders(began)
    gap, missed = seen.gap(began), seen.missed(began)
    sys.stderr.write(
        f"\n{what}: {led} to {leader(writer.platform)}, gap {gap:.1f} s, {missed} queries missed, "
        f"writes taken by {leaders}"
    )
    assert lost == [], f"lost {lost}; around it {[a for a in seen.acks if abs(a.moment - lost[0].moment) < 1]}"
    assert len(set(leaders)) == len(leaders), f"two members took writes at once: {leaders}"
    assert missed <= FEW, seen.misses[-missed:]
    return gap


def _again(writer: Writer, began: float) -> bool:
    """Rows flow, and have for three seconds: a fault may take a moment to be felt."""
    return time.time() - began > SETTLED and writer.flows(began + 3)


@pytest.mark.timeout(1200)
def test_after_the_leaders_container_is_killed_writes_flow_within_ten_seconds_and_no_row_is_lost(
    writer: Writer, long: bool
) -> None:
    def kill(led: str) -> None:
        client, identity = writer.platform.container(f"db_{led}")
        client.containers.get(identity).kill("SIGKILL")

    rounds(writer, "container killed", 5 if long else 1, 10, kill)


def test_the_writer_writes_fifty_rows_a_second(writer: Writer) -> None:
    until("a whole cluster", lambda: whole(writer.platform), deadline=120)
    began = time.time()
    until("five seconds", lambda: time.time() - began > 5, deadline=30)
    rate = sum(1 for ack in writer.seen().acks if began < ack.moment <= began + 5) / 5
    sys.stderr.write(f"\n{rate:.0f} rows a second")
    assert rate >= 50
