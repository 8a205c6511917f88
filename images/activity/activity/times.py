"""Points in time and durations as people and other programs write them; all times are UTC."""

import re
from datetime import UTC, datetime, timedelta

DURATION = re.compile(r"([0-9]{1,6})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def as_utc(time: datetime) -> datetime:
    """Return a time in UTC; a time without a zone is UTC already. OverflowError at the ends of the calendar."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def parse_time(text: str) -> datetime:
    """Parse an ISO 8601 time or date, in UTC unless it names a zone; ValueError says what was expected."""
    try:
        return as_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise ValueError(f"expected a time such as 2026-01-01T12:00:00Z, found {text!r}") from None


def parse_duration(text: str) -> timedelta:
    """Parse 90s, 10m, 12h or 7d; ValueError says what was expected."""
    parts = DURATION.fullmatch(text)
    if parts is None:
        raise ValueError(f"expected a duration such as 90s, 10m, 12h or 7d, found {text!r}")
    return timedelta(**{UNITS[parts[2]]: int(parts[1])})
