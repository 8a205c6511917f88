"""The hours of the archive: how they are written, counted and compared."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

WRITTEN = re.compile(r"(\d{4})-(\d{2})-(\d{2})-(\d{1,2})")
RELATIVE = re.compile(r"-(\d{1,6})h")
ONE = timedelta(hours=1)


@dataclass(frozen=True, order=True)
class Hour:
    """One hour of the archive, by its start in UTC; written as its file is named: 2015-01-01-0, never padded."""

    start: datetime

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d}-{self.start.hour}"

    @property
    def stamp(self) -> datetime:
        """The start as the database keeps it: UTC without a time zone."""
        return self.start.replace(tzinfo=None)

    def shift(self, hours: int) -> "Hour":
        """Return the hour so many hours later (earlier, when negative)."""
        return Hour(self.start + hours * ONE)

    def distance(self, later: "Hour") -> int:
        """Return how many hours another hour is later (negative, when earlier)."""
        return (later.start - self.start) // ONE

    def until(self, last: "Hour") -> Iterator["Hour"]:
        """Yield this hour and those after it up to and including the last."""
        hour = self
        while hour <= last:
            yield hour
            hour = hour.shift(1)

    def down_to(self, first: "Hour") -> Iterator["Hour"]:
        """Yield this hour and those before it down to and including the first."""
        hour = self
        while hour >= first:
            yield hour
            hour = hour.shift(-1)


def hour_at(moment: datetime) -> Hour:
    """Return the hour that holds a moment; a moment without a zone is UTC."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return Hour(aware.replace(minute=0, second=0, microsecond=0))


def newest_full_hour(now: datetime) -> Hour:
    """Return the newest hour that has wholly passed."""
    return hour_at(now).shift(-1)


def parse_hour(text: str) -> Hour:
    """Read 2015-01-01-0 (a padded 2015-01-01-00 too); ValueError says what was expected."""
    parts = WRITTEN.fullmatch(text)
    try:
        if parts is None:
            raise ValueError(text)
        year, month, day, hour = (int(part) for part in parts.groups())
        return Hour(datetime(year, month, day, hour, tzinfo=UTC))
    except ValueError:
        raise ValueError(f"expected an hour such as 2015-01-01-0, found {text!r}") from None


def parse_since(text: str, now: datetime) -> Hour:
    """Read an hour, or -6h for the first of the last 6 full hours."""
    relative = RELATIVE.fullmatch(text)
    if relative is None:
        try:
            return parse_hour(text)
        except ValueError:
            raise ValueError(f"expected an hour such as 2015-01-01-0, or -6h, found {text!r}") from None
    hours = int(relative.group(1))
    if hours == 0:
        raise ValueError("expected at least one hour such as -1h, found '-0h'")
    return newest_full_hour(now).shift(1 - hours)
