"""The periods that metrics are measured over; all begin and end on UTC boundaries."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Period:
    """A length of time: the code that the database stores, Postgres's name for it, and a title."""

    code: str
    unit: str
    title: str


PERIODS = (Period("h", "hour", "Hour"), Period("d", "day", "Day"))
