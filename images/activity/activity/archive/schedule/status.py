"""The status of a project: the hours it has and lacks, how far its backfill is, how fresh its series are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activity.archive.schedule.hour_ranges import HourRanges
from activity.database.connect import LOG_DATABASE, Role, transaction
from activity.database.hour_ledger import empty_ranges
from activity.database.queries import query
from activity.database.watermarks import held_ranges
from activity.hour import Hour, hour_at
from activity.projects import Project
from activity.settings import Settings


@dataclass(frozen=True)
class Backfill:
    """The last backfill of a project; without an end it is still running, or was killed."""

    hours: int
    done: int
    failed: int
    started_at: datetime
    seen_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class ProjectStatus:
    """The status of a project: `hours` it has, and `missing` hours of those up to the newest complete one."""

    project: str
    database: str
    state: str
    hours: int = 0
    missing: int = 0
    events: int = 0
    oldest_hour: str | None = None
    newest_hour: str | None = None
    series_at: datetime | None = None
    pending: int = 0
    deferred_indexes: int = 0
    backfill: Backfill | None = None


def status_of(settings: Settings, project: Project, last: Hour) -> ProjectStatus:
    """Return the status of a project; `state` is absent (no database), empty, or ready."""
    with transaction(settings, LOG_DATABASE) as cursor:
        cursor.execute(query("provision/find_database"), {"database": project.database})
        exists = cursor.fetchone() is not None
        cursor.execute(query("backfill/of_project"), {"project": project.name})
        row = cursor.fetchone()
        empty = [(first, final) for _, _, first, final in empty_ranges(cursor, [project])]
    backfill = Backfill(*row) if row else None
    held: list[tuple[Hour, Hour]] = []
    totals: tuple[Any, ...] = (0, None, 0, 0)
    if exists:
        with transaction(settings, project.database, Role.OWNER) as cursor:
            held = held_ranges(cursor)
            cursor.execute(query("ledger/project_state"))
            totals = cursor.fetchone() or totals
    hours = HourRanges([*held, *empty])
    ranges = hours.ranges()
    state = "empty" if exists else "absent"
    if ranges:
        state = "ready"
    since = settings.archive.since
    begin = hour_at(project.start) if since is None else max(since, hour_at(project.start))
    return ProjectStatus(
        project.name,
        project.database,
        state,
        hours.count(),
        sum(first.distance(final) + 1 for first, final in hours.gaps(begin, last)),
        int(totals[0]),
        str(ranges[0][0]) if ranges else None,
        str(ranges[-1][1]) if ranges else None,
        totals[1],
        totals[2],
        totals[3],
        backfill,
    )
