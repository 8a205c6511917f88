from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from swarm.database import backups, data_volumes, restore
from swarm.database.backups import Overview
from swarm.engine.client import Engine
from swarm.errors import ArgumentInvalid, BackupFailed, RestoreFailed
from swarm.live.services import Snapshot
from tests.support.sessions import session
from tests.unit.swarm.conftest import Make

CREATED = "2026-01-31T12:00:00.000000000Z"


def service(name: str, volume: str = "") -> dict[str, Any]:
    mounts = [{"Type": "volume", "Source": volume, "Target": data_volumes.DATA_PATH}] if volume else []
    mounts.append({"Type": "bind", "Source": "/data", "Target": "/data"})
    return {
        "ID": f"id-{name}",
        "Spec": {
            "Name": name,
            "Labels": {"com.docker.stack.namespace": name.partition("_")[0]},
            "Mode": {"Replicated": {"Replicas": 1}},
            "TaskTemplate": {"ContainerSpec": {"Image": "i", "Mounts": mounts}},
        },
    }


def task(name: str, node: str, created: str = CREATED) -> dict[str, Any]:
    return {
        "ID": f"t-{name}-{node}", "ServiceID": f"id-{name}", "NodeID": node, "CreatedAt": created,
        "Spec": {}, "Status": {"State": "running", "Timestamp": created},
    }  # fmt: skip


def snapshot(services: list[dict[str, Any]], tasks: list[dict[str, Any]]) -> Snapshot:
    return Snapshot((), tuple(services), tuple(tasks), ())


def test_members_are_the_services_that_keep_the_cluster_each_where_it_ran_last() -> None:
    services = [
        service("db_patroni2", "db_data2"), service("db_patroni1", "db_data"), service("db_haproxy"),
        service("db_backups"), service("metrics_victoriametrics"), service("other_postgres", "other_data"),
    ]  # fmt: skip
    tasks = [
        task("db_patroni1", "n2", "2026-01-31T13:00:00.000000000Z"), task("db_patroni1", "n1"),
        task("db_patroni2", "n3"), task("other_postgres", "n1"),
    ]  # fmt: skip
    found = restore.members(snapshot(services, tasks))
    assert [(item.service.name, item.volume, item.node, item.image) for item in found] == [
        ("db_patroni1", "db_data", "n2", "i"),
        ("db_patroni2", "db_data2", "n3", "i"),
    ]


def test_a_stack_that_is_not_deployed_or_never_ran_says_what_comes_first() -> None:
    with pytest.raises(RestoreFailed, match="not deployed"):
        restore.members(snapshot([service("db_haproxy")], []))
    with pytest.raises(RestoreFailed, match="db_postgres has no task, and 0 nodes meet its constraints"):
        restore.members(snapshot([service("db_postgres", "db_data"), service("db_backups")], []))


def test_a_member_that_was_left_stopped_is_found_by_the_label_of_its_node() -> None:
    stopped = service("db_patroni1", "db_data")
    stopped["Spec"]["TaskTemplate"]["Placement"] = {"Constraints": ["node.labels.patroni == 1"]}
    nodes = tuple({"ID": f"n{number}", "Spec": {"Labels": {"patroni": str(number)}}} for number in (1, 2))
    (found,) = restore.members(Snapshot(nodes, (stopped, service("db_backups")), (), ()))
    assert found.node == "n1"


def test_a_time_without_a_zone_is_utc_and_any_other_is_made_so() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    past = [
        restore.parse_time(text) for text in ("2020-01-31T12:00:00", "2020-01-31T12:00:00Z", "2020-01-31 13:00+01:00")
    ]
    assert past == [noon.replace(year=2020)] * 3
    assert restore.parse_time("") is None


@pytest.mark.parametrize("text", ["yesterday", "12:00", (datetime.now(UTC) + timedelta(days=1)).isoformat()])
def test_a_time_that_is_none_or_lies_ahead_is_refused(text: str) -> None:
    with pytest.raises(ArgumentInvalid):
        restore.parse_time(text)


def test_the_newest_is_no_less_than_what_was_archived_and_a_moment_is_itself() -> None:
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    archived = restore.ARCHIVED.search("everything until 2026-01-31T12:05:00.250000Z is archived, timeline 3")
    assert archived
    assert restore.RecoveryTarget(at_least=archived[1]).words == ("--at-least", "2026-01-31T12:05:00.250000Z")
    assert restore.RecoveryTarget(moment, at_least=archived[1]).words == ("--to", "2026-01-31T12:00:00+00:00")
    assert restore.RecoveryTarget(timeline=3, at_least=archived[1]).words == ("--timeline", "3")


def test_a_silent_repository_is_told_while_all_still_runs_and_a_service_that_is_gone_does_not_keep_from_restoring(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"answered": False, "problem": "The bucket kept at s3 does not answer: connection refused."}
    monkeypatch.setattr(backups, "overview", lambda *_: Overview(told))
    with pytest.raises(RestoreFailed, match=r"^Nothing was stopped\. The bucket kept at s3 does not answer"):
        restore.require_repository(make(), Engine())

    def gone(*_: object) -> Overview:
        raise BackupFailed("The backup service db/backups is not running.")

    monkeypatch.setattr(backups, "overview", gone)
    restore.require_repository(make(), Engine())


def node(identity: str, state: str = "ready", availability: str = "active") -> dict[str, Any]:
    return {
        "ID": identity, "Spec": {"Availability": availability}, "Status": {"State": state},
        "Description": {"Hostname": f"node-{identity[1:]}"},
    }  # fmt: skip


def test_a_member_whose_node_runs_nothing_now_is_told_while_all_still_runs() -> None:
    services = [service(f"db_patroni{number}", f"db_data{number}") for number in (1, 2, 3)]
    tasks = [task(f"db_patroni{number}", f"n{number}") for number in (1, 2, 3)]
    found = restore.members(snapshot([*services, service("db_backups")], tasks))
    restore.require_nodes(found, [node("n1"), node("n2"), node("n3")])
    with pytest.raises(RestoreFailed, match="Nothing was stopped") as raised:
        restore.require_nodes(found, [node("n1", state="down"), node("n2", availability="drain"), node("n4")])
    assert raised.value.message.splitlines()[1:] == [
        "  db_patroni1: its node node-1 is down",
        "  db_patroni2: its node node-2 is set to drain",
        "  db_patroni3: its node n3 is not in the swarm any more",
    ]
    with pytest.raises(RestoreFailed, match="db_patroni2: its node node-2 is down"):
        restore.require_nodes(found, [node("n1"), node("n2", state="down"), node("n3")])


def test_a_restore_demands_the_nodes_before_it_stops_anything(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    services = (service("db_postgres", "db_data"), service("db_backups"))
    down = Snapshot((node("n1", state="down"),), services, (task("db_postgres", "n1"),), ())
    monkeypatch.setattr(restore.lock, "held", lambda *_: nullcontext())
    monkeypatch.setattr(restore.jobs, "end", lambda *_: None)
    monkeypatch.setattr(restore.services, "snapshot", lambda _: down)
    monkeypatch.setattr(restore.services, "services", lambda *_: [])
    with pytest.raises(RestoreFailed, match="its node node-1 is down"):
        restore.restore_cluster(session(make(), Engine()), restore.RecoveryTarget(), 0.0)
