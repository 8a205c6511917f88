"""Reading one hour: from the prefetched file, the archive or the simulator into the databases and the ledger."""

from threading import Event as Signal
from time import monotonic

from activity import log
from activity.archive.ingest import Committed, Feed, Ingested, ingest_hour
from activity.archive.read.lines import QuarantineReason
from activity.archive.read.timing import Timing
from activity.archive.schedule.ledger import Ledgers
from activity.archive.schedule.task import HourTask, TaskResult
from activity.archive.simulate.hour_files import make_hour
from activity.database.hour_ledger import HourResult, HourState
from activity.database.watermarks import Source
from activity.errors import TruncatedHour
from activity.settings import Settings


class Runner:
    """Runs the tasks of a plan; setting `stop` ends it in the middle of an hour, of which nothing is stored then."""

    def __init__(self, settings: Settings, ledgers: Ledgers, stop: Signal, timing: Timing | None = None) -> None:
        self._settings = settings
        self._ledgers = ledgers
        self._stop = stop
        self._timing = timing or Timing()

    def run(self, task: HourTask) -> TaskResult:
        """Read one hour and record the result.

        Raises HourMissing, TruncatedHour, ArchiveUnreachable, DatabaseUnavailable, SettingsError or Stopped.
        """
        began = monotonic()
        if task.hour in self._settings.archive.skip and not task.force:
            log.info("hour skipped", hour=task.hour, source=task.source)
            empty = [Committed(project, 0, 0) for project in task.projects]
            result = TaskResult(task.hour, task.source, empty, monotonic() - began, HourState.SKIPPED)
        else:
            result = self._read(task, began)
        self._record(result)
        return result

    def _read(self, task: HourTask, began: float) -> TaskResult:
        ingested = self._ingest(task)
        state = HourState.SALVAGED if ingested.stats.broken[QuarantineReason.GZIP] else HourState.READ
        result = TaskResult(task.hour, task.source, ingested.committed, monotonic() - began, state, ingested.stats)
        log.info(
            "hour read",
            hour=task.hour,
            source=task.source,
            projects=len(result.committed),
            events=result.events,
            seconds=result.seconds,
        )
        return result

    def _ingest(self, task: HourTask) -> Ingested:
        if task.prefetched_url:
            feed = Feed(task.prefetched_url, task.source, self._timing)
            try:
                return ingest_hour(self._settings, feed, task.hour, task.projects, self._stop, force=task.force)
            except TruncatedHour as error:
                # The download may have damaged it: only the archive itself can tell.
                log.info("prefetched hour is damaged, reading it from the archive", hour=task.hour, error=error)
        return self._ingest_from_source(task)

    def _ingest_from_source(self, task: HourTask) -> Ingested:
        feed = Feed(self._source_url(task), task.source, self._timing)
        try:
            return ingest_hour(self._settings, feed, task.hour, task.projects, self._stop, force=task.force)
        except TruncatedHour as error:
            if not (task.force or self._ledgers.of(task.source).is_last_try(task.hour)):
                raise
            # No whole file was published in all that time: keep what is readable, quarantine the damage.
            log.warning("salvaging damaged hour", hour=task.hour, error=error)
            return ingest_hour(
                self._settings, feed, task.hour, task.projects, self._stop, force=task.force, salvage=True
            )

    def _source_url(self, task: HourTask) -> str:
        archive = self._settings.archive
        if task.source is Source.ARCHIVE:
            return archive.url
        path = make_hour(archive.cache, self._settings.projects, task.hour)
        return path.parent.absolute().as_uri()

    def _record(self, result: TaskResult) -> None:
        problem = "the file is damaged; what is readable was kept" if result.state is HourState.SALVAGED else ""
        outcome = HourResult(
            result.hour,
            result.source,
            result.state,
            sum(committed.events > 0 for committed in result.committed),
            result.events,
            result.seconds,
            problem,
        )
        empty = tuple(committed.project for committed in result.committed if not committed.events)
        self._ledgers.of(result.source).done(outcome, empty)
