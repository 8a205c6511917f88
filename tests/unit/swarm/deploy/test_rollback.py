from datetime import UTC, datetime

import pytest

from swarm.deploy import releases, rollback
from swarm.deploy.releases import State
from swarm.engine.client import Engine
from swarm.errors import NoRelease
from swarm.live import services
from swarm.stacks.targets import Target
from tests.support.services import service
from tests.unit.swarm.deploy.test_releases import release


def test_stacks_of_one_deploy_go_back_together_and_one_without_an_earlier_release_is_told() -> None:
    known = [
        release(2, deploy="b"),
        release(1, "new", deploy="b"),
        release(1, deploy="a"),
        release(1, "db", deploy="a"),
    ]
    goals, kept = rollback.goals_of(known, ["db", "app", "new"], None, whole=True)
    assert [(str(now), str(goal)) for now, goal in goals] == [("release 2 of app", "release 1 of app")]
    assert kept == ["new"]


def test_a_stack_that_was_never_released_is_neither_gone_back_with_nor_told() -> None:
    known = [release(2), release(1)]
    goals, kept = rollback.goals_of(known, ["app", "never"], None, whole=False)
    assert [goal.stack for _, goal in goals] == ["app"]
    assert kept == []


def test_where_nothing_can_go_back_that_is_an_error() -> None:
    with pytest.raises(NoRelease, match="No earlier release to roll back to: app"):
        rollback.goals_of([release(1)], ["app"], None, whole=False)


@pytest.mark.parametrize(
    ("asked", "strangers"),
    [
        ("app", ""),
        ("app,never", ""),
        ("app,db,never", "db"),
        ("db", "db"),
        ("never,nothing", "never, nothing"),
        ("", ""),
    ],
)
def test_what_runs_without_a_release_cannot_be_compared_nor_what_is_not_there_at_all(
    asked: str, strangers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "history", lambda engine: [release(2, state=State.FAILED), release(1)])
    monkeypatch.setattr(services, "services", lambda engine: (service("app_nginx"), service("db_haproxy")))
    monkeypatch.setattr(rollback, "_plans", lambda engine, goals: [goal.stack for goal in goals])
    targets = [Target(name) for name in asked.split(",") if name]
    if strangers:
        with pytest.raises(NoRelease, match=rf"No release found of {strangers}\.") as caught:
            rollback.drift(Engine(), targets)
        assert caught.value.hint == f"./run deploy {strangers.partition(',')[0]}"
    else:
        assert rollback.drift(Engine(), targets) == [name for name in ("app",) if name in asked]


CLEANED = {
    "state": State.CLEANED,
    "cleaned_at": datetime(2026, 11, 21, 20, 0, tzinfo=UTC),
    "cleaned_by": "me@here",
}


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        (
            "app",
            "Stack app was cleaned at 2026-11-21 20:00:00 by me@here; no release",
            "./run rollback app brings",
        ),
        ("app,never", "No release to compare with: never", "./run rollback app brings"),
        ("never", "No release found of never", "./run deploy never"),
    ],
)
def test_a_cleaned_stack_has_nothing_to_drift_from(
    asked: str, message: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "history", lambda engine: [release(2, **CLEANED), release(1)])
    monkeypatch.setattr(services, "services", lambda engine: ())
    with pytest.raises(NoRelease, match=message) as caught:
        rollback.drift(Engine(), [Target(name) for name in asked.split(",")])
    assert caught.value.hint.startswith(hint)


def test_the_drift_of_all_stacks_leaves_cleaned_ones_out(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [release(2, **CLEANED), release(1), release(1, "db")]
    monkeypatch.setattr(releases, "history", lambda engine: known)
    monkeypatch.setattr(services, "services", lambda engine: (service("db_haproxy"),))
    monkeypatch.setattr(rollback, "_plans", lambda engine, goals: [goal.stack for goal in goals])
    assert rollback.drift(Engine(), [Target("db"), Target("app"), Target("never")]) == ["db"]


def goals(known: list[releases.Release], *names: str, whole: bool = False) -> list[tuple[str, str]]:
    found, _ = rollback.goals_of(known, names, None, whole)
    return [(str(now) if now else "", str(goal)) for now, goal in found]


def test_a_cleaned_stack_goes_back_to_the_release_that_was_cleaned() -> None:
    assert goals([release(2, **CLEANED), release(1)], "app") == [("", "release 2 of app")]
    failed = release(3, state=State.FAILED)
    assert goals([failed, release(2, **CLEANED), release(1)], "app") == [("", "release 2 of app")]


def test_what_a_failed_deploy_left_after_a_clean_goes_back_to_the_release_that_was_cleaned() -> None:
    left = release(3, state=State.FAILED, open=True)
    assert goals([left, release(2, **CLEANED), release(1)], "app") == [("release 3 of app", "release 2 of app")]


def test_a_rollback_of_a_cleaned_stack_that_was_interrupted_is_completed() -> None:
    left = release(3, state=State.PENDING, open=True, note="rollback to release 1")
    assert goals([left, release(2, **CLEANED), release(1)], "app") == [("release 3 of app", "release 1 of app")]


def test_cleaned_stacks_come_back_first_in_the_order_of_needs_and_the_others_go_back_in_reverse() -> None:
    known = [
        *(release(2, name, **CLEANED) for name in ("admin", "archive")),
        *(release(2, name) for name in ("db", "app")),
        *(release(1, name) for name in ("admin", "archive", "db", "app")),
    ]
    assert goals(known, "admin", "db", "archive", "app") == [
        ("", "release 2 of admin"),
        ("", "release 2 of archive"),
        ("release 2 of app", "release 1 of app"),
        ("release 2 of db", "release 1 of db"),
    ]


def test_everything_means_the_last_deploy_of_what_runs_and_all_stacks_where_nothing_does() -> None:
    known = [release(3, "db", deploy="c"), release(2, deploy="b", **CLEANED), release(2, "db", deploy="b"), release(1)]
    assert goals(known, "db", "app", whole=True) == [("release 3 of db", "release 2 of db")]
    every = [release(2, "db", deploy="b", **CLEANED), release(2, deploy="a", **CLEANED), release(1)]
    assert goals(every, "db", "app", whole=True) == [("", "release 2 of db"), ("", "release 2 of app")]
