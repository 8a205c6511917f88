"""The service that follows the archive: the newest hours first, then every hour that is lacking, until it is there."""

from datetime import UTC, datetime
from threading import Event as Signal
from time import monotonic, time

from prometheus_client import CollectorRegistry

from activity import log
from activity.archive.schedule.intake import HourDone, Intake
from activity.archive.schedule.metrics import IngestMetrics
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
# One hour that cannot be had says nothing of the archive, several in a row do.
IN_A_ROW = 3
# Trying the next hour would meet the same trouble again.
ENDS_THE_PASS = (DatabaseUnavailable, SettingsError, Stopped)


class Follower:
    """Passes over all hours that are wanted, again and again."""

    def __init__(self, settings: Settings, stop: Signal, pulse: Watchdog, registry: CollectorRegistry) -> None:
        self._intake = Intake(settings, stop)
        self._settings = settings
        self._stop = stop
        self._pulse = pulse
        self._metrics = IngestMetrics(registry)
        self._backfilled: str | None = None

    def run(self) -> None:
        """Follow the archive until stopped; SettingsError when the databases contradict the settings."""
        log.info("ingest started", projects=len(self._settings.projects), url=self._settings.archive.url)
        while not self._stop.is_set():
            last = self._intake.last_wanted()
            complete = self.run_pass(last)
            self._wait(last, complete)
        log.info("ingest stopped")

    def run_pass(self, last: Hour) -> bool:
        """Try every hour up to the last one that is lacking and due; returns whether none is lacking any more."""
        started_at = datetime.now(UTC)
        try:
            hours, events, overtaken = self._read(last)
            if hours:
                words = f"{hours} hours read up to {last}, {events} events, {self._show_holes(last)} holes"
                record_run(self._settings, "ingest", "", started_at, words)
        except (ArchiveUnreachable, DatabaseUnavailable) as error:
            if isinstance(error, DatabaseUnavailable):
                self._metrics.failures.labels(type(error).__name__).inc()
                self._intake.forget()
            log.warning("pass ended early, trying again", error=error)
            self._show_holes(last)
            return False
        except Stopped as stopped:
            log.info("pass ended early", reason=stopped)
            return False
        holes = self._show_holes(last)
        if not holes and not overtaken:
            self._metrics.success.set(time())
            self._metrics.reached(last)
        return not holes and not overtaken

    def _read(self, last: Hour) -> tuple[int, int, bool]:
        """Read what is lacking, until a newer hour is there to be read first; returns hours, events, and whether so."""
        silent: list[ActivityError] = []

        def failed(hour: Hour, error: ActivityError) -> None:
            self._pulse.beat()
            if isinstance(error, ENDS_THE_PASS):
                raise error
            self._metrics.failures.labels(type(error).__name__).inc()
            log.warning("hour not read, trying again later", hour=hour, error=error)
            silent.append(error)
            if len(silent) >= IN_A_ROW and all(isinstance(one, ArchiveUnreachable) for one in silent[-IN_A_ROW:]):
                raise error

        hours = events = 0
        newest = self._intake.last_wanted()
        for done in self._intake.read(self._intake.everything(last, self._busy()), failed):
            self._pulse.beat()
            silent.clear()
            self._count(done)
            hours += done.state is not HourState.SKIPPED
            events += sum(committed.events for committed in done.committed)
            if self._intake.last_wanted() > newest:
                return hours, events, True
        return hours, events, False

    def _busy(self) -> frozenset[Project]:
        """The projects that a backfill has for itself; what any backfill brought since the last pass is asked anew."""
        if self._backfilled is None:
            migrate_log_database(self._settings)
        with lock_shared(self._settings, self._settings.projects) as free:
            busy = frozenset(self._settings.projects) - free
        with transaction(self._settings, LOG_DATABASE) as cursor:
            cursor.execute(query("backfill/newest"))
            (newest,) = cursor.fetchone() or ("",)
        if newest != self._backfilled:
            self._intake.forget()
        self._backfilled = newest
        return busy

    def _count(self, done: HourDone) -> None:
        if done.state is not HourState.SKIPPED:
            self._metrics.count(done)

    def _show_holes(self, last: Hour) -> int:
        holes = [attempt for ledger in self._intake.ledgers.values() for attempt in ledger.holes(last)]
        self._metrics.show_holes(holes)
        if (newest := self._intake.newest_held()) is not None:
            self._metrics.reached(newest)
        return len(holes)

    def _wait(self, last: Hour, complete: bool) -> None:
        """Wait for the next hour when all is there, else a little."""
        pause = min(PASS_SECONDS, max(self._settings.archive.retry.total_seconds(), TICK_SECONDS))
        until = monotonic() + pause
        while not self._stop.wait(TICK_SECONDS):
            self._pulse.beat()
            if self._intake.last_wanted() > last or (not complete and monotonic() >= until):
                return
