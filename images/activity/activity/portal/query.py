"""What a visitor may ask for in an address, read strictly: a wrong value is refused with what is allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from activity.portal.errors import InvalidParameter, NotFound
from activity.times import parse_time

STEPS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
RANGES = {
    "h": {"24h": timedelta(hours=24), "48h": timedelta(hours=48), "7d": timedelta(days=7)},
    "d": {"30d": timedelta(days=30), "90d": timedelta(days=90), "1y": timedelta(days=365)},
}
DEFAULT_RANGE = {"h": "48h", "d": "90d"}
METRICS = ("events", "contributors", "pull_requests")
MAX_PERIODS = 10_000
MIN_PERIODS = 6


@dataclass(frozen=True)
class Window:
    """Periods from `start` up to, not including, `end`; naive UTC, both at the start of a period."""

    period: str
    start: datetime
    end: datetime

    @property
    def step(self) -> timedelta:
        """The length of one period."""
        return STEPS[self.period]

    def times(self) -> tuple[datetime, ...]:
        """The start of each period."""
        count = (self.end - self.start) // self.step
        return tuple(self.start + index * self.step for index in range(count))


def metric_of(name: str) -> str:
    """The metric of that name. Raises NotFound."""
    if name not in METRICS:
        raise NotFound(f"Metric “{name}” not found. Metrics: {', '.join(METRICS)}.")
    return name


def period_of(query: Mapping[str, str]) -> str:
    """The period asked for, hours where nothing is said."""
    return _choice(query, "period", tuple(STEPS), "h")


def range_of(query: Mapping[str, str], period: str) -> str:
    """The name of the range asked for, among those that suit the period."""
    return _choice(query, "range", tuple(RANGES[period]), DEFAULT_RANGE[period])


def page_window(query: Mapping[str, str], oldest_hour: datetime, newest_hour: datetime) -> Window:
    """The window a page shows: up to `range` long, ending with `to` or with the newest hour held.

    It does not reach back before the oldest hour held, but for MIN_PERIODS: nothing is there to be seen.
    """
    period = period_of(query)
    end = _end_of(query, period, newest_hour)
    start = end - RANGES[period][range_of(query, period)]
    oldest = floor(oldest_hour, period)
    if oldest < end:
        start = max(start, min(oldest, end - MIN_PERIODS * STEPS[period]))
    return Window(period, start, end)


def series_window(query: Mapping[str, str], newest_hour: datetime) -> Window:
    """The window of `from` and `to`, by default as long as a page's; at most MAX_PERIODS periods."""
    period = period_of(query)
    end = _end_of(query, period, newest_hour)
    length = RANGES[period][DEFAULT_RANGE[period]]
    start = floor(_time(query["from"], "from"), period) if query.get("from") else end - length
    if start >= end:
        raise InvalidParameter(f"from ({start.isoformat()}) must be before to ({end.isoformat()}).")
    if (end - start) // STEPS[period] > MAX_PERIODS:
        wanted = (end - start) // STEPS[period]
        raise InvalidParameter(f"from and to span {wanted:,} periods; the maximum is {MAX_PERIODS:,}.")
    return Window(period, start, end)


def floor(moment: datetime, period: str) -> datetime:
    """The start of the period that holds the moment."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour.replace(hour=0) if period == "d" else hour


def _end_of(query: Mapping[str, str], period: str, newest_hour: datetime) -> datetime:
    if not query.get("to"):
        return floor(newest_hour, period) + STEPS[period]
    asked = _time(query["to"], "to")
    start = floor(asked, period)
    return start if start == asked else start + STEPS[period]


# Far enough from both ends of the calendar that a range can be added or taken away.
_EARLIEST = datetime(1970, 1, 1)
_LATEST = datetime(9000, 1, 1)


def _time(text: str, name: str) -> datetime:
    allowed = ("2015-01-01", "2015-01-01T05:00", "2015-01-01T05:00:00Z")
    try:
        naive = parse_time(text).replace(tzinfo=None)
    except ValueError as error:
        raise _refusal(name, text, allowed) from error
    if not _EARLIEST <= naive <= _LATEST:
        raise _refusal(name, text, allowed)
    return naive


def _choice(query: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = query.get(name) or default
    if value not in allowed:
        raise _refusal(name, value, allowed)
    return value


def _refusal(name: str, value: str, allowed: tuple[str, ...]) -> InvalidParameter:
    shown = value if len(value) <= 60 else value[:57] + "…"
    return InvalidParameter(f"{name}={shown} is invalid. Allowed: {', '.join(allowed)}.", allowed)
