"""Whose an event is, against a matcher so plain that it is plainly right."""

from datetime import UTC, datetime
from fnmatch import fnmatchcase

import pytest
from activity.archive.route import Route
from activity.projects import Project
from hypothesis import given
from hypothesis import strategies as some

NAMES = some.text("aAbB-*?.", min_size=1, max_size=4)
PLAIN = some.text("aAbB-.", min_size=1, max_size=4)
PATTERNS = some.lists(NAMES | some.builds("{}/{}".format, NAMES, NAMES), max_size=4)
REPOSITORIES = some.builds("{}/{}".format, PLAIN, PLAIN) | some.sampled_from(["", "/", "a", "a/", "/a", "a/b/c"])


def project(name, organisations=(), repositories=(), exclude=()):
    start = datetime(2015, 1, 1, tzinfo=UTC)
    return Project(name, name, "", tuple(organisations), tuple(repositories), tuple(exclude), start, name)


def matches(pattern, repository):
    subject = repository if "/" in pattern else repository.split("/")[0]
    return fnmatchcase(subject.lower(), pattern.lower())


def naive(projects, repository):
    return [
        one.name
        for one in projects
        if "/" in repository
        and any(matches(pattern, repository) for pattern in (*one.organisations, *one.repositories))
        and not any(matches(pattern, repository) for pattern in one.exclude)
    ]


@given(some.lists(some.tuples(PATTERNS, PATTERNS, PATTERNS), max_size=4), some.lists(REPOSITORIES, max_size=10))
def test_the_route_is_that_of_a_naive_matcher(patterns, repositories):
    projects = [project(str(number), *lists) for number, lists in enumerate(patterns)]
    route = Route(projects)
    for repository in [*repositories, *repositories]:
        assert [found.name for found in route.projects_of(repository)] == naive(projects, repository)


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("apache/spark", ["all", "spark"]),
        ("Apache/Spark", ["all", "spark"]),
        ("APACHE/xerces", []),
        ("apachex/spark", []),
        ("kubernetes-sigs/kind", ["globs"]),
        ("foo/bar", ["globs"]),
        ("foo/car", []),
        ("spark", []),
        ("", []),
    ],
)
def test_organisations_repositories_globs_and_exclusions(repository, expected):
    route = Route(
        [
            project("all", ["apache"], exclude=["apache/x*"]),
            project("spark", repositories=["apache/SPARK"]),
            project("globs", ["kubernetes-*"], ["foo/b*"]),
        ]
    )
    assert [found.name for found in route.projects_of(repository)] == expected
