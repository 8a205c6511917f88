"""Whose an event is: from the name of a repository to the projects that follow it."""

import re
from collections import defaultdict
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache

from activity.projects import Project

GLOB = re.compile(r"[*?\[]")
REMEMBERED = 1 << 18


class Route:
    """Tells the projects of a repository; names are compared in lower case, what a project excludes wins."""

    def __init__(self, projects: Iterable[Project]) -> None:
        self._projects = tuple(projects)
        self._wanted = [_Names((*project.organisations, *project.repositories)) for project in self._projects]
        self._unwanted = [_Names(project.exclude) for project in self._projects]
        self._exact = self._index()
        self._globbed = [number for number, names in enumerate(self._wanted) if names.globs]
        # Few repositories have most of the events: each name is decided once, then remembered.
        self.projects_of = lru_cache(maxsize=REMEMBERED)(self._projects_of)

    def _index(self) -> dict[str, list[int]]:
        index: dict[str, list[int]] = defaultdict(list)
        for number, names in enumerate(self._wanted):
            for name in names.exact:
                index[name].append(number)
        return dict(index)

    def _projects_of(self, repository: str) -> tuple[Project, ...]:
        name = repository.lower()
        organisation, slash, _ = name.partition("/")
        if not slash:
            return ()
        numbers = {*self._exact.get(organisation, ()), *self._exact.get(name, ())}
        numbers.update(number for number in self._globbed if self._wanted[number].match(organisation, name))
        return tuple(
            self._projects[number] for number in sorted(numbers) if not self._unwanted[number].match(organisation, name)
        )


class _Names:
    """Organisations (no slash) and repositories (with one), exact or with globs."""

    def __init__(self, patterns: Iterable[str]) -> None:
        lowered = [pattern.lower() for pattern in patterns]
        self.exact = frozenset(pattern for pattern in lowered if not GLOB.search(pattern))
        self.globs = tuple(pattern for pattern in lowered if GLOB.search(pattern))
        self._organisations = _any_of(glob for glob in self.globs if "/" not in glob)
        self._repositories = _any_of(glob for glob in self.globs if "/" in glob)

    def match(self, organisation: str, name: str) -> bool:
        return (
            organisation in self.exact
            or name in self.exact
            or self._organisations.match(organisation) is not None
            or self._repositories.match(name) is not None
        )


def _any_of(globs: Iterable[str]) -> re.Pattern[str]:
    """Return one expression for all globs; without any it matches nothing."""
    return re.compile("|".join(translate(glob) for glob in globs) or r"(?!)")
