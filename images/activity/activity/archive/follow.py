"""The service that follows the archive: every hour that is lacking is tried in each pass, until it is there."""

from collections import Counter as Tally
from datetime import UTC, datetime
from threading import Event as Signal
from time import monotonic, time

from prometheus_client import CollectorRegistry, Counter, Gauge

from activity import log
from activity.archive.intake import HourDone, Intake
from activity.database.runs import record_run
from activity.errors import ActivityError, ArchiveUnreachable, DatabaseUnavailable, SettingsError, Stopped
from activity.health import Pulse
from activity.hour import Hour
from activity.settings import Settings

PASS_SECONDS = 60.0
TICK_SECONDS = 1.0
# Trying the next hour would meet the same trouble again.
ENDS_THE_PASS = (ArchiveUnreachable, DatabaseUnavailable, SettingsError, Stopped)


class IngestMetrics:
    """What the ingest tells Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._newest = 0.0
        self.hours = Counter("activity_ingest_hours", "Hours read", ["source"], registry=registry)
        self.seconds = Counter("activity_ingest_seconds", "Seconds spent on reading hours", registry=registry)
        self.events = Counter("activity_ingest_events", "Events stored", ["project"], registry=registry)
        self.collisions = Counter(
            "activity_ingest_collisions", "Events left out for an id in use", ["project"], registry=registry
        )
        self.failures = Counter("activity_ingest_failures", "Failures", ["error"], registry=registry)
        self.holes = Gauge("activity_ingest_holes", "Hours that the last pass could not read", registry=registry)
        self.newest = Gauge(
            "activity_ingest_newest_hour_timestamp_seconds", "Start of the newest hour that is there", registry=registry
        )
        self.success = Gauge(
            "activity_ingest_last_success_timestamp_seconds",
            "When a pass last ended without failure",
            registry=registry,
        )

    def count(self, done: HourDone) -> None:
        """Count an hour that was read."""
        self.hours.labels(done.source.value).inc()
        self.seconds.inc(done.seconds)
        self.reached(done.hour)
        for committed in done.committed:
            self.events.labels(committed.project.name).inc(committed.events)
            self.collisions.labels(committed.project.name).inc(committed.collisions)

    def reached(self, hour: Hour) -> None:
        """Say that an hour is there; only a newer one counts."""
        self._newest = max(self._newest, hour.start.timestamp())
        self.newest.set(self._newest)


class Follower:
    """Passes over all hours that are wanted, again and again."""

    def __init__(self, settings: Settings, stop: Signal, pulse: Pulse, registry: CollectorRegistry) -> None:
        self._intake = Intake(settings, stop)
        self._settings = settings
        self._stop = stop
        self._pulse = pulse
        self._metrics = IngestMetrics(registry)

    def run(self) -> None:
        """Follow the archive until stopped; SettingsError when the databases contradict the settings."""
        log.info("ingest started", projects=len(self._settings.projects), url=self._settings.archive.url)
        while not self._stop.is_set():
            last = self._intake.last_wanted()
            complete = self.run_pass(last)
            self._wait(last, complete)
        log.info("ingest stopped")

    def run_pass(self, last: Hour) -> bool:
        """Try every hour up to the last one that is lacking; returns whether none is lacking any more."""
        failures: Tally[str] = Tally()

        def failed(hour: Hour, error: ActivityError) -> None:
            if isinstance(error, ENDS_THE_PASS):
                raise error
            failures[type(error).__name__] += 1
            self._metrics.failures.labels(type(error).__name__).inc()
            log.warning("hour not read, trying again in the next pass", hour=hour, error=error)

        started_at = datetime.now(UTC)
        hours = events = 0
        try:
            for done in self._intake.read_between(self._settings.archive.since, last, failed):
                self._pulse.beat()
                self._metrics.count(done)
                hours += 1
                events += sum(committed.events for committed in done.committed)
            if hours:
                words = f"{hours} hours read up to {last}, {events} events, {failures.total()} holes"
                record_run(self._settings, "ingest", "", started_at, words)
        except (ArchiveUnreachable, DatabaseUnavailable) as error:
            failures[type(error).__name__] += 1
            self._metrics.failures.labels(type(error).__name__).inc()
            log.warning("pass ended early, trying again", error=error)
        except Stopped as stopped:
            log.info("pass ended early", reason=stopped)
            return False
        self._metrics.holes.set(failures.total())
        if not failures:
            self._metrics.success.set(time())
            self._metrics.reached(last)
        return not failures

    def _wait(self, last: Hour, complete: bool) -> None:
        """Wait for the next hour when all is there, else a little."""
        until = monotonic() + PASS_SECONDS
        while not self._stop.wait(TICK_SECONDS):
            self._pulse.beat()
            if self._intake.last_wanted() > last or (not complete and monotonic() >= until):
                return
