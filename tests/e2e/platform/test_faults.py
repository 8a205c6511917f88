"""Parts around the leader are lost while one writer writes: each heals by itself, and writes hardly notice."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.conftest import Platform
from tests.e2e.support import outage
from tests.e2e.support.members import leader, members, until_whole
from tests.e2e.support.writer import FEW, LONGEST, Writer, undisturbed
from tests.support.waiting import until

# How long a leader's full disk may stop writes, seconds: 5 until it is seen, 10 in which its server does not end for
# lack of room, and what a kill costs: 5 more where a part of the server does not even heed that.
FULL, STUCK = 30.0, 40.0
# Megabytes of a small disk: the lab's data and log, and not much more.
SMALL = 1024
DATA = "/var/lib/postgresql/data"


def settled(writer: Writer) -> float:
    """Wait for a healthy cluster and rows; the moment after."""
    until_whole(writer.platform)
    moment = time.time()
    until("rows", lambda: writer.flows(moment))
    return time.time()


def agree(platform: Platform) -> bool:
    """All members of etcd are there and take writes."""
    number = platform.environment.database.members
    said = platform.inside(
        "db_etcd1", "etcdctl", "--command-timeout=3s", "endpoint", "health", "--cluster", "-w", "json"
    )
    return [item["health"] for item in json.loads(said)] == [True] * number


def test_a_member_of_etcd_that_is_lost_with_its_volume_joins_again_by_itself(writer: Writer) -> None:
    platform, began = writer.platform, settled(writer)
    names = [f"etcd{number}" for number in range(1, platform.environment.database.members + 1)]
    # The one that the others depend upon now.
    lost = next(name for name in names if _succeeds(platform, f"db_{name}", "etcd-member", "leads"))
    former = platform.container(f"db_{lost}")[1]
    outage.lose_with_volume(platform, f"db_{lost}", f"db_{lost}", "member-data")
    until("another container", lambda: platform.container(f"db_{lost}")[1] != former)
    until("all of etcd", lambda: _try(lambda: agree(platform)))
    client, identity = platform.container(f"db_{lost}")
    assert "has an empty volume and joins" in client.containers.get(identity).logs().decode()
    until_whole(platform)
    undisturbed(writer, f"{lost}, which led, lost with its volume", began)


def test_while_all_of_etcd_is_gone_the_leader_goes_on(writer: Writer) -> None:
    platform, began = writer.platform, settled(writer)
    led = leader(platform)
    _kill(platform, [f"db_etcd{number}" for number in range(1, platform.environment.database.members + 1)])
    until("all of etcd", lambda: _try(lambda: agree(platform)))
    until_whole(platform)
    undisturbed(writer, "all of etcd killed", began)
    assert leader(platform) == led


def test_when_haproxy_is_killed_clients_connect_to_the_other_one_or_wait_for_a_new_one(writer: Writer) -> None:
    platform = writer.platform
    # Where both are gone the reader, which asks twice a second, has nobody to ask until one is back.
    for count, within, few in ((1, 5.0, FEW), (2, LONGEST, 2 * int(LONGEST))):
        began = settled(writer)
        former = {identity for _, identity in _all(platform, "db_haproxy")}
        assert len(former) == 2
        for client, identity in _all(platform, "db_haproxy")[:count]:
            client.containers.get(identity).kill("SIGKILL")
        until("two of them", lambda: _renewed(platform, former, count))  # noqa: B023 asked at once
        undisturbed(writer, f"{count} of 2 HAProxy killed", began, within, few)


@pytest.fixture(scope="module")
def small(writer: Writer) -> Iterator[str]:
    """A replica that lost its volume and found a small disk in its place."""
    platform = writer.platform
    settled(writer)
    lost = next(item["name"] for item in members(platform) if item["role"] != "leader")
    outage.put_small_disk(platform, f"db_{lost}", volume(lost), SMALL)
    yield lost
    former = platform.container(f"db_{lost}")[1]
    outage.put_former_disk(platform, f"db_{lost}", volume(lost))
    until("another container", lambda: platform.container(f"db_{lost}")[1] != former)
    until(f"{lost}", lambda: any(item["name"] == lost for item in members(platform)))
    # It was away for longer than the log is kept.
    platform.run("db.reinit", lost, "--yes")
    until_whole(platform)


def test_a_replica_that_lost_its_volume_is_copied_anew_by_itself(writer: Writer, small: str) -> None:
    platform, began = writer.platform, time.time()
    until(f"{small} to be gone", lambda: small not in _following(platform))
    until_whole(platform)
    undisturbed(writer, f"{small}, a replica, lost with its volume", began)
    assert int(platform.inside(f"db_{small}", "df", "--output=size", "-BM", DATA).split()[-1][:-1]) == SMALL


@pytest.mark.parametrize("endless", [False, True], ids=["its server ends", "its server never ends"])
def test_a_leader_without_room_on_its_disk_hands_over_says_so_and_goes_on_when_there_is_room(
    writer: Writer, small: str, endless: bool
) -> None:
    platform = writer.platform
    settled(writer)
    if leader(platform) != small:
        platform.run("db.switchover", "--to", small)
    began = settled(writer)
    # As though it had not handed over before.
    platform.inside(f"db_{small}", "rm", "-f", "/run/patroni/handed-over")
    if endless:
        platform.inside(f"db_{small}", "pkill", "-STOP", "-f", "postgres: db: checkpointer")
    outage.fill(platform, f"db_{small}", volume(small))
    until("another leader", lambda: leader(platform) not in ("", small))
    what = f"no room on the disk of {small}, which led{' and never ends' if endless else ''}"
    undisturbed(writer, what, began, STUCK if endless else FULL)
    told = f"{small} has no disk space left"
    assert told in platform.run("db.status").stdout
    assert {item["member"]: item["free"] for item in json.loads(platform.run("db.status", "--json").stdout)["disks"]}[
        small
    ] < 64 * 1024**2
    ill = platform.run("doctor", check=False)
    assert ill.returncode != 0
    assert f"disk of db/{small}: {told}" in ill.stdout
    began = time.time()
    outage.make_room(platform, f"db_{small}", volume(small))
    until_whole(platform)
    undisturbed(writer, f"room on the disk of {small} again", began)
    assert told not in platform.run("db.status").stdout


def volume(member: str) -> str:
    """The name of the volume of a member's data."""
    number = member.removeprefix("patroni")
    return f"db_data{'' if number == '1' else number}"


def _following(platform: Platform) -> set[str]:
    return {item["name"] for item in members(platform) if item["state"] == "streaming"}


def _all(platform: Platform, service: str) -> list[tuple[Any, str]]:
    """All running containers of a service: (client of the node's engine, container id)."""
    return outage.containers(platform, service)


def _renewed(platform: Platform, former: set[str], count: int) -> bool:
    now = {identity for _, identity in _all(platform, "db_haproxy")}
    return len(now) == 2 and len(now - former) == count


def _kill(platform: Platform, services: list[str]) -> None:
    """All at once."""
    found = [place for service in services for place in _all(platform, service)]
    with ThreadPoolExecutor(len(found)) as pool:
        list(pool.map(lambda place: place[0].containers.get(place[1]).kill("SIGKILL"), found))


def _succeeds(platform: Platform, service: str, *argv: str) -> bool:
    return bool(_try(lambda: platform.inside(service, *argv) is not None))


def _try(look: Callable[[], bool]) -> bool:
    try:
        return look()
    except AssertionError:
        return False
