"""The order in which siblings are taken; what an engine does with it is tested end to end."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from swarm.engine.client import Engine
from swarm.engine.wire import NAMESPACE
from swarm.errors import DeadlinePassed, LockLost, StackFailed
from swarm.plan.plan import Change, Kind, StackPlan
from swarm.report import Step
from swarm.rollout import apply, lock
from swarm.rollout.apply import ApplyContext, References
from swarm.rollout.converge import Timing
from swarm.stacks.rollout_options import Rollout
from tests.support.fake_managers import Known

QUICK = Timing(stable_seconds=0.01, poll_seconds=0.01)
MEMBER = Rollout(siblings="patroni", last=["leads"], before=["prepare"])
SPEC: dict[str, Any] = {"TaskTemplate": {"ContainerSpec": {}}}


def change(name: str, kind: Kind = Kind.RESTART, *, group: str = "patroni", running: int = 1) -> Change:
    rollout = MEMBER.model_copy(update={"siblings": group})
    live = {"ID": name, "Spec": {}, "ServiceStatus": {"RunningTasks": running}}
    return Change(name, kind, wanted=SPEC, live=live, tasks=1, rollout=rollout)


def site(answer: Callable[[str, tuple[str, ...]], tuple[int, str]]) -> ApplyContext:
    return ApplyContext(Engine(), datetime.now(UTC), 1, References({}, {}), hook=answer)


def test_who_leads_is_updated_after_the_other_members_of_its_group() -> None:
    asked: list[str] = []

    def leads(service: str, argv: tuple[str, ...]) -> tuple[int, str]:
        asked.append(f"{service} {argv[0]}")
        return (0 if service in ("etcd1", "patroni1") else 1), ""

    changes = [change(f"{group}{n}", group=group) for group in ("etcd", "patroni") for n in (1, 2, 3)]
    found = [item.service for item in apply._leaders_last(changes, site(leads))]
    assert found == ["etcd2", "etcd3", "etcd1", "patroni2", "patroni3", "patroni1"]
    assert set(asked) == {f"{item.service} leads" for item in changes}


def test_a_member_that_does_not_run_is_asked_nothing_and_prepared_by_nothing() -> None:
    def never(service: str, argv: tuple[str, ...]) -> tuple[int, str]:
        raise AssertionError(f"{argv} in {service}")

    dead = change("patroni1", running=0)
    assert apply._leaders_last([dead], site(never)) == [dead]
    apply._before(dead, site(never))
    apply._before(change("patroni2", Kind.UPDATE), site(never))


def test_a_member_that_may_not_go_stops_the_rollout_with_its_reason() -> None:
    with pytest.raises(
        StackFailed, match=r"patroni1: the command to run before its update exited with 1:\n +patroni2 is gone"
    ):
        apply._before(change("patroni1"), site(lambda _, __: (1, "patroni2 is gone")))


def group(*changing: str, unhealthy: str = "") -> tuple[Known, StackPlan]:
    """Three members that run, and a plan that restarts some of them."""
    engine = Known()
    changes = []
    for name in ("db_etcd1", "db_etcd2", "db_etcd3"):
        spec = {
            "Name": name,
            "Labels": {NAMESPACE: "db"},
            "Mode": {"Replicated": {"Replicas": 1}},
            "TaskTemplate": {"ContainerSpec": {"Image": "r/etcd:1"}, "ForceUpdate": 0},
        }
        live = engine.managers.put("services", spec)
        kind = Kind.RESTART if name in changing else Kind.NOTHING
        wanted = {**spec, "TaskTemplate": {"ContainerSpec": {"Image": "r/etcd:2"}}} if name in changing else spec
        changes.append(Change(name, kind, wanted=wanted, live=copy.deepcopy(live), rollout=Rollout(siblings="etcd")))
    engine.managers.running = lambda service: (
        "starting"
        if service["Spec"]["Name"] == unhealthy
        and service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] == "r/etcd:1"
        else "running"
    )
    return engine, StackPlan("db", tuple(changes))


def updated(engine: Known) -> list[str]:
    """The services that were told something, in that order."""
    names = {item["ID"]: item["Spec"]["Name"] for item in engine.managers.held["services"].values()}
    return [names[line.split("/")[2]] for line in engine.managers.told]


def carried_out(engine: Known, done: StackPlan) -> None:
    site = ApplyContext(engine, datetime.now(UTC), 0.2, References({}, {}), timing=QUICK)
    apply.apply(done, site, Step("db", None))


def test_no_sibling_is_restarted_while_another_one_is_unwell() -> None:
    engine, done = group("db_etcd1", unhealthy="db_etcd2")
    with pytest.raises(DeadlinePassed, match=r"Not restarting db_etcd1: its sibling db_etcd2 is still unhealthy"):
        carried_out(engine, done)
    assert updated(engine) == []


def test_a_sibling_that_becomes_healthy_is_waited_for() -> None:
    engine, done = group("db_etcd1", unhealthy="db_etcd2")
    unhealthy, looks = engine.managers.running, iter(range(100))
    engine.managers.running = lambda service: unhealthy(service) if next(looks) < 9 else "running"
    carried_out(engine, done)
    assert updated(engine) == ["db_etcd1"]


def test_the_sibling_that_its_update_may_heal_goes_first() -> None:
    engine, done = group("db_etcd1", "db_etcd2", "db_etcd3", unhealthy="db_etcd2")
    carried_out(engine, done)
    assert updated(engine) == ["db_etcd2", "db_etcd1", "db_etcd3"]


@pytest.mark.parametrize("there", [True, False])
def test_a_change_whose_answer_was_lost_is_not_made_again_so_that_no_job_runs_twice(there: bool) -> None:
    engine = Known(patience=5, pause=0.01)
    spec = {
        "Name": "db_bootstrap",
        "Labels": {NAMESPACE: "db"},
        "Mode": {"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}},
        "TaskTemplate": {"ContainerSpec": {"Image": "r/activity:2"}},
    }
    if there:
        engine.managers.put("services", {**spec, "TaskTemplate": {"ContainerSpec": {"Image": "r/activity:1"}}})
    engine.managers.lose_answer()
    apply._tell(Change("db_bootstrap", Kind.RERUN, wanted=spec), engine, References({}, {}))
    assert len(engine.managers.told) == 1
    assert engine.managers.named("services", "db_bootstrap")["Spec"]["TaskTemplate"] == {
        "ContainerSpec": {"Image": "r/activity:2"},
        **({"ForceUpdate": 0} if there else {}),
    }


def test_an_update_that_is_to_be_resumed_is_told_so_also_where_the_service_changed_meanwhile() -> None:
    engine = Known()
    wanted = {"Name": "db_etcd1", "Mode": {}, "TaskTemplate": {"ContainerSpec": {"Image": "r/etcd:1"}}}
    held = engine.managers.put("services", wanted)

    def crossing(method: str, path: str) -> None:
        if method == "POST":
            held["Version"] = {"Index": 99}
            engine.managers.before = lambda method, path: None

    engine.managers.before = crossing
    apply._tell(Change("db_etcd1", Kind.RESUME, wanted=wanted), engine, References({}, {}))
    assert len(engine.managers.told) == 1


@pytest.mark.parametrize("siblings", ["", "web"])
def test_the_lock_is_checked_before_each_change_of_a_service(siblings: str) -> None:
    engine = Known()
    changes = []
    for name in ("app_web1", "app_web2", "app_web3"):
        spec = {
            "Name": name,
            "Labels": {NAMESPACE: "app"},
            "Mode": {"Replicated": {"Replicas": 1}},
            "TaskTemplate": {"ContainerSpec": {"Image": "r/web:1"}, "ForceUpdate": 0},
        }
        live = copy.deepcopy(engine.managers.put("services", spec))
        wanted = {**spec, "TaskTemplate": {"ContainerSpec": {"Image": "r/web:2"}}}
        rollout = Rollout(siblings=siblings) if siblings else None
        changes.append(Change(name, Kind.RESTART, wanted=wanted, live=live, rollout=rollout))

    def broken(path: str) -> None:
        if path.startswith("/services/"):
            lock.release(engine)

    engine.managers.after = broken
    with pytest.raises(LockLost), lock.held(engine, "deploy app", 1, print) as hold:
        target = ApplyContext(engine, datetime.now(UTC), 5, References({}, {}), hold=hold, timing=QUICK)
        apply.apply(StackPlan("app", tuple(changes)), target, Step("app", None))
    images = [
        item["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] for item in engine.managers.held["services"].values()
    ]
    assert images == ["r/web:2", "r/web:1", "r/web:1"]
