"""The service that follows the archive: it reads the newest hours first, then all older ones that are missing."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Event as Signal
from time import monotonic, time

from prometheus_client import CollectorRegistry

from activity import log
from activity.archive.read.timing import Timing
from activity.archive.schedule.ledger import Ledgers
from activity.archive.schedule.metrics import IngestMetrics
from activity.archive.schedule.planner import HourRequest, Planner, last_hour
from activity.archive.schedule.runner import Runner
from activity.archive.schedule.task import TaskResult
from activity.database.connect import LOG_DATABASE, transaction
from activity.database.hour_ledger import HourState
from activity.database.project_locks import lock_shared
from activity.database.provision import migrate_log_database
from activity.database.queries import query
from activity.database.runs import record_run
from activity.errors import ActivityError, ArchiveUnreachable, DatabaseUnavailable, SettingsError, Stopped
from activity.health import Watchdog
from activity.hour import Hour
from activity.projects import Project
from activity.settings import Settings

PASS_SECONDS = 60.0
TICK_SECONDS = 1.0
# One unreachable hour says nothing about the archive; that many in a row do, and end the pass.
UNREACHABLE_IN_A_ROW = 3
# After these errors the next hour would fail too.
ENDS_THE_PASS = (DatabaseUnavailable, SettingsError, Stopped)


class Follower:
    """Runs passes over all missing hours until it is stopped."""

    def __init__(
        self,
        settings: Settings,
        stop: Signal,
        pulse: Watchdog,
        registry: CollectorRegistry,
        timing: Timing | None = None,
    ) -> None:
        ledgers = Ledgers(settings)
        self._planner = Planner(settings, ledgers)
        self._runner = Runner(settings, ledgers, stop, timing)
        self._settings = settings
        self._stop = stop
        self._pulse = pulse
        self._metrics = IngestMetrics(registry)
        self._newest_backfill: str | None = None

    def run(self) -> None:
        """Follow the archive until stopped; SettingsError when the databases contradict the settings."""
        log.info("ingest started", projects=len(self._settings.projects), url=self._settings.archive.url)
        while not self._stop.is_set():
            last = last_hour(self._settings.archive)
            complete = self.run_pass(last)
            self._wait(last, complete)
        log.info("ingest stopped")

    def run_pass(self, last: Hour) -> bool:
        """Read every missing hour up to `last` that is due; returns whether no hour is missing afterwards."""
        started_at = datetime.now(UTC)
        try:
            hours, events, overtaken = self._read(last)
            if hours:
                holes = self._show_holes(last)
                summary = f"{hours} hours read up to {last}, {events} events, {holes} holes"
                record_run(self._settings, "ingest", "", started_at, summary)
        except (ArchiveUnreachable, DatabaseUnavailable) as error:
            if isinstance(error, DatabaseUnavailable):
                self._metrics.failures.labels(type(error).__name__).inc()
                self._planner.reload()
            log.warning("pass failed, retrying", error=error)
            self._show_holes(last)
            return False
        except Stopped as stopped:
            log.info("pass stopped", reason=stopped)
            return False
        holes = self._show_holes(last)
        if not holes and not overtaken:
            self._metrics.success.set(time())
            self._metrics.reached(last)
        return not holes and not overtaken

    def _read(self, last: Hour) -> tuple[int, int, bool]:
        """Read the missing hours until a newer hour is complete, which comes first then.

        Returns the number of hours, the number of events, and whether a newer hour ended the pass.
        """
        recent_errors: list[ActivityError] = []

        def on_failure(hour: Hour, error: ActivityError) -> None:
            self._pulse.beat()
            if isinstance(error, ENDS_THE_PASS):
                raise error
            self._metrics.failures.labels(type(error).__name__).inc()
            log.warning("hour failed, will be retried", hour=hour, error=error)
            recent_errors.append(error)
            latest = recent_errors[-UNREACHABLE_IN_A_ROW:]
            if len(latest) == UNREACHABLE_IN_A_ROW and all(isinstance(each, ArchiveUnreachable) for each in latest):
                raise error

        hours = events = 0
        newest = last_hour(self._settings.archive)
        request = self._planner.all_hours(last, self._projects_in_backfill())
        for result in self._results(request, on_failure):
            self._pulse.beat()
            recent_errors.clear()
            if result.state is not HourState.SKIPPED:
                self._metrics.count(result)
                hours += 1
            events += result.events
            if last_hour(self._settings.archive) > newest:
                return hours, events, True
        return hours, events, False

    def _results(self, request: HourRequest, on_failure: Callable[[Hour, ActivityError], None]) -> Iterator[TaskResult]:
        """Read each hour of a request; errors are recorded, then handed to `on_failure`, which may raise them."""
        for task in self._planner.tasks(request):
            if self._stop.is_set():
                raise Stopped(f"stopped before hour {task.hour}. Run again to continue from there.")
            try:
                result = self._runner.run(task)
            except ActivityError as error:
                self._planner.failed(task, error)
                on_failure(task.hour, error)
            else:
                self._planner.succeeded(result)
                yield result

    def _projects_in_backfill(self) -> frozenset[Project]:
        """Return the projects that a backfill has locked; a backfill since the last pass reloads the inventory."""
        if self._newest_backfill is None:
            migrate_log_database(self._settings)
        with lock_shared(self._settings, self._settings.projects) as free:
            in_backfill = frozenset(self._settings.projects) - free
        with transaction(self._settings, LOG_DATABASE) as cursor:
            cursor.execute(query("backfill/newest"))
            (newest,) = cursor.fetchone() or ("",)
        if newest != self._newest_backfill:
            self._planner.reload()
        self._newest_backfill = newest
        return in_backfill

    def _show_holes(self, last: Hour) -> int:
        holes = self._planner.open_attempts(last)
        self._metrics.show_holes(holes)
        newest = self._planner.newest_hour()
        if newest is not None:
            self._metrics.reached(newest)
        return len(holes)

    def _wait(self, last: Hour, complete: bool) -> None:
        """Wait until the next hour is complete; after an incomplete pass no longer than until its retry."""
        seconds = min(PASS_SECONDS, max(self._settings.archive.retry.total_seconds(), TICK_SECONDS))
        deadline = monotonic() + seconds
        while not self._stop.wait(TICK_SECONDS):
            self._pulse.beat()
            retry_due = not complete and monotonic() >= deadline
            if retry_due or last_hour(self._settings.archive) > last:
                return
