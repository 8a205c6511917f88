"""The record of hours: failed ones are retried after growing waits, given up at last, and never forgotten."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from activity import log
from activity.archive.schedule.hour_ranges import HourRanges, Range, union
from activity.database.connect import LOG_DATABASE, transaction
from activity.database.hour_ledger import (
    HourResult,
    HourState,
    OpenHour,
    answered_since,
    hour_events,
    open_hours,
    record_failure,
    record_hour,
    settled_ranges,
)
from activity.database.watermarks import Source
from activity.errors import ActivityError, HourMissing
from activity.hour import Hour
from activity.projects import Project
from activity.settings import Settings

LONGEST_WAIT = timedelta(hours=1)
# Enough to reach the longest wait from a second; more would only overflow.
MOST_DOUBLINGS = 20


class Ledger:
    """The hours of one source: `open` holds the last failed attempt at each hour that was not read since."""

    def __init__(self, settings: Settings, source: Source) -> None:
        self.source = source
        self._settings = settings
        with transaction(settings, LOG_DATABASE) as cursor:
            self.open = open_hours(cursor, source)

    def is_due(self, hour: Hour) -> bool:
        """Tell whether to try an hour now: it was not tried yet, or its wait is over."""
        attempt = self.open.get(hour)
        return attempt is None or attempt.is_due(_now())

    def is_last_try(self, hour: Hour) -> bool:
        """Tell whether an hour is given up if its next attempt fails."""
        attempt, now = self.open.get(hour), _now()
        return now - (attempt.first_tried_at if attempt else now) >= self._settings.archive.give_up

    def holes(self, last: Hour) -> list[OpenHour]:
        """Return the attempts at open hours up to `last`, sorted by hour."""
        return [attempt for hour, attempt in sorted(self.open.items()) if hour <= last]

    def failed(self, hour: Hour, error: ActivityError) -> OpenHour:
        """Record a failed attempt, and decide when to retry the hour, or to give it up."""
        now, previous = _now(), self.open.get(hour)
        first_tried_at = previous.first_tried_at if previous else now
        attempts = previous.attempts + 1 if previous else 1
        missing = isinstance(error, HourMissing)
        with transaction(self._settings, LOG_DATABASE) as cursor:
            # An hour that is not published is given up; any other failure only if the archive answered for other
            # hours since then: an archive that is down as a whole is no reason to give up.
            give_up = now - first_tried_at >= self._settings.archive.give_up and (
                missing or answered_since(cursor, self.source, first_tried_at)
            )
            retried = HourState.MISSING if missing else HourState.FAILING
            attempt = OpenHour(
                hour,
                HourState.GIVEN_UP if give_up else retried,
                attempts,
                first_tried_at,
                now,
                None if give_up else now + wait(self._settings.archive.retry, attempts),
                type(error).__name__,
                str(error),
            )
            record_failure(cursor, self.source, attempt)
        self.open[hour] = attempt
        return attempt

    def done(self, outcome: HourResult, empty: tuple[Project, ...]) -> None:
        """Record that an hour was read or skipped, and which projects had no event in it."""
        with transaction(self._settings, LOG_DATABASE) as cursor:
            record_hour(cursor, outcome, _now(), empty)
        self.settled(outcome.hour)

    def settled(self, hour: Hour) -> None:
        """Forget the failed attempts at an hour that another process has recorded as read."""
        self.open.pop(hour, None)

    def catch_up(self, missing: Mapping[Project, HourRanges], first: Hour, last: Hour) -> None:
        """Record hours that every project has but that are not recorded: their reader was killed before it could.

        `missing` holds what each project of this source lacks between `first` and `last`, both included.
        """
        events_by_hour = self._stored(missing, self._unrecorded(missing, first, last))
        if not events_by_hour:
            return
        with transaction(self._settings, LOG_DATABASE) as cursor:
            for hour, events in events_by_hour.items():
                projects = sum(count > 0 for count in events)
                record_hour(cursor, HourResult(hour, self.source, HourState.READ, projects, sum(events)), _now(), ())
        for hour in events_by_hour:
            self.settled(hour)
        first_found, last_found = min(events_by_hour), max(events_by_hour)
        log.info("recorded hours found in the databases", hours=len(events_by_hour), first=first_found, last=last_found)

    def _unrecorded(self, missing: Mapping[Project, HourRanges], first: Hour, last: Hour) -> list[Range]:
        """Return the hours that no project lacks and that are not recorded as read."""
        with transaction(self._settings, LOG_DATABASE) as cursor:
            recorded = HourRanges(settled_ranges(cursor, self.source))
        any_missing = union(missing.values())
        unrecorded: list[Range] = []
        for gap in recorded.gaps(first, last):
            unrecorded.extend(any_missing.gaps(*gap))
        return unrecorded

    def _stored(self, projects: Iterable[Project], ranges: list[Range]) -> dict[Hour, list[int]]:
        """Return the hours that were read here or are open, each with the number of events of every project.

        Hours that DevStats stored were never read here, and have no record.
        """
        stored = {hour: list[int]() for low, high in ranges for hour in self.open if low <= hour <= high}
        if not ranges:
            return stored
        for project in projects:
            with transaction(self._settings, project.database) as cursor:
                for low, high in ranges:
                    for hour, events in hour_events(cursor, self.source, low, high):
                        stored.setdefault(hour, []).append(events)
        return stored


class Ledgers:
    """The ledger of each source, loaded when it is first asked for; a planner and its runner share them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ledgers: dict[Source, Ledger] = {}

    def of(self, source: Source) -> Ledger:
        """Return the ledger of a source."""
        if source not in self._ledgers:
            self._ledgers[source] = Ledger(self._settings, source)
        return self._ledgers[source]

    def all(self) -> tuple[Ledger, ...]:
        """Return the ledgers that are loaded."""
        return tuple(self._ledgers.values())


def wait(first: timedelta, attempts: int) -> timedelta:
    """Return how long to wait after the given number of attempts: doubled each time, up to an hour or `first`."""
    doubled: timedelta = first * 2 ** min(attempts - 1, MOST_DOUBLINGS)
    return min(doubled, max(first, LONGEST_WAIT))


def _now() -> datetime:
    return datetime.now(UTC)
