"""Computing a project's series: what is pending, or everything; in one transaction with the marks it works off."""

from dataclasses import dataclass
from time import monotonic

from psycopg2.extensions import cursor as Cursor

from activity.database.advisory_locks import lock_for_transaction
from activity.database.connect import transaction
from activity.database.queries import query
from activity.periods import PERIODS
from activity.projects import Project
from activity.series.catalogue import metrics
from activity.series.store import PointChanges, store
from activity.settings import Settings


@dataclass(frozen=True)
class ComputeResult:
    """What a computation did: how many periods it measured and how many points changed."""

    project: Project
    periods: int
    stored: PointChanges
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.project.name}: {self.periods} periods computed, {self.stored.written} points written, "
            f"{self.stored.removed} removed, {self.seconds:.2f} s"
        )


def compute(settings: Settings, project: Project, *, everything: bool = False) -> ComputeResult:
    """Bring the series of a project up to date; two computations of one project exclude each other."""
    began = monotonic()
    with transaction(settings, project.database) as cursor:
        lock_for_transaction(cursor, "series")
        periods = _touch(cursor, everything)
        stored = PointChanges()
        if periods:
            for metric in metrics():
                stored += store(cursor, metric)
    return ComputeResult(project, periods, stored, monotonic() - began)


def pending(settings: Settings, project: Project) -> int:
    """Return how many periods wait to be computed."""
    with transaction(settings, project.database) as cursor:
        cursor.execute(query("series/count_pending"))
        (count,) = cursor.fetchone() or (0,)
        return int(count)


def _touch(cursor: Cursor, everything: bool) -> int:
    """Take the marks and list in `touched` the periods that are to be measured; returns how many."""
    units = {"codes": [period.code for period in PERIODS], "units": [period.unit for period in PERIODS]}
    cursor.execute(query("series/create_touched"))
    cursor.execute(query("series/touch_pending"), units)
    if everything:
        cursor.execute(query("series/touch_everything"), units)
    cursor.execute(query("series/count_touched"))
    (count,) = cursor.fetchone() or (0,)
    return int(count)
