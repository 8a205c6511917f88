"""The intake of the platform: provisions the projects, decides their source, and reads what they lack."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event as Signal
from time import monotonic

from activity import log
from activity.archive.ingest import Committed, Feed, Ingested, ingest_hour
from activity.archive.read.lines import Reason, Tally
from activity.archive.read.open_hour import answers, hour_url
from activity.archive.schedule.held import Held
from activity.archive.schedule.hour_ranges import Coverage, Range, lacking
from activity.archive.schedule.ledger import Ledger
from activity.archive.schedule.source import decide
from activity.archive.simulate.demo_hours import make_hour
from activity.database.hour_ledger import HourResult, HourState
from activity.database.provision import migrate_log_database, provision
from activity.database.watermarks import Source
from activity.errors import ActivityError, Stopped, TruncatedHour
from activity.hour import Hour, hour_at, newest_full_hour
from activity.projects import Project
from activity.settings import Settings

PROBE_SECONDS = 5.0
PROBED_HOURS = 3
RECENT_HOURS = 24


@dataclass(frozen=True)
class Wanted:
    """Which hours are to be read: a range, for whom, in which order, and whether again."""

    first: Hour | None
    last: Hour
    projects: tuple[Project, ...]
    newest_first: bool = False
    force: bool = False
    due_only: bool = False
    # A backfill reads the older hours of these.
    busy: frozenset[Project] = frozenset()


@dataclass(frozen=True)
class Task:
    """One hour to be read from one source for the projects that lack it."""

    hour: Hour
    source: Source
    projects: tuple[Project, ...]
    force: bool = False
    # Where the hour lies, if it was downloaded already.
    archive: str = ""


@dataclass(frozen=True)
class HourDone:
    """An hour that was read (or skipped) from one source, what it brought, and how long it took."""

    hour: Hour
    source: Source
    committed: list[Committed]
    seconds: float
    state: HourState = HourState.READ
    tally: Tally = field(default_factory=Tally)


@dataclass
class Intake:
    """Reads hours for projects of the settings; `stop` ends it between two thousand lines."""

    settings: Settings
    stop: Signal
    ledgers: dict[Source, Ledger] = field(default_factory=dict)
    _sources: dict[Project, Source] = field(default_factory=dict)
    _held: Held | None = None

    def last_wanted(self) -> Hour:
        """Return the newest hour there can be, or the one that the settings end at."""
        newest = newest_full_hour(datetime.now(UTC))
        until = self.settings.archive.until
        return newest if until is None else min(newest, until)

    def everything(self, last: Hour, busy: frozenset[Project] = frozenset()) -> Wanted:
        """Return all hours of all projects that the settings want and that are due, up to one, the newest first."""
        since, projects = self.settings.archive.since, self.settings.projects
        return Wanted(since, last, projects, newest_first=True, due_only=True, busy=busy)

    def forget(self) -> None:
        """Ask the databases again what they hold before the next work: something may have changed unseen."""
        self._held = None

    def read(self, wanted: Wanted, failed: Callable[[Hour, ActivityError], None]) -> Iterator[HourDone]:
        """Read each hour that is lacking; an error is recorded and handed to `failed`, which may raise it."""
        for task in self.tasks(wanted):
            if self.stop.is_set():
                raise Stopped(f"stopped before hour {task.hour}. Run again to go on from there.")
            try:
                done = self.carry_out(task)
            except ActivityError as error:
                self.spoilt(task, error)
                failed(task.hour, error)
            else:
                self.finished(done)
                yield done

    def tasks(self, wanted: Wanted) -> Iterator[Task]:
        """Yield what is to be read, hour by hour, each once for all who lack it."""
        held = self.prepare(wanted)
        for source in dict.fromkeys(self._sources[project] for project in wanted.projects):
            ledger = self.ledgers[source]
            mine = [project for project in wanted.projects if self._sources[project] is source]
            gaps = {project: self._gaps(held, project, source, wanted) for project in mine}
            for hour, projects in lacking(gaps, newest_first=wanted.newest_first):
                if wanted.force or not wanted.due_only or ledger.is_due(hour):
                    yield Task(hour, source, projects, wanted.force)

    def count(self, wanted: Wanted) -> int:
        """Return how many hours `tasks` would yield, were all of them due."""
        held = self.prepare(wanted)
        found = 0
        for source in dict.fromkeys(self._sources[project] for project in wanted.projects):
            mine = [project for project in wanted.projects if self._sources[project] is source]
            found += Coverage(gap for project in mine for gap in self._gaps(held, project, source, wanted)).count()
        return found

    def carry_out(self, task: Task) -> HourDone:
        """Read one hour and record that; raises what the hour, the archive or a database has against it."""
        began = monotonic()
        if task.hour in self.settings.archive.skip and not task.force:
            log.info("hour skipped", hour=task.hour, source=task.source)
            empty = [Committed(project, 0, 0) for project in task.projects]
            return self._recorded(task, HourDone(task.hour, task.source, empty, monotonic() - began, HourState.SKIPPED))
        read = self._ingest(task)
        state = HourState.SALVAGED if read.tally.broken[Reason.GZIP] else HourState.READ
        done = HourDone(task.hour, task.source, read.committed, monotonic() - began, state, read.tally)
        events = sum(one.events for one in read.committed)
        log.info(
            "hour read",
            hour=task.hour,
            source=task.source,
            projects=len(read.committed),
            events=events,
            seconds=done.seconds,
        )
        return self._recorded(task, done)

    def _ingest(self, task: Task) -> Ingested:
        if task.archive:
            try:
                return self._ingest_from(task.archive, task)
            except TruncatedHour as error:
                # The download may be to blame; the archive itself decides.
                log.info("reading from the archive itself", hour=task.hour, error=error)
        return self._ingest_from(self._url(task.source, task.hour), task)

    def _ingest_from(self, archive: str, task: Task) -> Ingested:
        feed = Feed(archive, task.source)
        try:
            return ingest_hour(self.settings, feed, task.hour, task.projects, self.stop, force=task.force)
        except TruncatedHour as error:
            if task.archive == archive or not (task.force or self._ledger(task.source).is_last_try(task.hour)):
                raise
            # It did not become whole in all that time: what is readable is kept, the damage is in quarantine.
            log.warning("what is readable of an hour is kept", hour=task.hour, error=error)
            return ingest_hour(self.settings, feed, task.hour, task.projects, self.stop, force=task.force, salvage=True)

    def finished(self, done: HourDone) -> None:
        """Remember that projects have an hour, whichever process read it."""
        if self._held is not None:
            for committed in done.committed:
                self._held.coverage[committed.project].add(done.hour)
        if done.source in self.ledgers:
            self.ledgers[done.source].settled(done.hour)

    def spoilt(self, task: Task, error: ActivityError) -> None:
        """Record that an hour could not be read, if it is the hour that this is about."""
        if error.about_hour:
            self._ledger(task.source).failed(task.hour, error)
        else:
            # Some projects may have the hour all the same.
            self.forget()

    def newest_held(self) -> Hour | None:
        """Return the newest hour that any project has, as far as is known."""
        coverages = self._held.coverage.values() if self._held else ()
        return max((coverage.ranges()[-1][1] for coverage in coverages if coverage.ranges()), default=None)

    def _recorded(self, task: Task, done: HourDone) -> HourDone:
        outcome = HourResult(
            done.hour,
            done.source,
            done.state,
            sum(committed.events > 0 for committed in done.committed),
            sum(committed.events for committed in done.committed),
            done.seconds,
            "the file is damaged; what is readable was kept" if done.state is HourState.SALVAGED else "",
        )
        empty = tuple(committed.project for committed in done.committed if not committed.events)
        self._ledger(task.source).done(outcome, empty)
        return done

    def _ledger(self, source: Source) -> Ledger:
        if source not in self.ledgers:
            self.ledgers[source] = Ledger(self.settings, source)
        return self.ledgers[source]

    def prepare(self, wanted: Wanted) -> Held:
        """Provision the projects and decide where hours come from, once; ask what they hold if it is not known."""
        if not self._sources:
            migrate_log_database(self.settings)
            for project in self.settings.projects:
                provision(self.settings, project)
        asked = self._held is None
        if self._held is None:
            self._held = Held(self.settings, self.settings.projects)
        if not self._sources:
            self._sources = decide(
                self.settings.archive.simulate, self._held.sources, lambda: self._is_reachable(wanted)
            )
        for source in dict.fromkeys(self._sources.values()):
            self._ledger(source)
            if asked:
                self._catch_up(self._held, source)
        return self._held

    def _catch_up(self, held: Held, source: Source) -> None:
        mine = [project for project in self.settings.projects if self._sources[project] is source]
        last = self.last_wanted()
        everything = self.everything(last)
        begins = [self._begin(project, source, everything) for project in mine]
        lacking = {project: Coverage(self._gaps(held, project, source, everything)) for project in mine}
        self._ledger(source).catch_up(lacking, min(begins), last)

    def _gaps(self, held: Held, project: Project, source: Source, wanted: Wanted) -> list[Range]:
        begin = self._begin(project, source, wanted)
        if project in wanted.busy:
            begin = max(begin, wanted.last.shift(-RECENT_HOURS))
        if wanted.force:
            return [(begin, wanted.last)] if begin <= wanted.last else []
        return list(held.coverage[project].gaps(begin, wanted.last))

    def _begin(self, project: Project, source: Source, wanted: Wanted) -> Hour:
        start, first = hour_at(project.start), self._first(source, wanted.first)
        return start if first is None else max(first, start)

    def _first(self, source: Source, first: Hour | None) -> Hour | None:
        """Return from when on a source is read: simulated hours may begin earlier than real ones unless told."""
        archive = self.settings.archive
        told = source is Source.ARCHIVE or first != archive.since
        return first if told else archive.simulated_since or first

    def _url(self, source: Source, hour: Hour) -> str:
        if source is Source.ARCHIVE:
            return self.settings.archive.url
        return make_hour(self.settings.archive.cache, self.settings.projects, hour).parent.absolute().as_uri()

    def _is_reachable(self, wanted: Wanted) -> bool:
        """Probe the first wanted hours: one may be missing from the archive, not all of them."""
        start = wanted.first or min(hour_at(project.start) for project in self.settings.projects)
        deadline = monotonic() + PROBE_SECONDS
        for hour in (start.shift(number) for number in range(PROBED_HOURS)):
            left = deadline - monotonic()
            if hour <= wanted.last and left > 0 and answers(hour_url(self.settings.archive.url, hour), left):
                return True
        log.warning("archive out of reach, hours will be simulated", url=self.settings.archive.url)
        return False
