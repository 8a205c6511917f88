"""The intake of the platform: provisions the projects, decides their source, and reads what they lack."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event as Signal
from time import monotonic

from activity import log
from activity.archive.hours import answers, hour_url
from activity.archive.ingest import Committed, Feed, ingest_hour
from activity.archive.missing import missing_between
from activity.archive.simulate import make_hour
from activity.archive.source import decide
from activity.database.connect import transaction
from activity.database.marks import Source, held_sources
from activity.database.provision import provision
from activity.errors import ActivityError, Stopped
from activity.hour import Hour, hour_at, newest_full_hour
from activity.projects import Project
from activity.settings import Settings

PROBE_SECONDS = 5.0
PROBED_HOURS = 3


@dataclass(frozen=True)
class HourDone:
    """An hour that was read from one source, what it brought, and how long it took."""

    hour: Hour
    source: Source
    committed: list[Committed]
    seconds: float


@dataclass
class Intake:
    """Reads hours for all projects of the settings; `stop` ends it between two thousand lines."""

    settings: Settings
    stop: Signal
    _sources: dict[Project, Source] = field(default_factory=dict)

    def last_wanted(self) -> Hour:
        """Return the newest hour there can be, or the one that the settings end at."""
        newest = newest_full_hour(datetime.now(UTC))
        until = self.settings.archive.until
        return newest if until is None else min(newest, until)

    def prepare(self, first: Hour | None, last: Hour) -> None:
        """Provision every project and decide where its hours come from, once."""
        if self._sources:
            return
        for project in self.settings.projects:
            provision(self.settings, project)
        self._sources = decide(self.settings.archive.simulate, self._held(), lambda: self._is_reachable(first, last))

    def read_between(
        self, first: Hour | None, last: Hour, failed: Callable[[Hour, ActivityError], None]
    ) -> Iterator[HourDone]:
        """Read each hour that is lacking, oldest first; an error is handed to `failed`, which may raise it."""
        self.prepare(first, last)
        for source in dict.fromkeys(self._sources.values()):
            mine = tuple(project for project in self.settings.projects if self._sources[project] is source)
            for hour, projects in missing_between(self.settings, mine, self._first(source, first), last):
                if self.stop.is_set():
                    raise Stopped(f"stopped before hour {hour}. Run again to go on from there.")
                try:
                    yield self._read(hour, source, projects)
                except ActivityError as error:
                    failed(hour, error)

    def _first(self, source: Source, first: Hour | None) -> Hour | None:
        """Return from when on a source is read: simulated hours may begin earlier than real ones unless told."""
        archive = self.settings.archive
        told = source is Source.ARCHIVE or first != archive.since
        return first if told else archive.simulated_since or first

    def _read(self, hour: Hour, source: Source, projects: tuple[Project, ...]) -> HourDone:
        began = monotonic()
        feed = Feed(self._url(source, hour), source)
        committed = ingest_hour(self.settings, feed, hour, projects, self.stop)
        seconds = monotonic() - began
        events = sum(done.events for done in committed)
        log.info("hour read", hour=hour, source=source, projects=len(committed), events=events, seconds=seconds)
        return HourDone(hour, source, committed, seconds)

    def _url(self, source: Source, hour: Hour) -> str:
        if source is Source.ARCHIVE:
            return self.settings.archive.url
        return make_hour(self.settings.archive.cache, self.settings.projects, hour).parent.absolute().as_uri()

    def _held(self) -> dict[Project, frozenset[Source]]:
        held = {}
        for project in self.settings.projects:
            with transaction(self.settings, project.database) as cursor:
                held[project] = held_sources(cursor)
        return held

    def _is_reachable(self, first: Hour | None, last: Hour) -> bool:
        """Probe the first wanted hours: one may be missing from the archive, not all of them."""
        start = first or min(hour_at(project.start) for project in self.settings.projects)
        deadline = monotonic() + PROBE_SECONDS
        for hour in (start.shift(number) for number in range(PROBED_HOURS)):
            left = deadline - monotonic()
            if hour <= last and left > 0 and answers(hour_url(self.settings.archive.url, hour), left):
                return True
        log.warning("archive out of reach, hours will be simulated", url=self.settings.archive.url)
        return False
