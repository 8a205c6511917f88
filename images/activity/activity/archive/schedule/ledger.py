"""What becomes of hours that could not be read: tried again with growing waits, given up at last, never forgotten."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from activity import log
from activity.archive.schedule.hour_ranges import Coverage, Range
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
DOUBLINGS = 20


class Ledger:
    """The hours of one archive: which are open, and what happened to each."""

    def __init__(self, settings: Settings, source: Source) -> None:
        self.source = source
        self._settings = settings
        with transaction(settings, LOG_DATABASE) as cursor:
            self.open = open_hours(cursor, source)

    def is_due(self, hour: Hour) -> bool:
        """Tell whether an hour may be tried now: it was not tried yet, or its wait is over."""
        attempt = self.open.get(hour)
        return attempt is None or attempt.is_due(_now())

    def is_last_try(self, hour: Hour) -> bool:
        """Tell whether an hour will be given up if it fails once more."""
        attempt, now = self.open.get(hour), _now()
        return now - (attempt.first_tried_at if attempt else now) >= self._settings.archive.give_up

    def holes(self, last: Hour) -> list[OpenHour]:
        """Return the open hours up to one, in order."""
        return [attempt for hour, attempt in sorted(self.open.items()) if hour <= last]

    def failed(self, hour: Hour, error: ActivityError) -> OpenHour:
        """Record that an hour could not be read, and decide when it is tried again, if at all."""
        now, before = _now(), self.open.get(hour)
        first = before.first_tried_at if before else now
        attempts = before.attempts + 1 if before else 1
        with transaction(self._settings, LOG_DATABASE) as cursor:
            over = now - first >= self._settings.archive.give_up and (
                # What is not there is not there; else the whole archive may be away, which is no reason to give up.
                isinstance(error, HourMissing) or answered_since(cursor, self.source, first)
            )
            missing = HourState.MISSING if isinstance(error, HourMissing) else HourState.FAILING
            attempt = OpenHour(
                hour,
                HourState.GIVEN_UP if over else missing,
                attempts,
                first,
                now,
                None if over else now + wait(self._settings.archive.retry, attempts),
                type(error).__name__,
                str(error),
            )
            record_failure(cursor, self.source, attempt)
        self.open[hour] = attempt
        return attempt

    def done(self, outcome: HourResult, empty: tuple[Project, ...]) -> None:
        """Record that an hour was read or skipped, and for whom it had no event."""
        with transaction(self._settings, LOG_DATABASE) as cursor:
            record_hour(cursor, outcome, _now(), empty)
        self.settled(outcome.hour)

    def catch_up(self, lacking: Mapping[Project, Coverage], first: Hour, last: Hour) -> None:
        """Record hours as read that no project lacks: whoever read them was killed before it could do so.

        `lacking` is what each project of this archive lacks between two hours, both included.
        """
        read = self._stored(lacking, self._unrecorded(lacking, first, last))
        if not read:
            return
        with transaction(self._settings, LOG_DATABASE) as cursor:
            for hour, each in read.items():
                outcome = HourResult(hour, self.source, HourState.READ, sum(events > 0 for events in each), sum(each))
                record_hour(cursor, outcome, _now(), ())
        for hour in read:
            self.settled(hour)
        log.info("hours recorded that were read before", hours=len(read), first=min(read), last=max(read))

    def _unrecorded(self, lacking: Mapping[Project, Coverage], first: Hour, last: Hour) -> list[Range]:
        """The hours that nobody lacks and of which it is not recorded that they were read."""
        with transaction(self._settings, LOG_DATABASE) as cursor:
            settled = Coverage(settled_ranges(cursor, self.source))
        union = Coverage(item for coverage in lacking.values() for item in coverage.ranges())
        return [item for gap in settled.gaps(first, last) for item in union.gaps(*gap)]

    def _stored(self, projects: Iterable[Project], ranges: list[Range]) -> dict[Hour, list[int]]:
        """The hours that were read here or are open, each with the events that projects have of it.

        What DevStats had was never read here, and has no record.
        """
        found = {hour: list[int]() for low, high in ranges for hour in self.open if low <= hour <= high}
        for project in projects if ranges else ():
            with transaction(self._settings, project.database) as cursor:
                for low, high in ranges:
                    for hour, events in hour_events(cursor, self.source, low, high):
                        found.setdefault(hour, []).append(events)
        return found

    def settled(self, hour: Hour) -> None:
        """Know that an hour is no longer open, as another process recorded."""
        self.open.pop(hour, None)


def wait(first: timedelta, attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: twice as long each time, up to an hour (or the first wait)."""
    doubled: timedelta = first * 2 ** min(attempts - 1, DOUBLINGS)
    return min(doubled, max(first, LONGEST_WAIT))


def _now() -> datetime:
    return datetime.now(UTC)
