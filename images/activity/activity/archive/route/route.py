"""The route of an event: from its repository, actor and time to the projects that receive it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from activity.archive.route.patterns import NamePatterns, any_matches, expressions_of, folded
from activity.projects import Project

# Few repositories have most of the events, so the patterns that match a name are cached for so many names.
CACHED_NAMES = 32 * 1024

# From when (included) until when (excluded) a former name of a repository counted.
Period = tuple[datetime | None, datetime | None]
# The number of a rule that matches a name, and in which periods; None means always.
Match = tuple[int, tuple[Period, ...] | None]


class Route:
    """Finds the projects of an event.

    A project receives an event when it names the repository, does not exclude it, and allows the actor. A former name
    of a repository counts for its own period. A whole foundation also receives what its projects receive.
    Only `receivers` are returned; the other projects are needed for what their foundation receives.
    """

    def __init__(
        self, projects: Iterable[Project], receivers: Iterable[Project] | None = None, *, case_sensitive: bool = False
    ) -> None:
        all_projects = tuple(projects)
        self._case_sensitive = case_sensitive
        wanted = frozenset(all_projects if receivers is None else receivers)
        foundations = [project for project in all_projects if project.whole_foundation and project in wanted]
        foundation_names = {project.foundation for project in foundations}
        self._rules = [
            _Rule(project, project in wanted, case_sensitive)
            for project in all_projects
            if project in wanted or (project.foundation in foundation_names and not project.whole_foundation)
        ]
        self._members_by_foundation = {
            number: [other for other, member in enumerate(self._rules) if _is_member(member.project, rule.project)]
            for number, rule in enumerate(self._rules)
            if rule.project.whole_foundation
        }
        self._exact = self._index()
        self._patterned = [number for number, rule in enumerate(self._rules) if rule.included.patterned]
        self._by_pattern = lru_cache(maxsize=CACHED_NAMES)(self._fitting)

    @property
    def owners(self) -> frozenset[bytes]:
        """The owners of all repositories that projects name in full or by their owner, in lower case."""
        return frozenset(name.partition("/")[0].lower().encode() for name in self._exact)

    @property
    def patterned(self) -> bool:
        """Whether globs or regular expressions may match repositories of other owners."""
        return bool(self._patterned)

    def fits(self, name: str) -> bool:
        """Tell whether a glob or a regular expression matches a repository, even if a project excludes it."""
        whole = folded(name, self._case_sensitive)
        return bool(self._fitting(whole.partition("/")[0], whole))

    def wants(self, name: str) -> bool:
        """Tell whether events of a repository may belong to a project; False is final."""
        return bool(self._matches(name))

    def projects_of(self, name: str, actor: str = "", moment: datetime | None = None) -> tuple[Project, ...]:
        """Return the projects of an event; `moment` is UTC without a zone, and without it former names always count."""
        matches = self._matches(name)
        if not matches:
            return ()
        numbers = {
            number for number, periods in matches if _is_in_any(periods, moment) and self._rules[number].allows(actor)
        }
        if self._members_by_foundation:
            numbers |= self._foundations_of(numbers, name, actor)
        return tuple(self._rules[number].project for number in sorted(numbers) if self._rules[number].is_receiver)

    def _foundations_of(self, numbers: set[int], name: str, actor: str) -> set[int]:
        """Return the whole foundations whose projects receive an event, unless they exclude it themselves."""
        whole = folded(name, self._case_sensitive)
        organisation = whole.partition("/")[0]
        return {
            number
            for number, members in self._members_by_foundation.items()
            if not numbers.isdisjoint(members)
            and not self._rules[number].excluded.match(organisation, whole)
            and self._rules[number].allows(actor)
        }

    def _matches(self, name: str) -> list[Match]:
        whole = folded(name, self._case_sensitive)
        organisation, slash, _ = whole.partition("/")
        if not slash:
            return []
        by_owner, by_name = self._exact.get(organisation), self._exact.get(whole)
        by_pattern = self._by_pattern(organisation, whole) if self._patterned else ()
        if by_owner is None and by_name is None and not by_pattern:
            return []
        periods_by_rule: dict[int, tuple[Period, ...] | None] = dict.fromkeys(by_pattern)
        for number, period in (*(by_owner or ()), *(by_name or ())):
            periods = periods_by_rule.get(number, ())
            periods_by_rule[number] = None if period is None or periods is None else (*periods, period)
        return [
            match for match in periods_by_rule.items() if not self._rules[match[0]].excluded.match(organisation, whole)
        ]

    def _fitting(self, organisation: str, whole: str) -> tuple[int, ...]:
        return tuple(number for number in self._patterned if self._rules[number].included.fits(organisation, whole))

    def _index(self) -> dict[str, list[tuple[int, Period | None]]]:
        index: dict[str, list[tuple[int, Period | None]]] = defaultdict(list)
        for number, rule in enumerate(self._rules):
            for name in rule.included.exact:
                index[name].append((number, None))
            for renamed in rule.project.renamed:
                index[folded(renamed.was, self._case_sensitive)].append((number, (renamed.since, renamed.before)))
        return dict(index)


class _Rule:
    """The repositories that one project includes and excludes, and the actors that it allows."""

    def __init__(self, project: Project, is_receiver: bool, case_sensitive: bool) -> None:
        self.project = project
        self.is_receiver = is_receiver
        self.included = NamePatterns((*project.organisations, *project.repositories), case_sensitive)
        self.excluded = NamePatterns(project.exclude, case_sensitive)
        self._allowed = expressions_of(project.actors_allowed, case_sensitive)
        self._forbidden = expressions_of(project.actors_forbidden, case_sensitive)

    def allows(self, actor: str) -> bool:
        """Tell whether events of an actor count."""
        is_allowed = not self._allowed or any_matches(self._allowed, actor)
        return is_allowed and not any_matches(self._forbidden, actor)


def _is_member(project: Project, foundation: Project) -> bool:
    return project.foundation == foundation.foundation and not project.whole_foundation


def _is_in_any(periods: tuple[Period, ...] | None, moment: datetime | None) -> bool:
    return periods is None or any(_is_in(period, moment) for period in periods)


def _is_in(period: Period, moment: datetime | None) -> bool:
    since, before = period
    return moment is None or ((since is None or since <= moment) and (before is None or moment < before))
