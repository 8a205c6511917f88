"""How numbers and moments are written on pages; all moments are UTC."""

from datetime import datetime

from activity.times import as_utc


def number(value: float | None) -> str:
    """A count with thousands separated, a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def compact(value: float) -> str:
    """A number short enough for an axis: 950, 1.2k, 15k, 3M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def counted(value: float | None, one: str, many: str = "") -> str:
    """A count with its noun: 1 event, 2 events."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def iso(moment: datetime | None) -> str | None:
    """RFC 3339 to the second, as in 2015-01-01T05:00:00Z."""
    return as_utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def day(moment: datetime) -> str:
    """A day as read: 1 Jan 2015."""
    return f"{moment.day} {moment:%b} {moment.year}"


def minute(moment: datetime) -> str:
    """A moment as read: 1 Jan 2015, 05:00."""
    return f"{day(as_utc(moment))}, {as_utc(moment):%H:%M}"


def period_name(moment: datetime, period: str) -> str:
    """What a period is called: the hour or the day that starts then."""
    return minute(moment) if period == "h" else day(moment)


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, in its largest unit: 3 minutes ago."""
    if moment is None:
        return "never"
    seconds = int((as_utc(now) - as_utc(moment)).total_seconds())
    for size, unit in ((86_400 * 365, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{counted(seconds // size, unit)} ago"
    return "just now"


def size(count: float) -> str:
    """Bytes in their largest unit: 7.8 GiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:.3g} TiB"
