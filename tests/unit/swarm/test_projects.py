import pytest

from swarm.errors import EnvironmentInvalid
from tests.unit.swarm.conftest import ENV, Make


def test_aliases_share_what_projects_have_in_common(make: Make) -> None:
    projects = """
x-small: &small {resources: {memory: 64M}, foundation: Shared}
projects:
  one: {<<: *small, organisations: [one]}
  two: {<<: *small, repositories: ["two/a*"], exclude: [two/ax]}
"""
    one, two = make(ENV, projects).projects
    assert (one.foundation, two.foundation) == ("Shared", "Shared")
    assert one.resources.memory == "64M"
    assert two.route()["exclude"] == ["two/ax"]


def test_a_project_needs_repositories_of_some_kind(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid, match=r"projects\.empty: needs organisations or repositories"):
        make(ENV, "projects: {empty: {display_name: Empty}}")


def test_a_project_may_not_be_called_like_a_stack(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid, match=r"projects\.db: a stack is called so"):
        make(ENV, "projects: {db: {organisations: [db]}}")


def test_two_projects_may_not_share_a_database(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid, match="'a_b' belongs to a-b"):
        make(ENV, "projects: {a-b: {organisations: [a]}, other: {organisations: [b], database: a_b}}")


def test_the_minute_of_a_project_does_not_move_when_others_come(make: Make) -> None:
    alone = make(ENV, "projects: {apache: {organisations: [apache]}}").projects.get("apache").minute
    assert make().projects.get("apache").minute == alone


def test_minutes_of_many_projects_spread_over_the_hour(make: Make) -> None:
    many = "projects:\n" + "".join(f"  p{n}: {{organisations: [o{n}]}}\n" for n in range(300))
    minutes = [project.minute for project in make(ENV, many).projects]
    assert max(minutes.count(minute) for minute in range(60)) <= 16
