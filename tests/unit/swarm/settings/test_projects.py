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
    with pytest.raises(EnvironmentInvalid, match=r"projects\.db: a stack has this name"):
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


def test_the_route_says_what_is_set_and_only_that(make: Make) -> None:
    projects = """
projects:
  plain: {organisations: [plain], foundation: F}
  full:
    foundation: F
    organisations: [full, "regexp:^full-"]
    renamed: [{was: old, now: full, until: 2017-06-27}, {was: a/b, now: full/b}]
    actors: {allow: ["^k8s"], forbid: [bot]}
  all: {foundation: F, whole_foundation: true}
"""
    plain, full, everything = (project.route() for project in make(ENV, projects.replace("all:", "every:")).projects)
    assert not plain.keys() & {"renamed", "actors_allowed", "actors_forbidden", "whole_foundation"}
    assert full["renamed"] == [{"was": "old", "now": "full", "until": "2017-06-27"}, {"was": "a/b", "now": "full/b"}]
    assert (full["actors_allowed"], full["actors_forbidden"]) == (["^k8s"], ["bot"])
    assert everything["whole_foundation"] is True


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("organisations: [a, a/b]", r"projects\.yaml:3: projects\.p\.organisations\[1\]: .*belongs under repositories"),
        ("organisations: [a b]", r":3: projects\.p\.organisations\[0\]: expected an organisation, a glob"),
        ('organisations: ["regexp:["]', r":3: projects\.p\.organisations\[0\]: '\[' is not a regular expression"),
        ("repositories: [a]", r":3: projects\.p\.repositories\[0\]: expected ORGANISATION/REPOSITORY"),
        ("exclude: ['a b']", r":3: projects\.p\.exclude\[0\]: expected an organisation"),
        ("renamed: [{was: a, now: b/c}]", r":3: projects\.p\.renamed\[0\]: 'a' and 'b/c': one is an organisation"),
        ("renamed: [{was: 'a*', now: b}]", r":3: projects\.p\.renamed\[0\]\.was: .*as it was named"),
        ("renamed: [{was: a, now: b, since: 2020-01-02, until: 2020-01-01}]", r":3: .*since 2020-01-02 is after until"),
        ("actors: {forbid: ['(']}", r":3: projects\.p\.actors\.forbid\[0\]: '\(' is not a regular expression"),
        ("whole_foundation: true", r":3: projects\.p: whole_foundation needs the name of a foundation"),
        (
            "{whole_foundation: true, foundation: F}",
            r":3: projects\.p\.whole_foundation: no other project belongs to 'F'",
        ),
        ("{organisations: [a], database: devstats}", r":3: projects\.p\.database: 'devstats' belongs to the platform"),
    ],
)
def test_a_mistake_has_its_line_and_its_path(make: Make, line: str, words: str) -> None:
    with pytest.raises(EnvironmentInvalid, match=words):
        make(ENV, f"projects:\n  p:\n    {line}\n")


def test_all_mistakes_come_at_once(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid) as caught:
        make(ENV, "projects:\n  p:\n    organisations: [a/b]\n    actors: {allow: ['(']}\n    wrong: 1\n")
    assert [line.split(":")[1] for line in caught.value.mistakes] == ["3", "4", "5"]
