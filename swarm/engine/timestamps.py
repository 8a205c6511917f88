"""When lines of logs were written, as Docker writes it: RFC 3339 in UTC with nine digits, so that texts compare.

Docker writes what a task says on its two streams as two threads come by: a line may stand after one with a later time.
Who reads a log in pieces must look back a little.
"""

from datetime import timedelta

from swarm.engine.client import Engine

OVERLAP = timedelta(seconds=2)
SECOND = len("2026-01-01T00:00:00")


def before(moment: str) -> str:
    """The whole second OVERLAP before a line's: what a later line may still bear."""
    return (Engine.moment(moment) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.000000000Z")


def seconds(moment: str) -> str:
    """A whole second as seconds since 1970, as Docker takes it; 0 for none."""
    return f"{int(Engine.moment(moment).timestamp())}" if moment else "0"
