"""The ledger of hours in the log database: the state of each hour, and which projects had no event in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from psycopg2.extensions import cursor as Cursor

from activity.database.connect import LOG_DATABASE, transaction
from activity.database.queries import query
from activity.database.watermarks import Source, add_empty_hours, mark_periods
from activity.hour import Hour, hour_at
from activity.projects import Project
from activity.settings import Settings


class HourState(StrEnum):
    """The state of an hour of an archive."""

    MISSING = "missing"
    FAILING = "failing"
    GIVEN_UP = "given up"
    READ = "read"
    SALVAGED = "salvaged"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class OpenHour:
    """An hour that could not be read so far; without a next try it was given up."""

    hour: Hour
    state: HourState
    attempts: int
    first_tried_at: datetime
    last_tried_at: datetime
    next_try_at: datetime | None
    error: str
    problem: str

    def is_due(self, now: datetime) -> bool:
        """Tell whether it is time to try again."""
        return self.next_try_at is not None and self.next_try_at <= now


@dataclass(frozen=True)
class HourResult:
    """How an hour ended that was read or skipped: for how many projects, with how many events, in how many seconds."""

    hour: Hour
    source: Source
    state: HourState
    projects: int = 0
    events: int = 0
    seconds: float | None = None
    problem: str = ""


def open_hours(cursor: Cursor, source: Source) -> dict[Hour, OpenHour]:
    """Return the hours that are missing, failing or given up."""
    cursor.execute(query("ledger/open_hours"), {"source": source.value})
    found = ((hour_at(stamp), HourState(state), *rest) for stamp, state, *rest in cursor.fetchall())
    return {hour: OpenHour(hour, state, *rest) for hour, state, *rest in found}


def settled_ranges(cursor: Cursor, source: Source) -> list[tuple[Hour, Hour]]:
    """Return the hours of which it is recorded that they were read or skipped, as ranges with both ends included."""
    cursor.execute(query("ledger/settled_ranges"), {"source": source.value})
    return [(hour_at(first), hour_at(last)) for first, last in cursor.fetchall()]


def hour_events(cursor: Cursor, source: Source, first: Hour, last: Hour) -> list[tuple[Hour, int]]:
    """Return the hours of a range that a project's database has, and how many events each had for it."""
    cursor.execute(query("ledger/hour_events"), {"source": source.value, "first": first.stamp, "last": last.stamp})
    return [(hour_at(stamp), events) for stamp, events in cursor.fetchall()]


def record_failure(cursor: Cursor, source: Source, attempt: OpenHour) -> None:
    """Record that an hour could not be read."""
    cursor.execute(
        query("ledger/record_failure"),
        {
            "source": source.value,
            "hour": attempt.hour.stamp,
            "state": attempt.state.value,
            "now": attempt.last_tried_at,
            "next": attempt.next_try_at,
            "error": attempt.error,
            "problem": attempt.problem,
        },
    )


def record_hour(cursor: Cursor, outcome: HourResult, now: datetime, empty: Iterable[Project]) -> None:
    """Record that an hour was read or skipped, and for whom it had no event."""
    cursor.execute(
        query("ledger/record_hour"),
        {
            "source": outcome.source.value,
            "hour": outcome.hour.stamp,
            "state": outcome.state.value,
            "now": now,
            "projects": outcome.projects,
            "events": outcome.events,
            "seconds": outcome.seconds,
            "error": "",
            "problem": outcome.problem,
        },
    )
    databases = [project.database for project in empty]
    if databases:
        words = {"hour": outcome.hour.stamp, "source": outcome.source.value, "databases": databases}
        cursor.execute(query("ledger/mark_empty"), words)


def answered_since(cursor: Cursor, source: Source, moment: datetime) -> bool:
    """Tell whether any hour of an archive was read after a moment."""
    cursor.execute(query("ledger/answered_since"), {"source": source.value, "moment": moment})
    (answer,) = cursor.fetchone() or (False,)
    return bool(answer)


def empty_ranges(cursor: Cursor, projects: Iterable[Project]) -> list[tuple[str, Source, Hour, Hour]]:
    """Return the hours without events that databases have not taken over yet: database, source, first, last."""
    cursor.execute(query("ledger/empty_ranges"), {"databases": [project.database for project in projects]})
    return [
        (database, Source(source), hour_at(first), hour_at(last)) for database, source, first, last in cursor.fetchall()
    ]


def apply_empty_hours(settings: Settings, project: Project) -> int:
    """Record a project's hours without events in its own database; returns how many. Safe to repeat."""
    with transaction(settings, LOG_DATABASE) as cursor:
        cursor.execute(query("ledger/empty_hours"), {"database": project.database})
        found = [(Source(source), stamps) for source, stamps in cursor.fetchall()]
    for source, stamps in found:
        with transaction(settings, project.database) as cursor:
            add_empty_hours(cursor, source, stamps)
            mark_periods(cursor, stamps)
        # Removed from the ledger only once they are stored: after a kill in between, they are applied again.
        with transaction(settings, LOG_DATABASE) as cursor:
            cursor.execute(query("ledger/forget_empty"), {"database": project.database, "hours": stamps})
    return sum(len(stamps) for _, stamps in found)
