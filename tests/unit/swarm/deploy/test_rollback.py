import pytest

from swarm.deploy import releases, rollback
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
    with pytest.raises(NoRelease, match="no earlier release of app"):
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
    monkeypatch.setattr(releases, "latest", lambda engine: {"app": release(1)})
    monkeypatch.setattr(services, "services", lambda engine: (service("app_nginx"), service("db_haproxy")))
    monkeypatch.setattr(rollback, "_plans", lambda engine, goals: [goal.stack for goal in goals])
    targets = [Target(name) for name in asked.split(",") if name]
    if strangers:
        with pytest.raises(NoRelease, match=rf"There is no release of {strangers}\.") as caught:
            rollback.drift(Engine(), targets)
        assert caught.value.hint == f"./run deploy {strangers.partition(',')[0]}"
    else:
        assert rollback.drift(Engine(), targets) == [name for name in ("app",) if name in asked]
