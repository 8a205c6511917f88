"""Whose an event is, against a matcher so plain that it is plainly right."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import pytest
from activity.archive.route.route import CACHED_NAMES, Route
from activity.projects import Project, Renamed
from hypothesis import given
from hypothesis import strategies as some

DAY = timedelta(days=1)
EPOCH = datetime(2020, 1, 1)
GLOBS = some.text("aAbB-*?.", min_size=1, max_size=4)
PLAIN = some.text("aAbB-.", min_size=1, max_size=4)
EXPRESSIONS = some.sampled_from(["^a", "b$", "A.b", "(?i)^B", "/a", "a|b", "[ab]-", "(?P<x>a)(?P=x)"])
PATTERNS = some.lists(
    GLOBS | some.builds("{}/{}".format, GLOBS, GLOBS) | EXPRESSIONS.map("regexp:{}".format), max_size=4
)
REPOSITORIES = some.builds("{}/{}".format, PLAIN, PLAIN) | some.sampled_from(["", "/", "a", "a/", "/a", "a/b/c"])
MOMENTS = some.none() | some.integers(0, 4).map(lambda days: EPOCH + days * DAY)
RENAMES = some.lists(
    some.builds(Renamed, PLAIN | some.builds("{}/{}".format, PLAIN, PLAIN), some.just("now"), MOMENTS, MOMENTS),
    max_size=3,
)
ACTORS = some.lists(some.sampled_from(["bot$", "^Dep", "a", "(?i)X"]), max_size=2)
LOGINS = some.sampled_from(["", "a", "dependabot", "Dependabot", "x", "BOT"])
PROJECTS = some.lists(
    some.builds(
        Project,
        some.just("p"),
        some.just("p"),
        some.sampled_from(["", "F", "G"]),
        PATTERNS.map(tuple),
        PATTERNS.map(tuple),
        PATTERNS.map(tuple),
        some.just(datetime(2015, 1, 1, tzinfo=UTC)),
        some.just("p"),
        some.booleans(),
        RENAMES.map(tuple),
        ACTORS.map(tuple),
        ACTORS.map(tuple),
    ),
    max_size=5,
).map(lambda found: [replace(project, name=str(number)) for number, project in enumerate(found)])


def project(name, organisations=(), repositories=(), exclude=(), **more):
    start = datetime(2015, 1, 1, tzinfo=UTC)
    foundation = more.pop("foundation", "")
    return Project(
        name, name, foundation, tuple(organisations), tuple(repositories), tuple(exclude), start, name, **more
    )


def matches(pattern, repository, sensitive):
    organisation = repository.split("/")[0]
    if pattern.startswith("regexp:"):
        expression = re.compile(pattern[7:], 0 if sensitive else re.IGNORECASE)
        # Without regard to case the service sees names in lower case.
        texts = [text if sensitive else text.lower() for text in (organisation, repository)]
        return any(expression.search(text) for text in texts)
    subject = repository if "/" in pattern else organisation
    return fnmatchcase(subject, pattern) if sensitive else fnmatchcase(subject.lower(), pattern.lower())


def called(renamed, repository, moment, sensitive):
    inside = moment is None or (
        (renamed.since is None or renamed.since <= moment) and (renamed.before is None or moment < renamed.before)
    )
    subject = repository if "/" in renamed.was else repository.split("/")[0]
    same = subject == renamed.was if sensitive else subject.lower() == renamed.was.lower()
    return inside and same


def receives(one, everyone, repository, actor, moment, sensitive):
    flags = 0 if sensitive else re.IGNORECASE
    if any(matches(pattern, repository, sensitive) for pattern in one.exclude):
        return False
    if one.actors_allowed and not any(re.search(text, actor, flags) for text in one.actors_allowed):
        return False
    if any(re.search(text, actor, flags) for text in one.actors_forbidden):
        return False
    if any(matches(pattern, repository, sensitive) for pattern in (*one.organisations, *one.repositories)):
        return True
    if any(called(renamed, repository, moment, sensitive) for renamed in one.renamed):
        return True
    members = [other for other in everyone if other.foundation == one.foundation and not other.whole_foundation]
    return one.whole_foundation and any(
        receives(other, everyone, repository, actor, moment, sensitive) for other in members
    )


def naive(projects, repository, actor, moment, sensitive):
    return [
        one.name
        for one in projects
        if "/" in repository and receives(one, projects, repository, actor, moment, sensitive)
    ]


@given(PROJECTS, some.lists(some.tuples(REPOSITORIES, LOGINS, MOMENTS), max_size=10), some.booleans(), some.data())
def test_the_route_is_that_of_a_naive_matcher(projects, events, sensitive, data):
    route = Route(projects, case_sensitive=sensitive)
    asked = data.draw(some.lists(some.sampled_from(projects), unique=True)) if projects else []
    narrow = Route(projects, asked, case_sensitive=sensitive)
    for repository, actor, moment in [*events, *events]:
        expected = naive(projects, repository, actor, moment, sensitive)
        assert [found.name for found in route.projects_of(repository, actor, moment)] == expected
        few = [name for name in expected if any(name == one.name for one in asked)]
        assert [found.name for found in narrow.projects_of(repository, actor, moment)] == few
        assert route.wants(repository) or not expected
        assert narrow.wants(repository) or not few


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("apache/spark", ["all", "spark"]),
        ("Apache/Spark", ["all", "spark"]),
        ("APACHE/xerces", []),
        ("apachex/spark", []),
        ("kubernetes-sigs/kind", ["globs", "expressions"]),
        ("foo/bar", ["globs"]),
        ("foo/car", []),
        ("spark", []),
        ("", []),
    ],
)
def test_organisations_repositories_globs_expressions_and_exclusions(repository, expected):
    route = Route(
        [
            project("all", ["apache"], exclude=["apache/x*"]),
            project("spark", repositories=["apache/SPARK"]),
            project("globs", ["kubernetes-*"], ["foo/b*"]),
            project("expressions", [r"regexp:^kubernetes(-\w+)?$"], exclude=["regexp:(?i)/CAR$"]),
        ]
    )
    assert [found.name for found in route.projects_of(repository)] == expected
    assert route.wants(repository) is bool(expected)


def test_names_that_differ_in_case_are_others_where_the_setting_says_so():
    route = Route([project("p", ["Apache"], ["foo/Bar"])], case_sensitive=True)
    assert [route.wants(name) for name in ("Apache/spark", "apache/spark", "foo/Bar", "foo/bar")] == [
        True,
        False,
        True,
        False,
    ]


def test_a_name_that_was_given_up_counts_until_its_last_day_and_its_next_owner_does_not():
    renamed = Renamed("old", "new", before=datetime(2017, 6, 28))
    route = Route([project("p", ["new"], renamed=(renamed,))])
    moments = (datetime(2017, 6, 27, 23), datetime(2017, 6, 28))
    assert [bool(route.projects_of("Old/x", "", moment)) for moment in moments] == [True, False]
    assert [bool(route.projects_of("new/x", "", moment)) for moment in moments] == [True, True]
    assert route.wants("old/x")


def test_actors_are_allowed_or_forbidden_by_login():
    route = Route([project("p", ["a"], actors_allowed=("^k8s-", "human"), actors_forbidden=(r"\[bot\]$",))])
    logins = ("k8s-ci", "human", "K8S-CI", "else", "k8s-x[bot]", "")
    assert [bool(route.projects_of("a/b", login)) for login in logins] == [True, True, True, False, False, False]


def test_a_whole_foundation_receives_what_its_projects_receive_but_for_what_it_excludes():
    projects = [
        project("one", ["one"], exclude=["one/x"], foundation="F"),
        project("two", ["two"], foundation="F", actors_forbidden=("bot",)),
        project("alone", ["alone"]),
        project("all", ["extra"], exclude=["two/secret"], foundation="F", whole_foundation=True),
    ]
    route = Route(projects)
    received = {
        ("one/a", ""): ["one", "all"],
        ("one/x", ""): [],
        ("two/a", "bot"): [],
        ("two/secret", ""): ["two"],
        ("extra/a", ""): ["all"],
        ("alone/a", ""): ["alone"],
    }
    for (name, login), expected in received.items():
        assert [found.name for found in route.projects_of(name, login)] == expected
    only = Route(projects, [projects[3]])
    assert [found.name for found in only.projects_of("one/a")] == ["all"]
    assert not only.wants("alone/a")


def test_what_patterns_say_of_names_is_remembered_within_bounds():
    route = Route([project("p", ["kube*"])])
    for number in range(CACHED_NAMES + 10):
        route.wants(f"organisation/{number}")
    assert route.wants("kubernetes/x")
    assert route._by_pattern.cache_info().currsize == CACHED_NAMES


def test_the_quick_look_lets_through_whatever_is_wanted():
    route = Route([project("a", ["apache", "Glob*", "regexp:^x/(y|z)$"], ["One/Two", "*/three"])])
    assert route.patterned
    assert route.owners == {b"apache", b"one"}
    for name in ("Apache/spark", "GLOBAL/x", "X/y", "one/TWO", "any/three", "other/thing", "one/other", "x", ""):
        owner = name.lower().partition("/")[0].encode()
        assert not route.wants(name) or owner in route.owners or route.fits(name)
    assert not Route([project("a", ["apache"])]).patterned
