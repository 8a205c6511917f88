"""The order in which siblings are taken; what an engine does with it is tested end to end."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from swarm import apply
from swarm.apply import References, Site
from swarm.engine import Engine
from swarm.errors import StackFailed
from swarm.plan import Change, Kind
from swarm.rollouts import Rollout

MEMBER = Rollout(siblings="patroni", last=["leads"], before=["prepare"])
SPEC = {"TaskTemplate": {"ContainerSpec": {}}}


def change(name: str, kind: Kind = Kind.RESTART, *, group: str = "patroni", running: int = 1) -> Change:
    rollout = MEMBER.model_copy(update={"siblings": group})
    live = {"ID": name, "Spec": {}, "ServiceStatus": {"RunningTasks": running}}
    return Change(name, kind, wanted=SPEC, live=live, tasks=1, rollout=rollout)


def site(answer: Callable[[str, tuple[str, ...]], tuple[int, str]]) -> Site:
    return Site(Engine(), datetime.now(UTC), 1, References({}, {}), hook=answer)


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
        StackFailed, match=r"patroni1: what must run before its update ended with 1:\n +patroni2 is gone"
    ):
        apply._before(change("patroni1"), site(lambda _, __: (1, "patroni2 is gone")))
