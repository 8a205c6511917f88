"""What is refused before anything is touched; the crossing itself is done end to end, on real volumes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from swarm.containers import jobs
from swarm.database import data_volumes, mode_change
from swarm.database.mode_change import ModeChange, VolumeState
from swarm.engine.client import Engine
from swarm.errors import DatabaseUnhealthy, RestoreFailed
from swarm.live import services
from swarm.live.services import Snapshot
from swarm.plan import database_mode
from swarm.plan.plan import Change, Kind, StackPlan
from swarm.report import Step
from swarm.rollout.apply import ApplyContext, References

CREATED = "2026-01-31T12:00:00.000000000Z"
VOLUMES = {"db_postgres": "db_data", "db_patroni1": "db_data", "db_patroni2": "db_data2"}


def spec(name: str, label: str) -> dict[str, Any]:
    mounts = [{"Type": "volume", "Source": VOLUMES[name], "Target": data_volumes.DATA_PATH}]
    return {
        "Name": name,
        "Labels": {"com.docker.stack.namespace": "db"},
        "Mode": {"Replicated": {"Replicas": 1}},
        "TaskTemplate": {
            "ContainerSpec": {"Image": "i", "Mounts": mounts},
            "Placement": {"Constraints": [f"node.labels.{label}"]},
        },
    }


ONE = spec("db_postgres", "database == true")
FIRST, SECOND = spec("db_patroni1", "patroni == 1"), spec("db_patroni2", "patroni == 2")


def node(name: str, **labels: str) -> dict[str, Any]:
    return {"ID": f"id-{name}", "Description": {"Hostname": name}, "Spec": {"Labels": labels}}


def seen(nodes: list[dict[str, Any]], there: dict[str, Any], home: str) -> Snapshot:
    task = {
        "ID": "t", "ServiceID": f"id-{there['Name']}", "NodeID": f"id-{home}", "CreatedAt": CREATED, "Spec": {},
        "Status": {"State": "running", "Timestamp": CREATED}, "DesiredState": "running",
    }  # fmt: skip
    return Snapshot(tuple(nodes), ({"ID": f"id-{there['Name']}", "Spec": there},), (task,), ())


def plan(there: dict[str, Any], *wanted: dict[str, Any], partial: bool = False) -> StackPlan:
    gone = Change(there["Name"], Kind.REMOVE, live={"ID": there["Name"], "Spec": there})
    made = [Change(item["Name"], Kind.CREATE, wanted=item) for item in wanted]
    return StackPlan("db", tuple(made if partial else [*made, gone]), partial=partial)


def prepare(
    done: StackPlan, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, str] = (0, "")
) -> None:
    monkeypatch.setattr(services, "snapshot", lambda _: snapshot)
    site = ApplyContext(Engine(), datetime.now(UTC), 1, References({}, {}), hook=lambda _, __: answer)
    mode_change.prepare(done, site, Step("", None))


def test_a_volume_has_what_another_lacks_by_its_timeline_first_and_an_empty_one_has_nothing() -> None:
    old, new = VolumeState("7", 2, 500, False, False), VolumeState("7", 3, 100, False, False)
    assert new.newer(old) and not old.newer(new) and not old.newer(old)
    assert VolumeState("7", 2, 501, False, False).newer(old)
    empty = VolumeState("", 0, 0, False, False)
    assert old.newer(empty) and not empty.newer(old)
    assert not VolumeState("8", 9, 900, False, False).newer(old), "of another cluster it is not newer but other"


def test_a_cluster_does_not_begin_on_another_node_than_that_of_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [node("n1", database="true"), node("n2", patroni="1"), node("n3", patroni="2")]
    with pytest.raises(
        DatabaseUnhealthy, match="The data of db_postgres is on n1, but label patroni=1 selects n2"
    ) as caught:
        prepare(plan(ONE, FIRST, SECOND), seen(nodes, ONE, "n1"), monkeypatch)
    assert "./run swarm.label n2 patroni-, ./run swarm.label n1 patroni=1" in caught.value.hint


def test_one_server_does_not_begin_on_another_node_than_that_of_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [node("n1", patroni="1"), node("n2", database="true")]
    with pytest.raises(DatabaseUnhealthy, match="The data of db_patroni1 is on n1, but label database=true selects n2"):
        prepare(plan(FIRST, ONE), seen(nodes, FIRST, "n1"), monkeypatch)


def test_the_member_whose_volume_stays_must_lead_and_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [node("n1", patroni="1", database="true")]
    with pytest.raises(DatabaseUnhealthy, match=r"patroni1 must be the leader .* patroni2 is not well"):
        prepare(plan(FIRST, ONE), seen(nodes, FIRST, "n1"), monkeypatch, (1, "patroni2 is not well\n"))


def test_the_mode_does_not_change_in_a_part_of_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [node("n1", patroni="1", database="true")]
    for there, wanted in ((ONE, FIRST), (FIRST, ONE)):
        with pytest.raises(DatabaseUnhealthy, match="cannot change in a part"):
            prepare(plan(there, wanted, partial=True), seen(nodes, there, "n1"), monkeypatch)


def test_labels_that_mean_two_nodes_or_none_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [node("n1", database="true", patroni="1"), node("n2", patroni="1")]
    with pytest.raises(DatabaseUnhealthy, match=r"2 nodes meet node\.labels\.patroni == 1"):
        prepare(plan(ONE, FIRST), seen(nodes, ONE, "n1"), monkeypatch)


@pytest.mark.parametrize("restored", [True, False])
def test_members_that_a_restore_stopped_start_again_unless_the_first_one_is_restored(
    monkeypatch: pytest.MonkeyPatch, restored: bool
) -> None:
    nodes = [node("n1", patroni="1")]
    ended = list[str]()
    monkeypatch.setattr(jobs, "end", lambda _, name: ended.append(name))
    monkeypatch.setattr(ModeChange, "held", lambda *_: VolumeState("7", 3, 100, False, False, restored))
    stopped = Change("db_patroni1", Kind.UPDATE, wanted=FIRST, live={"ID": "x", "Spec": FIRST}, tasks=0)
    done = StackPlan("db", (stopped,))
    if restored:
        with pytest.raises(RestoreFailed, match="A restore of the cluster was interrupted"):
            prepare(done, seen(nodes, FIRST, "n1"), monkeypatch)
    else:
        prepare(done, seen(nodes, FIRST, "n1"), monkeypatch)
    assert ended == ["restore"]


def test_a_plan_says_what_a_change_of_the_mode_does_and_any_other_plan_says_nothing() -> None:
    assert database_mode.description(plan(ONE, FIRST, SECOND)).startswith("switching to a cluster")
    assert database_mode.description(plan(FIRST, ONE)).startswith("switching to a single server")
    assert database_mode.description(StackPlan("db", (Change("db_haproxy", Kind.RESTART),))) == ""
