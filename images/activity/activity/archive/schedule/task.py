"""One hour of work: what to read for whom, and the result of reading it."""

from dataclasses import dataclass, field

from activity.archive.ingest import Committed
from activity.archive.read.lines import ReadStats
from activity.database.hour_ledger import HourState
from activity.database.watermarks import Source
from activity.hour import Hour
from activity.projects import Project


@dataclass(frozen=True)
class HourTask:
    """One hour to read from one source for the projects that lack it.

    `force` reads an hour that the databases already have, and merges what is new. `prefetched_url` is where the
    prefetcher stored the hour; empty when it did not.
    """

    hour: Hour
    source: Source
    projects: tuple[Project, ...]
    force: bool = False
    prefetched_url: str = ""


@dataclass(frozen=True)
class TaskResult:
    """An hour that was read or skipped: what each project got from it, and how many seconds it took."""

    hour: Hour
    source: Source
    committed: list[Committed]
    seconds: float
    state: HourState = HourState.READ
    stats: ReadStats = field(default_factory=ReadStats)

    @property
    def events(self) -> int:
        """The number of events committed to all projects together."""
        return sum(committed.events for committed in self.committed)
