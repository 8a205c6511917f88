"""The stored series of a project, laid out period by period."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

from psycopg2.extensions import cursor as Cursor

from activity.database.queries import query
from activity.portal.connections import Connections, rows
from activity.portal.formats import iso
from activity.portal.query import Window


@dataclass(frozen=True)
class SeriesTable:
    """One metric in one window: a row of values for each series, None where no hour of the period is held."""

    metric: str
    window: Window
    times: tuple[datetime, ...]
    values: dict[str, tuple[float | None, ...]]
    held: tuple[int, ...]
    computed_at: datetime | None
    pending: int

    @property
    def hours_per_period(self) -> int:
        """How many hours make a whole period."""
        return 24 if self.window.period == "d" else 1

    def total(self, name: str) -> float:
        """The sum of a series over the window."""
        return sum(value for value in self.values[name] if value is not None)

    def by_size(self) -> list[str]:
        """The names of the series, the largest total first."""
        return sorted(self.values, key=lambda name: (-self.total(name), name))


# Series that a metric always has, so that a quiet window shows them at zero rather than not at all.
FIXED = {"contributors": ("all",), "pull_requests": ("opened", "merged")}


def read_tables(connections: Connections, database: str, metrics: Sequence[str], window: Window) -> list[SeriesTable]:
    """The tables of several metrics, over one connection."""
    return connections.read(database, lambda cursor: [_table(cursor, metric, window) for metric in metrics])


def as_csv(table: SeriesTable) -> str:
    """A line for each period, a column for each series; empty where no hour is held."""
    out = StringIO()
    writer = csv.writer(out)
    names = _columns(table)
    writer.writerow(["time", "hours_held", *names])
    for index, time in enumerate(table.times):
        values = [table.values[name][index] for name in names]
        writer.writerow([iso(time), table.held[index], *("" if v is None else f"{v:g}" for v in values)])
    return out.getvalue()


def as_json(table: SeriesTable, project: str) -> dict[str, object]:
    """The table as the API gives it."""
    return {
        "project": project,
        "metric": table.metric,
        "period": table.window.period,
        "from": iso(table.window.start),
        "to": iso(table.window.end),
        "computed_at": iso(table.computed_at),
        "periods_pending": table.pending,
        "times": [iso(time) for time in table.times],
        "hours_held": list(table.held),
        "series": [{"name": name, "values": list(table.values[name])} for name in _columns(table)],
    }


def _columns(table: SeriesTable) -> list[str]:
    return list(FIXED.get(table.metric) or table.by_size())


def _table(cursor: Cursor, metric: str, window: Window) -> SeriesTable:
    span = {"period": window.period, "start": window.start, "end": window.end}
    times = window.times()
    held_by_time: dict[datetime, int] = dict(rows(cursor, query("portal/hours_held"), **span))
    held = tuple(held_by_time.get(time, 0) for time in times)
    found = rows(cursor, query("portal/series"), metric=metric, **span)
    computed_at, pending = rows(cursor, query("portal/series_state"), metric=metric, period=window.period)[0]
    return SeriesTable(metric, window, times, _values(metric, times, held, found), held, computed_at, pending)


def _values(
    metric: str, times: tuple[datetime, ...], held: tuple[int, ...], found: list[tuple[datetime, str, float]]
) -> dict[str, tuple[float | None, ...]]:
    stored = {(name, time): value for time, name, value in found}
    names = dict.fromkeys((*FIXED.get(metric, ()), *(name for _, name, _ in found)))
    return {
        name: tuple(stored.get((name, time), 0.0 if hours else None) for time, hours in zip(times, held, strict=True))
        for name in names
    }
