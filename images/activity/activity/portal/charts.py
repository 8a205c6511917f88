"""Charts as SVG: columns whose periods can be pointed at or reached with the keyboard, and small ones without axes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from xml.etree.ElementTree import Element

from markupsafe import Markup

from activity.portal.formats import compact, number, period_name
from activity.portal.svg import add, markup, picture
from activity.portal.ticks import count_ticks, time_ticks

Values = tuple[float | None, ...]


@dataclass(frozen=True)
class ChartSeries:
    """One series of a chart; its kind is its class in the style sheet: filled, or drawn in outline."""

    name: str
    kind: str
    values: Values

    @property
    def highest(self) -> float:
        """The largest value, 0 where there is none."""
        return max((value for value in self.values if value is not None), default=0)


@dataclass(frozen=True)
class Chart:
    """What a chart shows: periods, the share of each that is held (0 to 1), and series over them."""

    title: str
    unit: str
    period: str
    times: tuple[datetime, ...]
    held: tuple[float, ...]
    lines: tuple[ChartSeries, ...]
    details: tuple[str, ...] = ()

    def words(self, at: int, detailed: bool = True) -> str:
        """What one period says, in a sentence."""
        when = period_name(self.times[at], self.period)
        if self.held[at] == 0:
            return f"{when}: no data"
        told = ", ".join(self._told(line, line.values[at]) for line in self.lines)
        part = "" if self.held[at] == 1 else f" ({round(self.held[at] * 24)} of 24 hours)"
        detail = f" ({self.details[at]})" if detailed and self.details and self.details[at] else ""
        return f"{when}: {told}{detail}{part}"

    def summary(self) -> str:
        """What the whole chart says, for those who do not see it."""
        if not any(self.held):
            return f"{self.title}: no data in this range"
        peaks = []
        for line in self.lines:
            at = max(range(len(line.values)), key=lambda index: line.values[index] or 0)
            peaks.append(f"{line.name} peak {number(line.values[at])} ({period_name(self.times[at], self.period)})")
        return f"{self.title}: " + "; ".join(peaks)

    def _told(self, line: ChartSeries, value: float | None) -> str:
        if len(self.lines) > 1:
            return f"{line.name} {number(value)}"
        return f"{number(value)} {self.unit.removesuffix('s') if value == 1 else self.unit}"


@dataclass(frozen=True)
class Frame:
    """The size of a drawing in its own units, and how many ticks there is room for."""

    name: str
    width: float
    height: float
    ticks: int
    left: float = 46
    right: float = 10
    top: float = 30
    bottom: float = 28

    @property
    def floor(self) -> float:
        """Where zero is drawn."""
        return self.height - self.bottom

    @property
    def inner_width(self) -> float:
        """The width between the axes."""
        return self.width - self.left - self.right


# The page shows the one that suits the room: text stays readable on a phone and is not blown up on a desk.
WIDE = Frame("wide", 860, 270, ticks=9)
MEDIUM = Frame("medium", 480, 240, ticks=6)
NARROW = Frame("narrow", 320, 220, ticks=4)


def columns(chart: Chart, frame: Frame) -> Markup:
    """A column for each period of the one series of a chart."""
    return _draw(chart, frame, _column_marks)


def mirrored(chart: Chart, frame: Frame) -> Markup:
    """Two series against each other: columns of the first upwards, of the second downwards from zero."""
    return _draw(chart, frame, _mirrored_marks, below=chart.lines[1].highest)


def spark(values: Values, label: str, kind: str = "spark") -> Markup:
    """Small columns without axes, for a list or a row of small multiples."""
    width, height = 4 * max(len(values), 6), 28
    svg = picture(width, height, class_=kind, role="img", aria_label=label, preserveAspectRatio="none")
    highest = max((value for value in values if value is not None), default=0) or 1
    for at, value in enumerate(values):
        if value is not None:
            tall = max(value / highest * height, 1)
            add(svg, "rect", class_="bar" if value else "none", x=4 * at, y=height - tall, width=3, height=tall)
    missing = "".join(f"M{4 * at} {height - 0.5}h3" for at, value in enumerate(values) if value is None)
    if missing:
        add(svg, "path", class_="missing", d=missing)
    return markup(svg)


class _Plot:
    """Places values and periods of one chart in one frame; `below` is how far it reaches under zero."""

    def __init__(self, chart: Chart, frame: Frame, below: float) -> None:
        self.chart, self.frame = chart, frame
        up = chart.lines[0].highest
        self.ticks = count_ticks(max(up, below), wanted=3 if below else 4)
        self.step = self.ticks[1]
        self.steps_up = max(ceil(up / self.step), 1)
        self.steps_down = ceil(below / self.step)
        self.slot = frame.inner_width / max(len(chart.times), 1)

    def x(self, at: int) -> float:
        return self.frame.left + at * self.slot

    def middle(self, at: int) -> float:
        return self.x(at) + self.slot / 2

    def y(self, value: float) -> float:
        room = self.frame.floor - self.frame.top
        return self.frame.top + room * (self.steps_up - value / self.step) / (self.steps_up + self.steps_down)


Marks = Callable[[Element, _Plot, int], None]


def _draw(chart: Chart, frame: Frame, marks: Marks, below: float = 0) -> Markup:
    plot = _Plot(chart, frame, below)
    svg = picture(frame.width, frame.height, class_=f"chart {frame.name}", role="group", aria_label=chart.summary())
    _axes(svg, plot)
    for at in range(len(chart.times)):
        point = add(svg, "g", class_="point", tabindex="0", role="img", aria_label=chart.words(at))
        add(point, "rect", class_="band", x=plot.x(at), y=frame.top, width=plot.slot, height=frame.floor - frame.top)
        marks(point, plot, at)
        told = chart.words(at, detailed=frame is WIDE)
        add(point, "text", told, class_="told", x=0, y=14, aria_hidden="true")
    return markup(svg)


def _axes(svg: Element, plot: _Plot) -> None:
    frame, chart = plot.frame, plot.chart
    axes = add(svg, "g", class_="axes", aria_hidden="true")
    add(axes, "text", chart.unit, class_="unit", x=0, y=14)
    for tick in range(-plot.steps_down * plot.step, plot.steps_up * plot.step + 1, plot.step):
        y = plot.y(tick)
        kind = "zero" if tick == 0 else "grid"
        add(axes, "line", class_=kind, x1=frame.left, x2=frame.width - frame.right, y1=y, y2=y)
        add(axes, "text", compact(abs(tick)), class_="count", x=frame.left - 8, y=y + 4, text_anchor="end")
    for at, label in time_ticks(chart.times, chart.period, frame.ticks):
        x = min(max(plot.middle(at), frame.left + 16), frame.width - frame.right - 16)
        add(axes, "line", class_="tick", x1=plot.middle(at), x2=plot.middle(at), y1=frame.floor, y2=frame.floor + 5)
        add(axes, "text", label, class_="time", x=x, y=frame.floor + 19, text_anchor="middle")


def _column_marks(point: Element, plot: _Plot, at: int) -> None:
    _bar(point, plot, at, plot.chart.lines[0])


def _mirrored_marks(point: Element, plot: _Plot, at: int) -> None:
    up, down = plot.chart.lines
    _bar(point, plot, at, up)
    _bar(point, plot, at, down, downwards=True)


def _bar(point: Element, plot: _Plot, at: int, line: ChartSeries, downwards: bool = False) -> None:
    value, zero = line.values[at], plot.y(0)
    if value is None:
        add(point, "rect", class_="gap", x=plot.x(at), y=zero - 1.5, width=plot.slot, height=3)
    elif value:
        end = plot.y(-value if downwards else value)
        width = min(plot.slot * 0.78, 44)
        kind = f"bar {line.kind}" + ("" if plot.chart.held[at] == 1 else " part")
        x = plot.middle(at) - width / 2
        add(point, "rect", class_=kind, x=x, y=min(zero, end), width=width, height=abs(end - zero))
