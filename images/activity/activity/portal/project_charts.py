"""The figures of a project's page: from the stored series to charts with their totals, legends and tables."""

import re
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from activity.portal.charts import MEDIUM, NARROW, WIDE, Chart, ChartSeries, Values, columns, mirrored, spark
from activity.portal.formats import counted, number
from activity.portal.series_table import SeriesTable


@dataclass(frozen=True)
class Part:
    """One series of a figure on its own: a row of the legend or a small multiple."""

    name: str
    kind: str
    total: float
    peak: float
    drawing: Markup


@dataclass(frozen=True)
class ProjectChart:
    """A chart with what belongs to it; `drawings` are the same chart for wide and for narrow rooms."""

    metric: str
    title: str
    note: str
    drawings: tuple[Markup, ...]
    legend: tuple[Part, ...]
    parts: tuple[Part, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[datetime, int, tuple[float | None, ...]], ...]
    gaps: int
    incomplete: int
    table: SeriesTable


def project_chart(table: SeriesTable) -> ProjectChart:
    """The figure of a metric."""
    return {"events": _events, "contributors": _contributors, "pull_requests": _pull_requests}[table.metric](table)


def event_title(name: str) -> str:
    """An event type as read: PullRequestReviewEvent is Pull request review."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Event")).strip()
    return (words[:1] + words[1:].lower()) or name


def _events(table: SeriesTable) -> ProjectChart:
    names = table.by_size()
    total = ChartSeries("events", "first", _sum(table, names))
    chart = _chart(table, "Events", "events", (total,), _details(table, names))
    drawings = (columns(chart, WIDE), columns(chart, NARROW))
    return _figure(table, "Events", _note(table, total), drawings, parts=_parts(table, names), columns_=names)


def _contributors(table: SeriesTable) -> ProjectChart:
    line = ChartSeries("contributors", "first", table.values["all"])
    chart = _chart(table, "Contributors", "contributors", (line,))
    peak = max((value for value in line.values if value is not None), default=0)
    each = "hour" if table.window.period == "h" else "day"
    drawings = (columns(chart, MEDIUM), columns(chart, NARROW))
    return _figure(table, "Contributors", f"peak {number(peak)} per {each}", drawings, columns_=["all"])


def _pull_requests(table: SeriesTable) -> ProjectChart:
    names = ["opened", "merged"]
    pair = tuple(
        ChartSeries(name, kind, table.values[name]) for name, kind in zip(names, ("first", "second"), strict=True)
    )
    chart = _chart(table, "Pull requests", "pull requests", pair)
    note = " · ".join(f"{number(table.total(name))} {name}" for name in names)
    legend = tuple(_part(table, line.name, line.name, line.kind) for line in pair)
    drawings = (mirrored(chart, MEDIUM), mirrored(chart, NARROW))
    return _figure(table, "Pull requests", note, drawings, legend=legend, columns_=names)


def _figure(
    table: SeriesTable,
    title: str,
    note: str,
    drawings: tuple[Markup, ...],
    columns_: list[str],
    legend: tuple[Part, ...] = (),
    parts: tuple[Part, ...] = (),
) -> ProjectChart:
    held = table.held
    rows = tuple(
        (time, held[at], tuple(table.values[name][at] for name in columns_)) for at, time in enumerate(table.times)
    )
    gaps = sum(1 for hours in held if not hours)
    incomplete = sum(1 for hours in held if 0 < hours < table.hours_per_period)
    return ProjectChart(
        table.metric, title, note, drawings, legend, parts, tuple(columns_), rows, gaps, incomplete, table
    )


def _chart(
    table: SeriesTable, title: str, unit: str, shown: tuple[ChartSeries, ...], details: tuple[str, ...] = ()
) -> Chart:
    held = tuple(hours / table.hours_per_period for hours in table.held)
    return Chart(title, unit, table.window.period, table.times, held, shown, details)


def _sum(table: SeriesTable, names: list[str]) -> Values:
    return tuple(
        sum(table.values[name][at] or 0 for name in names) if hours else None for at, hours in enumerate(table.held)
    )


def _details(table: SeriesTable, names: list[str]) -> tuple[str, ...]:
    return tuple(_largest(table, names, at) for at in range(len(table.times)))


def _largest(table: SeriesTable, names: list[str], at: int) -> str:
    found = sorted(((table.values[name][at] or 0, name) for name in names), key=lambda pair: -pair[0])[:3]
    return ", ".join(f"{event_title(name).lower()} {number(value)}" for value, name in found if value)


def _parts(table: SeriesTable, names: list[str]) -> tuple[Part, ...]:
    return tuple(_part(table, name, event_title(name), "spark") for name in names)


def _part(table: SeriesTable, name: str, title: str, kind: str) -> Part:
    values = table.values[name]
    peak = max((value for value in values if value is not None), default=0)
    label = f"{title}: {number(table.total(name))} in total, peak {number(peak)}"
    return Part(title, kind, table.total(name), peak, spark(values, label))


def _note(table: SeriesTable, line: ChartSeries) -> str:
    total = sum(value for value in line.values if value is not None)
    return f"{counted(total, 'event')} of {counted(len(table.values), 'type')}"
