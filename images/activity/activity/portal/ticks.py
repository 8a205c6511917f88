"""Readable ticks for the axes of a chart."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil, floor, log10

HOUR_STEPS = (1, 2, 3, 6, 12, 24, 48, 96)
DAY_STEPS = (1, 2, 7, 14)
MONTH_STEPS = (1, 2, 3, 6, 12)
_A_MONDAY = datetime(2001, 1, 1)


def count_ticks(highest: float, wanted: int = 4) -> list[int]:
    """Whole, round numbers from 0 to at least `highest`, about `wanted` steps."""
    step = _round_step(max(highest, 1) / wanted)
    return [step * index for index in range(ceil(max(highest, 1) / step) + 1)]


def _round_step(rough: float) -> int:
    if rough <= 1:
        return 1
    power = 10 ** floor(log10(rough))
    steps = (factor * power for factor in (1, 2, 2.5, 5, 10))
    return next(int(step) for step in steps if step >= rough and step % 1 == 0)


def time_ticks(times: Sequence[datetime], period: str, most: int) -> list[tuple[int, str]]:
    """Positions and labels of at most `most` ticks, on round hours, days, Mondays or months."""
    if not times:
        return []
    for candidate in _hour_candidates(times) if period == "h" else _day_candidates(times):
        if 1 <= len(candidate) <= most:
            return candidate
    return [(0, _day(times[0]) if period == "d" else f"{times[0]:%H:%M}")]


def _hour_candidates(times: Sequence[datetime]) -> list[list[tuple[int, str]]]:
    hours = [(at, time, _hours_since_monday(time)) for at, time in enumerate(times)]
    return [[(at, _hour(time)) for at, time, since in hours if since % step == 0] for step in HOUR_STEPS]


def _day_candidates(times: Sequence[datetime]) -> list[list[tuple[int, str]]]:
    by_days = [
        [(at, _day(time)) for at, time in enumerate(times) if (time - _A_MONDAY).days % step == 0] for step in DAY_STEPS
    ]
    firsts = [(at, time) for at, time in enumerate(times) if time.day == 1]
    by_months = [[(at, _month(time)) for at, time in firsts if (time.month - 1) % step == 0] for step in MONTH_STEPS]
    return by_days + by_months


def _hours_since_monday(time: datetime) -> int:
    return int((time - _A_MONDAY).total_seconds()) // 3600


def _hour(time: datetime) -> str:
    return _day(time) if time.hour == 0 else f"{time:%H:%M}"


def _day(time: datetime) -> str:
    return f"{time.day} {time:%b}"


def _month(time: datetime) -> str:
    return f"{time.year}" if time.month == 1 else f"{time:%b}"
