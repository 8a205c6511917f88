"""Prometheus metrics of the ingest."""

from collections import Counter as CountBy
from collections.abc import Iterable
from time import time

from prometheus_client import CollectorRegistry, Counter, Gauge

from activity.archive.read.lines import QuarantineReason, SlowReason
from activity.archive.schedule.task import TaskResult
from activity.database.hour_ledger import HourState, OpenHour
from activity.hour import Hour

HOLES = (HourState.MISSING, HourState.FAILING, HourState.GIVEN_UP)
HOUR_SECONDS = 3600


class IngestMetrics:
    """Counters of what was read, and gauges of what is missing."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._newest_timestamp = 0.0
        self.hours = Counter("activity_hours", "Hours read", ["source"], registry=registry)
        self.seconds = Counter("activity_hours_seconds", "Seconds spent on reading hours", registry=registry)
        self.events = Counter("activity_events", "Events stored", ["project"], registry=registry)
        self.collisions = Counter(
            "activity_event_collisions", "Events with the id of another event", ["project"], registry=registry
        )
        self.lines = Counter("activity_lines", "Lines read", registry=registry)
        self.slow = Counter(
            "activity_slow_lines",
            "Lines parsed as a whole; many of one kind mean that the format of the archive has changed",
            ["kind"],
            registry=registry,
        )
        self.quarantined = Counter(
            "activity_quarantined", "Parts of hours that are not an event", ["reason"], registry=registry
        )
        self.failures = Counter(
            "activity_hour_failures", "Failed attempts to read an hour", ["error"], registry=registry
        )
        self.holes = Gauge("activity_holes", "Missing hours, by state", ["state"], registry=registry)
        self.newest = Gauge(
            "activity_newest_hour_timestamp_seconds", "Start of the newest hour that was read", registry=registry
        )
        lag = Gauge(
            "activity_newest_hour_lag_seconds",
            "Seconds since the end of the newest hour that was read",
            registry=registry,
        )
        lag.set_function(self._lag_seconds)
        self.success = Gauge(
            "activity_ingest_last_success_timestamp_seconds", "When no hour was missing last", registry=registry
        )
        # All labels exist from the start, so that the first of a kind counts as an increase.
        for kind in SlowReason:
            self.slow.labels(kind.value)
        for reason in QuarantineReason:
            self.quarantined.labels(reason.value)
        self.show_holes(())

    def count(self, result: TaskResult) -> None:
        """Count an hour that was read."""
        self.hours.labels(result.source.value).inc()
        self.seconds.inc(result.seconds)
        self.reached(result.hour)
        self.lines.inc(result.stats.lines)
        for kind, count in result.stats.slow.items():
            self.slow.labels(kind.value).inc(count)
        for reason, count in result.stats.broken.items():
            self.quarantined.labels(reason.value).inc(count)
        for committed in result.committed:
            self.events.labels(committed.project.name).inc(committed.events)
            self.collisions.labels(committed.project.name).inc(committed.collisions)

    def show_holes(self, holes: Iterable[OpenHour]) -> None:
        """Show how many hours are missing."""
        by_state = CountBy(attempt.state for attempt in holes)
        for state in HOLES:
            self.holes.labels(state.value).set(by_state[state])

    def reached(self, hour: Hour) -> None:
        """Show that an hour was read, if it is the newest."""
        self._newest_timestamp = max(self._newest_timestamp, hour.start.timestamp())
        self.newest.set(self._newest_timestamp)

    def _lag_seconds(self) -> float:
        return time() - self._newest_timestamp - HOUR_SECONDS if self._newest_timestamp else float("nan")
