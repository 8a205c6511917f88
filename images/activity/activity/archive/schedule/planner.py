"""The plan of hours: which hours each project lacks, and from which source to read them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from activity.archive.schedule.hour_ranges import HourRanges, Range, missing_hours, union
from activity.archive.schedule.inventory import Inventory
from activity.archive.schedule.ledger import Ledger, Ledgers
from activity.archive.schedule.source import choose_sources, is_archive_reachable
from activity.archive.schedule.task import HourTask, TaskResult
from activity.database.hour_ledger import OpenHour
from activity.database.provision import migrate_log_database, provision
from activity.database.watermarks import Source
from activity.errors import ActivityError
from activity.hour import Hour, hour_at, newest_full_hour
from activity.projects import Project
from activity.settings import Archive, Settings

# While a backfill reads the older hours of a project, the follower reads only so many of the newest.
RECENT_HOURS = 24


@dataclass(frozen=True)
class HourRequest:
    """The hours that a caller wants: a range, for which projects, in which order, and whether to read them again.

    Without `first` each project is read from its start. `due_only` leaves out hours that wait for their next attempt.
    A backfill reads the older hours of the projects in `in_backfill`.
    """

    first: Hour | None
    last: Hour
    projects: tuple[Project, ...]
    newest_first: bool = False
    force: bool = False
    due_only: bool = False
    in_backfill: frozenset[Project] = frozenset()


class Planner:
    """Provisions the projects, chooses their sources, and lists the hours that they lack."""

    def __init__(self, settings: Settings, ledgers: Ledgers) -> None:
        self._settings = settings
        self._ledgers = ledgers
        self._sources: dict[Project, Source] = {}
        self._inventory: Inventory | None = None

    def all_hours(self, last: Hour, in_backfill: frozenset[Project] = frozenset()) -> HourRequest:
        """Request all due hours of all projects from the start of the settings to `last`, newest first."""
        return HourRequest(
            self._settings.archive.since,
            last,
            self._settings.projects,
            newest_first=True,
            due_only=True,
            in_backfill=in_backfill,
        )

    def tasks(self, request: HourRequest) -> Iterator[HourTask]:
        """Yield the hours to read, each once for all projects that lack it."""
        for source, gaps in self._gaps_by_source(request):
            ledger = self._ledgers.of(source)
            for hour, projects in missing_hours(gaps, newest_first=request.newest_first):
                if request.force or not request.due_only or ledger.is_due(hour):
                    yield HourTask(hour, source, projects, request.force)

    def count(self, request: HourRequest) -> int:
        """Return how many hours `tasks` would yield if all of them were due."""
        sets = [map(HourRanges, gaps.values()) for _, gaps in self._gaps_by_source(request)]
        return sum(union(hours).count() for hours in sets)

    def prepare(self, request: HourRequest) -> Inventory:
        """Provision the projects and choose their sources, once; load the inventory unless it is known."""
        archive = self._settings.archive
        if not self._sources:
            migrate_log_database(self._settings)
            for project in self._settings.projects:
                provision(self._settings, project)
        inventory = self._inventory or Inventory(self._settings, self._settings.projects)
        if not self._sources:
            first = request.first or min(hour_at(project.start) for project in self._settings.projects)
            self._sources = choose_sources(
                archive.simulate, inventory.sources, lambda: is_archive_reachable(archive.url, first, request.last)
            )
        ledgers = {source: self._ledgers.of(source) for source in dict.fromkeys(self._sources.values())}
        if self._inventory is None:
            self._inventory = inventory
            for ledger in ledgers.values():
                self._catch_up(inventory, ledger)
        return inventory

    def succeeded(self, result: TaskResult) -> None:
        """Remember that projects have an hour, whichever process read it."""
        if self._inventory is not None:
            for committed in result.committed:
                self._inventory.hours[committed.project].add(result.hour)
        self._ledgers.of(result.source).settled(result.hour)

    def failed(self, task: HourTask, error: ActivityError) -> None:
        """Record the failure in the ledger when the hour caused it; after any other error load the inventory again."""
        if error.about_hour:
            self._ledgers.of(task.source).failed(task.hour, error)
        else:
            # Some projects may have the hour nevertheless.
            self.reload()

    def reload(self) -> None:
        """Load the inventory again before the next tasks: the databases may have changed."""
        self._inventory = None

    def open_attempts(self, last: Hour) -> list[OpenHour]:
        """Return the failed attempts at hours up to `last` that no attempt has succeeded for yet."""
        return [attempt for ledger in self._ledgers.all() for attempt in ledger.holes(last)]

    def newest_hour(self) -> Hour | None:
        """Return the newest hour that any project has, as far as the inventory is loaded."""
        return self._inventory.newest() if self._inventory else None

    def _catch_up(self, inventory: Inventory, ledger: Ledger) -> None:
        last = last_hour(self._settings.archive)
        request = self.all_hours(last)
        projects = [project for project in self._settings.projects if self._sources[project] is ledger.source]
        first = min(self._begin(project, ledger.source, request) for project in projects)
        missing = {project: HourRanges(self._gaps(inventory, project, request)) for project in projects}
        ledger.catch_up(missing, first, last)

    def _gaps_by_source(self, request: HourRequest) -> Iterator[tuple[Source, dict[Project, list[Range]]]]:
        inventory = self.prepare(request)
        for source in dict.fromkeys(self._sources[project] for project in request.projects):
            projects = [project for project in request.projects if self._sources[project] is source]
            yield source, {project: self._gaps(inventory, project, request) for project in projects}

    def _gaps(self, inventory: Inventory, project: Project, request: HourRequest) -> list[Range]:
        begin = self._begin(project, self._sources[project], request)
        if project in request.in_backfill:
            begin = max(begin, request.last.shift(-RECENT_HOURS))
        if request.force:
            return [(begin, request.last)] if begin <= request.last else []
        return list(inventory.hours[project].gaps(begin, request.last))

    def _begin(self, project: Project, source: Source, request: HourRequest) -> Hour:
        start, first = hour_at(project.start), self._first(source, request.first)
        return start if first is None else max(first, start)

    def _first(self, source: Source, first: Hour | None) -> Hour | None:
        """Return the first hour to read from a source.

        Simulated hours may begin earlier than those of the archive, unless the caller names another first hour.
        """
        archive = self._settings.archive
        if source is Source.SIMULATED and first == archive.since:
            return archive.simulated_since or first
        return first


def last_hour(archive: Archive) -> Hour:
    """Return the newest hour that can exist by now, or the last one that the settings allow."""
    newest = newest_full_hour(datetime.now(UTC))
    return newest if archive.until is None else min(newest, archive.until)
