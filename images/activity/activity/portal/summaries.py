"""What each project amounts to at a glance, read in parallel and kept for a few seconds."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic

from psycopg2.extensions import cursor as Cursor

from activity.database.connect import LOG_DATABASE
from activity.database.queries import query
from activity.portal.connections import Connections, rows
from activity.portal.errors import DatabaseUnreachable, NotReady, PortalError
from activity.projects import Project

CACHE_SECONDS = 15.0
# Counting every event of a large project is slow; it is repeated only when an hour arrived, or after this long.
TOTALS_CACHE_SECONDS = 120.0
# How long a page waits for all of its projects before it shows what it knows of the rest.
PAGE_WAIT_SECONDS = 6.0
RECENT_HOURS = 48


@dataclass(frozen=True)
class Totals:
    """The headline numbers of a project."""

    events: int = 0
    contributors: int = 0
    opened: int = 0
    merged: int = 0


@dataclass(frozen=True)
class Progress:
    """How far a project has come."""

    hours: int = 0
    simulated_hours: int = 0
    oldest_hour: datetime | None = None
    newest_hour: datetime | None = None
    updated_at: datetime | None = None

    @property
    def source(self) -> str | None:
        """Where the hours come from: archive, simulated, mixed; None while there are none."""
        if not self.hours:
            return None
        if not self.simulated_hours:
            return "archive"
        return "simulated" if self.simulated_hours == self.hours else "mixed"


@dataclass(frozen=True)
class Summary:
    """A project with its numbers; `state` is ready, waiting (nothing arrived yet) or unavailable."""

    project: Project
    state: str
    totals: Totals = Totals()
    progress: Progress = Progress()
    recent: tuple[int | None, ...] = ()


class Summaries:
    """Reads summaries with a small pool of threads; a summary younger than CACHE_SECONDS is not read again."""

    def __init__(self, connections: Connections, threads: int = 6) -> None:
        self._connections = connections
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="summary")
        self._lock = Lock()
        self._known: dict[str, tuple[float, Summary]] = {}
        self._under_way: dict[str, Future[Summary]] = {}
        self._totals: dict[str, tuple[float, Progress, Totals]] = {}
        self._databases: tuple[float, frozenset[str]] = (-CACHE_SECONDS, frozenset())

    def of(self, project: Project) -> Summary:
        """The project's summary. Raises DatabaseUnreachable, DatabaseBusy."""
        return self._fresh(project) or self._start(project).result()

    def of_all(self, projects: Iterable[Project]) -> list[Summary]:
        """Summaries in the given order; those not read in time are as last known, or unavailable."""
        projects = list(projects)
        started = [self._start(project) for project in projects if self._fresh(project) is None]
        wait(started, timeout=PAGE_WAIT_SECONDS)
        return [self._known_of(project) for project in projects]

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _fresh(self, project: Project) -> Summary | None:
        read_at, summary = self._known.get(project.name, (-CACHE_SECONDS, None))
        return summary if monotonic() - read_at < CACHE_SECONDS else None

    def _known_of(self, project: Project) -> Summary:
        return self._known.get(project.name, (0.0, Summary(project, "unavailable")))[1]

    def _start(self, project: Project) -> Future[Summary]:
        with self._lock:
            under_way = self._under_way.get(project.name)
            if under_way is None:
                under_way = self._threads.submit(self._read_and_keep, project)
                self._under_way[project.name] = under_way
            return under_way

    def _read_and_keep(self, project: Project) -> Summary:
        try:
            summary = self._read(project)
        except PortalError:
            # Old numbers beside an outage would pass for new ones.
            self._known.pop(project.name, None)
            raise
        else:
            self._known[project.name] = (monotonic(), summary)
            return summary
        finally:
            with self._lock:
                self._under_way.pop(project.name, None)

    def _read(self, project: Project) -> Summary:
        if project.database not in self._databases_there():
            return Summary(project, "waiting")
        try:
            return self._connections.read(project.database, lambda cursor: self._ask(cursor, project))
        except NotReady:
            return Summary(project, "waiting")

    def _ask(self, cursor: Cursor, project: Project) -> Summary:
        progress = Progress(*rows(cursor, query("portal/progress"))[0])
        totals = self._totals_at(cursor, project, progress)
        if progress.newest_hour is None:
            return Summary(project, "waiting", totals, progress)
        recent = rows(cursor, query("portal/recent_hours"), newest=progress.newest_hour, count=RECENT_HOURS)
        return Summary(project, "ready", totals, progress, tuple(row[0] for row in recent))

    def _totals_at(self, cursor: Cursor, project: Project, progress: Progress) -> Totals:
        counted_at, at_progress, totals = self._totals.get(project.name, (0.0, None, Totals()))
        if at_progress == progress and monotonic() - counted_at < TOTALS_CACHE_SECONDS:
            return totals
        totals = Totals(*rows(cursor, query("portal/totals"))[0])
        self._totals[project.name] = (monotonic(), progress, totals)
        return totals

    def _databases_there(self) -> frozenset[str]:
        listed_at, names = self._databases
        if monotonic() - listed_at < CACHE_SECONDS:
            return names
        found = self._connections.read(LOG_DATABASE, lambda cursor: rows(cursor, query("portal/databases")))
        names = frozenset(row[0] for row in found)
        self._databases = (monotonic(), names)
        return names

    def database_answers(self) -> bool:
        """Whether the database server answers now."""
        try:
            self._connections.read(LOG_DATABASE, lambda cursor: rows(cursor, query("portal/alive")))
        except DatabaseUnreachable:
            return False
        return True
