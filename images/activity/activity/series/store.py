"""Storing what a metric measured: points that changed are written, points that are no more are removed."""

from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from activity.database.queries import query
from activity.series.catalogue import Metric


@dataclass(frozen=True)
class PointChanges:
    """How many points were written and how many removed."""

    written: int = 0
    removed: int = 0

    def __add__(self, other: "PointChanges") -> "PointChanges":
        return PointChanges(self.written + other.written, self.removed + other.removed)


def store(cursor: Cursor, metric: Metric) -> PointChanges:
    """Measure a metric over the touched periods and make its series say just that."""
    name = {"metric": metric.name}
    cursor.execute(query("series/create_measured"))
    cursor.execute(query("series/measure").replace("{metric}", metric.sql))
    cursor.execute(query("series/remove_stale"), name)
    removed = cursor.rowcount
    cursor.execute(query("series/write_points"), name)
    written = cursor.rowcount
    cursor.execute(query("series/write_state"), name)
    cursor.execute(query("series/drop_measured"))
    return PointChanges(written, removed)
