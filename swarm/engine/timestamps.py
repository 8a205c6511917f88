"""Times as Docker writes them: RFC 3339 in UTC, in logs with nine digits, so that texts compare.

Docker writes the two streams of a task as two threads come by: a line may follow one with a later time. A reader that
reads a log in pieces must look back a little.
"""

from datetime import UTC, datetime, timedelta

OVERLAP = timedelta(seconds=2)
SECOND = len("2026-01-01T00:00:00")


def parse(text: str) -> datetime:
    """A time as Docker writes it, with up to nine digits of a second, as a datetime."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{(fraction or '0')[:6].ljust(6, '0')}").replace(tzinfo=UTC)


def before(moment: str) -> str:
    """The whole second OVERLAP before a line's: a later line may still carry it."""
    return (parse(moment) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.000000000Z")


def seconds(moment: str) -> str:
    """A whole second as seconds since 1970, as Docker takes it; 0 for none."""
    return f"{int(parse(moment).timestamp())}" if moment else "0"
