"""The service of one project: series at the start, at its minute of each hour, and soon after new events."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event as Signal
from time import time

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from prometheus_client import CollectorRegistry, Counter, Gauge

from activity import log
from activity.database.hour_ledger import apply_empty_hours
from activity.database.indexes import restore_indexes
from activity.database.project_locks import lock_shared
from activity.database.provision import migrate_log_database, provision
from activity.database.runs import record_run
from activity.errors import ActivityError
from activity.health import Watchdog
from activity.projects import Project
from activity.series.compute import compute, pending
from activity.settings import Settings

POLL_SECONDS = 10


class Sync:
    """Keeps the series of one project up to date, and tells how that goes."""

    def __init__(self, settings: Settings, project: Project, watchdog: Watchdog, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._project = project
        self._watchdog = watchdog
        self._provisioned = False
        self._success = Gauge(
            "activity_series_last_success_timestamp_seconds",
            "When series were last brought up to date",
            ["project"],
            registry=registry,
        ).labels(project.name)
        self._pending = Gauge(
            "activity_series_pending", "Periods waiting to be computed", ["project"], registry=registry
        ).labels(project.name)
        self._seconds = Gauge(
            "activity_series_seconds", "Duration of the last computation", ["project"], registry=registry
        ).labels(project.name)
        self._failures = Counter(
            "activity_series_failures", "Computations that failed", ["project"], registry=registry
        ).labels(project.name)

    def run(self) -> None:
        """Bring the series up to date."""
        self._attempt(self._compute)

    def look(self) -> None:
        """Bring the series up to date if anything is pending, or nothing succeeded yet."""
        self._attempt(self._look)

    def _look(self) -> None:
        if not self._provisioned or pending(self._settings, self._project):
            self._compute()
        else:
            self._pending.set(0)

    def _compute(self) -> None:
        started_at = datetime.now(UTC)
        if not self._provisioned:
            migrate_log_database(self._settings)
            provision(self._settings, self._project)
            self._provisioned = True
        with lock_shared(self._settings, [self._project]) as free:
            if not free:
                log.info("a backfill has locked the project; trying again later", project=self._project.name)
                return
            restore_indexes(self._settings, self._project)
            apply_empty_hours(self._settings, self._project)
            computed = compute(self._settings, self._project)
        self._success.set(time())
        self._seconds.set(computed.seconds)
        self._pending.set(pending(self._settings, self._project))
        if computed.periods:
            log.info(
                "series computed",
                project=self._project.name,
                periods=computed.periods,
                points=computed.stored.written,
                seconds=computed.seconds,
            )
            record_run(self._settings, "sync", self._project.name, started_at, str(computed))

    def _attempt(self, work: Callable[[], None]) -> None:
        self._watchdog.beat()
        try:
            work()
        except ActivityError as error:
            self._failures.inc()
            log.warning("could not compute series; trying again soon", project=self._project.name, error=error)
        self._watchdog.beat()


def serve_sync(settings: Settings, project: Project, sync: Sync, stop: Signal) -> None:
    """Run until stopped: now, at the minute of each hour, and looking for new marks in between."""
    crashes: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:
            # The scheduler would swallow it; a bug has to end the service.
            crashes.append(error)
            stop.set()

    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    scheduler.add_job(guarded, args=[sync.run], trigger="date")
    scheduler.add_job(guarded, args=[sync.run], trigger="cron", minute=settings.minute)
    scheduler.add_job(guarded, args=[sync.look], trigger="interval", seconds=POLL_SECONDS)
    scheduler.start()
    log.info("sync started", project=project.name, minute=settings.minute)
    stop.wait()
    scheduler.shutdown(wait=True)
    if crashes:
        raise crashes[0]
    log.info("sync stopped", project=project.name)
