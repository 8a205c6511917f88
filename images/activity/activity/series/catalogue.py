"""The metrics: each is a description (TOML) and its SQL, side by side in sql/metrics/."""

import tomllib
from dataclasses import dataclass
from functools import cache

from activity.database.queries import folder, query


@dataclass(frozen=True)
class Metric:
    """A metric: what it is called, what it counts, and the names of its series when they are known beforehand."""

    name: str
    title: str
    description: str
    unit: str
    series: tuple[str, ...]
    order: int

    @property
    def sql(self) -> str:
        """The query that measures it over the periods of `touched`: period, time, series, value."""
        return query(f"metrics/{self.name}")


@cache
def metrics() -> tuple[Metric, ...]:
    """Return all metrics in the order in which they are shown."""
    files = [file for file in folder("metrics") if file.name.endswith(".toml")]
    found = [_metric(file.name.removesuffix(".toml"), file.read_text(encoding="utf-8")) for file in files]
    return tuple(sorted(found, key=lambda metric: (metric.order, metric.name)))


def _metric(name: str, text: str) -> Metric:
    described = tomllib.loads(text)
    return Metric(
        name=name,
        title=described["title"],
        description=described["description"],
        unit=described["unit"],
        series=tuple(described["series"]),
        order=described["order"],
    )
