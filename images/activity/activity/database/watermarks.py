"""The progress of a project's database: which hours it has, their source, and which periods they touched."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from psycopg2.extensions import cursor as Cursor

from activity.database.queries import query
from activity.errors import SettingsError
from activity.hour import Hour, hour_at
from activity.periods import PERIODS


class Source(StrEnum):
    """Where the events of an hour came from."""

    ARCHIVE = "archive"
    SIMULATED = "simulated"


@dataclass(frozen=True)
class Watermark:
    """That an hour is in a database, from where, and how many events it had for it."""

    hour: Hour
    source: Source
    events: int


def held_ranges(cursor: Cursor) -> list[tuple[Hour, Hour]]:
    """Return the hours that the database has, as ranges with both ends included."""
    cursor.execute(query("ingest/held_ranges"))
    return [(hour_at(first), hour_at(last)) for first, last in cursor.fetchall()]


def held_sources(cursor: Cursor) -> frozenset[Source]:
    """Return where the hours that the database holds came from."""
    cursor.execute(query("ingest/held_sources"))
    return frozenset(Source(row[0]) for row in cursor.fetchall())


def is_parsed(cursor: Cursor, hour: Hour) -> bool:
    """Tell whether the database has an hour already."""
    cursor.execute(query("ingest/find_parsed"), {"hour": hour.stamp})
    return cursor.fetchone() is not None


def mark_hour(cursor: Cursor, mark: Watermark) -> None:
    """Record an hour; SettingsError when it would mix simulated hours with those of the archive."""
    cursor.execute(
        query("ingest/mark_hour"),
        {"hour": mark.hour.stamp, "source": mark.source.value, "events": mark.events},
    )
    if cursor.rowcount == 0:
        raise _mixed(cursor, mark.hour, mark.source)
    cursor.execute(query("ingest/mark_parsed"), {"hour": mark.hour.stamp})


def add_empty_hours(cursor: Cursor, source: Source, stamps: list[datetime]) -> None:
    """Record hours without events; SettingsError when they would mix simulated hours with those of the archive."""
    words = {"source": source.value, "hours": stamps}
    cursor.execute(query("ingest/take_empty_hours"), words)
    cursor.execute(query("ingest/take_empty_parsed"), words)
    if held_sources(cursor) - {source}:
        raise _mixed(cursor, hour_at(stamps[0]), source)


def _mixed(cursor: Cursor, hour: Hour, source: Source) -> SettingsError:
    return SettingsError(
        [
            f"ACTIVITY_ARCHIVE_SIMULATE: hour {hour} is {source.value}, "
            f"but database {cursor.connection.info.dbname} holds hours of the other kind; the two are never mixed"
        ]
    )


def mark_periods(cursor: Cursor, moments: Iterable[datetime]) -> None:
    """Mark the periods that hold these moments (UTC, without zone) as having to be computed again."""
    cursor.execute(
        query("ingest/mark_periods"),
        {
            "moments": sorted(moments),
            "codes": [period.code for period in PERIODS],
            "units": [period.unit for period in PERIODS],
        },
    )
