"""The ledger of hours as the portal shows it: what was read, what is missing, and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import cursor as Cursor

from activity.database.connect import LOG_DATABASE
from activity.database.queries import query
from activity.portal.connections import Connections, rows
from activity.portal.formats import iso

MAX_LISTED = 500
OPEN_STATES = ("missing", "failing", "given up")
SETTLED_STATES = ("read", "salvaged", "skipped")


@dataclass(frozen=True)
class MissingHour:
    """An hour that is missing; without a next try it was given up."""

    hour: datetime
    source: str
    state: str
    attempts: int
    first_tried_at: datetime
    last_tried_at: datetime
    next_try_at: datetime | None
    problem: str


@dataclass(frozen=True)
class HourStatus:
    """How many hours stand how, the newest that was read, and those that are missing (at most MAX_LISTED)."""

    counts: dict[str, int]
    newest: datetime | None
    read_at: datetime | None
    holes: tuple[MissingHour, ...]

    @property
    def missing(self) -> int:
        """How many hours are missing, also those that are not listed."""
        return sum(self.counts.get(state, 0) for state in OPEN_STATES)


def read_hour_status(connections: Connections) -> HourStatus:
    """The ledger as it stands. Raises DatabaseUnreachable, DatabaseBusy, NotReady."""

    def work(cursor: Cursor) -> HourStatus:
        found = rows(cursor, query("portal/ledger"))
        held = [row for row in found if row[0] in SETTLED_STATES]
        return HourStatus(
            {state: count for state, count, _, _ in found},
            max((newest for _, _, newest, _ in held), default=None),
            max((tried for _, _, _, tried in held), default=None),
            tuple(MissingHour(*row) for row in rows(cursor, query("portal/open_hours"), limit=MAX_LISTED)),
        )

    return connections.read(LOG_DATABASE, work)


def hours_json(hours: HourStatus) -> dict[str, Any]:
    """The ledger as the API gives it."""
    return {
        "counts": {state: hours.counts.get(state, 0) for state in (*SETTLED_STATES, *OPEN_STATES)},
        "newest_hour": iso(hours.newest),
        "read_at": iso(hours.read_at),
        "missing": [
            {
                "hour": iso(hole.hour),
                "source": hole.source,
                "state": hole.state,
                "attempts": hole.attempts,
                "first_tried_at": iso(hole.first_tried_at),
                "last_tried_at": iso(hole.last_tried_at),
                "next_try_at": iso(hole.next_try_at),
                "problem": hole.problem,
            }
            for hole in hours.holes
        ],
    }
