import pytest

from swarm import rollback
from swarm.errors import NoRelease
from tests.unit.swarm.test_releases import release


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
