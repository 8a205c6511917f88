"""The history of backups, dumps, restores and checks: in the log database, as metrics, and in the log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from activity import log
from activity.database.connect import LOG_DATABASE, Role, transaction
from activity.database.queries import query
from activity.errors import ActivityError, BackupRunning, DatabaseUnavailable
from activity.settings import Settings

FULL, DIFFERENTIAL, DUMP, RESTORE, VERIFY = "full", "differential", "dump", "restore", "verify"
REPOSITORY = "repository"


@dataclass
class RunResult:
    """What a block did, to be filled by it."""

    words: str = ""
    bytes: int = 0


@dataclass(frozen=True)
class HistoryEntry:
    """One row of the table backups."""

    kind: str
    project: str
    started_at: datetime
    ended_at: datetime
    failed: bool
    words: str


class Gauges:
    """Backups as Prometheus sees them; the age of the newest is now minus its time stamp."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("kind", "project")
        self.success = Gauge(
            "activity_backup_last_success_timestamp_seconds", "When the newest one was made", labels,
            registry=registry,
        )  # fmt: skip
        self.failed = Gauge("activity_backup_failed", "1 while the last attempt failed", labels, registry=registry)
        self.failures = Counter("activity_backup_failures", "Attempts that failed", labels, registry=registry)
        self.seconds = Gauge("activity_backup_seconds", "Duration of the last one", labels, registry=registry)
        self.bytes = Gauge("activity_backup_bytes", "Size of the newest", labels, registry=registry)
        self.archived = Gauge(
            "activity_wal_last_archived_timestamp_seconds", "When the leader last archived WAL", registry=registry
        )
        self.archive_failures = Gauge("activity_wal_archive_failing", "1 while archiving WAL fails", registry=registry)


@dataclass
class Recorder:
    """Records the results of runs wherever that is possible."""

    settings: Settings
    gauges: Gauges = field(default_factory=lambda: Gauges(CollectorRegistry()))
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @contextmanager
    def recorded(self, kind: str, project: str = "") -> Iterator[RunResult]:
        """Write down how a block ends; its error goes on. That another run is under way is no failure."""
        started_at, outcome = self.now(), RunResult()
        try:
            yield outcome
        except BackupRunning:
            raise
        except ActivityError as error:
            self.gauges.failures.labels(kind, project).inc()
            self.gauges.failed.labels(kind, project).set(1)
            self._write(kind, project, started_at, RunResult(str(error)), failed=True)
            raise
        seconds = (self.now() - started_at).total_seconds()
        self.gauges.failed.labels(kind, project).set(0)
        self.gauges.seconds.labels(kind, project).set(seconds)
        self.gauges.success.labels(kind, project).set(self.now().timestamp())
        self.gauges.bytes.labels(kind, project).set(outcome.bytes)
        log.info(f"{kind} succeeded", project=project or None, what=outcome.words, seconds=seconds)
        self._write(kind, project, started_at, outcome, failed=False)

    def _write(self, kind: str, project: str, started_at: datetime, outcome: RunResult, *, failed: bool) -> None:
        row = {
            "kind": kind, "project": project, "started_at": started_at, "failed": failed, "bytes": outcome.bytes,
            "words": outcome.words,
        }  # fmt: skip
        try:
            with transaction(self.settings, LOG_DATABASE, Role.OWNER) as cursor:
                cursor.execute(query("backup/record"), row)
        except DatabaseUnavailable as error:
            # The backup is what it is; the log database may be what is being restored.
            log.warning("could not record the run in the log database", kind=kind, project=project or None, error=error)


def recent(settings: Settings) -> list[HistoryEntry]:
    """Recent runs of each kind, newest first; raises DatabaseUnavailable."""
    with transaction(settings, LOG_DATABASE, Role.OWNER) as cursor:
        cursor.execute(query("backup/recent"))
        return [HistoryEntry(*row) for row in cursor.fetchall()]
