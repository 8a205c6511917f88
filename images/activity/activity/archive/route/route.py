"""Whose an event is: from its repository, its actor and its time to the projects that receive it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from activity.archive.route.patterns import Names, expressions_of, folded, found
from activity.projects import Project, Renamed

# Few repositories have most of the events: what globs and expressions say of a name is remembered.
REMEMBERED = 1 << 15

Alias = tuple[datetime | None, datetime | None]
Claim = tuple[int, tuple[Alias, ...] | None]


class Route:
    """Tells the projects of an event.

    A project receives an event whose repository it names, unless it excludes it, whose actor it allows. A name that
    was renamed counts in its own days. A whole foundation also receives what its projects receive.
    `receivers` are the only projects that are asked for; the others only tell what a foundation gets.
    """

    def __init__(
        self, projects: Iterable[Project], receivers: Iterable[Project] | None = None, *, case_sensitive: bool = False
    ) -> None:
        everyone = tuple(projects)
        self._case_sensitive = case_sensitive
        asked = frozenset(everyone if receivers is None else receivers)
        roofs = [project for project in everyone if project.whole_foundation and project in asked]
        gathered = {project.foundation for project in roofs}
        self._rules = [
            _Rule(project, project in asked, case_sensitive)
            for project in everyone
            if project in asked or (project.foundation in gathered and not project.whole_foundation)
        ]
        self._roofs = {
            number: [other for other, below in enumerate(self._rules) if _belongs(below.project, rule.project)]
            for number, rule in enumerate(self._rules)
            if rule.project.whole_foundation
        }
        self._exact = self._index()
        self._patterned = [number for number, rule in enumerate(self._rules) if rule.wanted.patterned]
        self._by_pattern = lru_cache(maxsize=REMEMBERED)(self._fitting)

    @property
    def owners(self) -> frozenset[bytes]:
        """The owners of all repositories that are named in full or by their owner, in lower case."""
        return frozenset(name.partition("/")[0].lower().encode() for name in self._exact)

    @property
    def patterned(self) -> bool:
        """Whether globs or expressions may want repositories of other owners."""
        return bool(self._patterned)

    def fits(self, name: str) -> bool:
        """Tell whether a glob or an expression means a repository, whoever excludes it."""
        whole = folded(name, self._case_sensitive)
        return bool(self._fitting(whole.partition("/")[0], whole))

    def wants(self, name: str) -> bool:
        """Tell whether any event of a repository might belong to a project: no by this is final."""
        return bool(self._claims(name))

    def projects_of(self, name: str, actor: str = "", moment: datetime | None = None) -> tuple[Project, ...]:
        """Return the projects of an event; without a moment (UTC, no zone) a renamed name counts on every day."""
        claims = self._claims(name)
        if not claims:
            return ()
        hits = {
            number
            for number, aliases in claims
            if (aliases is None or any(_holds(alias, moment) for alias in aliases)) and self._rules[number].lets(actor)
        }
        if self._roofs:
            hits |= self._above(hits, name, actor)
        return tuple(self._rules[number].project for number in sorted(hits) if self._rules[number].asked)

    def _above(self, hits: set[int], name: str, actor: str) -> set[int]:
        """The whole foundations that receive what their projects receive, but for what they exclude themselves."""
        whole = folded(name, self._case_sensitive)
        organisation = whole.partition("/")[0]
        return {
            number
            for number, below in self._roofs.items()
            if not hits.isdisjoint(below)
            and not self._rules[number].unwanted.match(organisation, whole)
            and self._rules[number].lets(actor)
        }

    def _claims(self, name: str) -> list[Claim]:
        whole = folded(name, self._case_sensitive)
        organisation, slash, _ = whole.partition("/")
        if not slash:
            return []
        exact = self._exact.get(organisation), self._exact.get(whole)
        fitting = self._by_pattern(organisation, whole) if self._patterned else ()
        if exact == (None, None) and not fitting:
            return []
        made: dict[int, tuple[Alias, ...] | None] = dict.fromkeys(fitting)
        for number, alias in (claim for claims in exact if claims for claim in claims):
            known = made.get(number, ())
            made[number] = None if alias is None or known is None else (*known, alias)
        return [claim for claim in made.items() if not self._rules[claim[0]].unwanted.match(organisation, whole)]

    def _fitting(self, organisation: str, whole: str) -> tuple[int, ...]:
        return tuple(number for number in self._patterned if self._rules[number].wanted.fits(organisation, whole))

    def _index(self) -> dict[str, list[tuple[int, Alias | None]]]:
        index: dict[str, list[tuple[int, Alias | None]]] = defaultdict(list)
        for number, rule in enumerate(self._rules):
            for name in rule.wanted.exact:
                index[name].append((number, None))
            for renamed in rule.project.renamed:
                index[folded(renamed.was, self._case_sensitive)].append((number, _days(renamed)))
        return dict(index)


class _Rule:
    """What one project names, excludes and allows."""

    def __init__(self, project: Project, asked: bool, case_sensitive: bool) -> None:
        self.project = project
        self.asked = asked
        self.wanted = Names((*project.organisations, *project.repositories), case_sensitive)
        self.unwanted = Names(project.exclude, case_sensitive)
        self._allowed = expressions_of(project.actors_allowed, case_sensitive)
        self._forbidden = expressions_of(project.actors_forbidden, case_sensitive)

    def lets(self, actor: str) -> bool:
        """Tell whether events of a login count."""
        return (not self._allowed or found(self._allowed, actor)) and not found(self._forbidden, actor)


def _belongs(project: Project, roof: Project) -> bool:
    return project.foundation == roof.foundation and not project.whole_foundation


def _days(renamed: Renamed) -> Alias:
    return renamed.since, renamed.before


def _holds(alias: Alias, moment: datetime | None) -> bool:
    since, before = alias
    return moment is None or ((since is None or since <= moment) and (before is None or moment < before))
