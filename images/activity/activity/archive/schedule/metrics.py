"""What the ingest tells Prometheus."""

from collections import Counter as Tally
from collections.abc import Iterable
from time import time

from prometheus_client import CollectorRegistry, Counter, Gauge

from activity.archive.read.lines import Reason, Slow
from activity.archive.schedule.intake import HourDone
from activity.database.hour_ledger import HourState, OpenHour
from activity.hour import Hour

HOLES = (HourState.MISSING, HourState.FAILING, HourState.GIVEN_UP)
HOUR_SECONDS = 3600


class IngestMetrics:
    """Counters of what was read, and gauges of what is lacking."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._newest = 0.0
        self.hours = Counter("activity_hours", "Hours read", ["source"], registry=registry)
        self.seconds = Counter("activity_hours_seconds", "Seconds spent on reading hours", registry=registry)
        self.events = Counter("activity_events", "Events stored", ["project"], registry=registry)
        self.collisions = Counter(
            "activity_event_collisions", "Events with the id of another event", ["project"], registry=registry
        )
        self.lines = Counter("activity_lines", "Lines that came by", registry=registry)
        self.slow = Counter(
            "activity_slow_lines",
            "Lines that were read as a whole; many of one kind mean that the archive's format has changed",
            ["kind"],
            registry=registry,
        )
        self.quarantined = Counter(
            "activity_quarantined", "Pieces of hours that are no event", ["reason"], registry=registry
        )
        self.failures = Counter(
            "activity_hour_failures", "Attempts to read an hour that failed", ["error"], registry=registry
        )
        self.holes = Gauge("activity_holes", "Hours that are lacking, by why", ["state"], registry=registry)
        self.newest = Gauge(
            "activity_newest_hour_timestamp_seconds", "Start of the newest hour that is there", registry=registry
        )
        lag = Gauge(
            "activity_newest_hour_lag_seconds", "Seconds since the end of the newest hour there is", registry=registry
        )
        lag.set_function(lambda: time() - self._newest - HOUR_SECONDS if self._newest else float("nan"))
        self.success = Gauge(
            "activity_ingest_last_success_timestamp_seconds", "When nothing was lacking last", registry=registry
        )
        # All kinds are there from the start, so that the first of one is an increase.
        for kind in Slow:
            self.slow.labels(kind.value)
        for reason in Reason:
            self.quarantined.labels(reason.value)
        self.show_holes(())

    def count(self, done: HourDone) -> None:
        """Count an hour that was read."""
        self.hours.labels(done.source.value).inc()
        self.seconds.inc(done.seconds)
        self.reached(done.hour)
        self.lines.inc(done.tally.lines)
        for kind, count in done.tally.slow.items():
            self.slow.labels(kind.value).inc(count)
        for reason, count in done.tally.broken.items():
            self.quarantined.labels(reason.value).inc(count)
        for committed in done.committed:
            self.events.labels(committed.project.name).inc(committed.events)
            self.collisions.labels(committed.project.name).inc(committed.collisions)

    def show_holes(self, holes: Iterable[OpenHour]) -> None:
        """Say which hours are lacking."""
        tally = Tally(attempt.state for attempt in holes)
        for state in HOLES:
            self.holes.labels(state.value).set(tally[state])

    def reached(self, hour: Hour) -> None:
        """Say that an hour is there; only a newer one counts."""
        self._newest = max(self._newest, hour.start.timestamp())
        self.newest.set(self._newest)
