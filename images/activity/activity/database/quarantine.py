"""Bytes of hours that are no event, kept with their place in the log database: once for the whole platform."""

from collections.abc import Iterable
from dataclasses import dataclass

from activity.database.connect import LOG_DATABASE, transaction
from activity.database.queries import query
from activity.database.watermarks import Source
from activity.hour import Hour
from activity.settings import Settings


@dataclass(frozen=True)
class Rejected:
    """Bytes that are no event: their line (from 1), their first byte in the hour, how many, why, the first of them."""

    line: int
    start: int
    length: int
    reason: str
    detail: str
    data: bytes


def quarantine(
    settings: Settings, hour: Hour, source: Source, found: Iterable[Rejected], *, anew: bool = False
) -> None:
    """Keep what an hour held that is no event; doing it again changes nothing.

    `anew` forgets first what was kept of the hour: it may have been read from another file.
    """
    rows = list(found)
    if not rows and not anew:
        return
    place = {"hour": hour.stamp, "source": source.value}
    with transaction(settings, LOG_DATABASE) as cursor:
        if anew:
            cursor.execute(query("quarantine/release"), place)
        for row in rows:
            values = {
                "line": row.line,
                "start": row.start,
                "length": row.length,
                "reason": row.reason,
                "detail": row.detail,
                "bytes": row.data,
            }
            cursor.execute(query("quarantine/keep"), place | values)
