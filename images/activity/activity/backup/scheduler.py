"""The scheduler of backups, dumps and restore checks.

It keeps no state of its own: what is due follows from the backups and dumps that exist, so that a missed run is made
up for after any outage, on whichever member is the leader then.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event as Signal
from threading import Thread

from activity import log
from activity.backup import repository
from activity.backup.dump import dump
from activity.backup.dump_store import DumpStore
from activity.backup.history import DIFFERENTIAL, DUMP, FULL, REPOSITORY, VERIFY, Recorder, recent
from activity.backup.schedule import Backoff, is_due, trigger
from activity.backup.verify import verify
from activity.database.connect import Role, transaction
from activity.database.queries import query
from activity.errors import ActivityError, BackupFailed, BackupRunning, DatabaseUnavailable
from activity.health import Watchdog
from activity.projects import Project
from activity.settings import Settings

POLL_SECONDS = 60.0
HEARTBEAT_SECONDS = 20.0
PGBACKREST_TYPES = {FULL: "full", DIFFERENTIAL: "diff"}


class Scheduler:
    """Runs what is due, one job at a time."""

    def __init__(self, settings: Settings, recorder: Recorder, watchdog: Watchdog, stop: Signal) -> None:
        wanted = settings.backups
        self.settings, self.recorder, self.watchdog, self.stop = settings, recorder, watchdog, stop
        self.store = DumpStore(wanted.folder / "dumps")
        self.pauses = Backoff()
        self.when = {
            FULL: trigger("ACTIVITY_BACKUP_FULL", wanted.full),
            DIFFERENTIAL: trigger("ACTIVITY_BACKUP_DIFFERENTIAL", wanted.differential),
            DUMP: trigger("ACTIVITY_BACKUP_DUMPS", wanted.dumps),
            VERIFY: trigger("ACTIVITY_BACKUP_VERIFY", wanted.verify),
        }
        self.verified_at: datetime | None = None
        self.verify_owed = False
        self.asked_log = False

    def run(self) -> None:
        """Look every minute, until stopped."""
        while not self.stop.is_set():
            self.look()
            self.stop.wait(POLL_SECONDS)

    def look(self) -> None:
        """Make everything that is due now."""
        self.watchdog.beat()
        self._archiver()
        self._remember()
        for kind in (FULL, DIFFERENTIAL):
            self._attempt(kind, kind, self._cluster_step(kind))
        for project in self.settings.projects:
            self._attempt(DUMP, f"{DUMP} {project.name}", self._dump_step(project))
        self._attempt(VERIFY, VERIFY, self._verify_step())

    def _attempt(self, kind: str, what: str, step: Callable[[datetime], bool]) -> None:
        now = datetime.now(UTC)
        if self.stop.is_set() or not self.pauses.over(what, now):
            return
        try:
            if step(now):
                self.pauses.well(what)
        except BackupRunning as error:
            log.info("postponed", what=what, reason=error)
            self.pauses.failed(what, now)
        except ActivityError as error:
            log.warning(f"{kind} failed; trying again", what=what, error=error)
            self.pauses.failed(what, datetime.now(UTC))
        self.watchdog.beat()

    def _cluster_step(self, kind: str) -> Callable[[datetime], bool]:
        def step(now: datetime) -> bool:
            found = self._repository()
            # A full backup is as good as a differential one, and a differential one wants a full one before it.
            kinds = ("full",) if kind == FULL else ()
            newest = found.newest(*kinds)
            if newest:
                self.recorder.gauges.success.labels(kind, "").set(newest.ended_at.timestamp())
                self.recorder.gauges.bytes.labels(kind, "").set(newest.bytes)
            if newest is None and kind == DIFFERENTIAL:
                return True
            # One that is damaged was told as a failure; another one at once would be no better.
            last = found.last(*kinds)
            if not is_due(self.when[kind], last.started_at if last else None, now):
                return True
            back_up(self.settings, self.recorder, kind, self.stop, self.watchdog.beat)
            return True

        return step

    def _dump_step(self, project: Project) -> Callable[[datetime], bool]:
        def step(now: datetime) -> bool:
            newest = self.store.newest(project.name)
            if newest:
                self.recorder.gauges.success.labels(DUMP, project.name).set(newest.taken_at.timestamp())
                self.recorder.gauges.bytes.labels(DUMP, project.name).set(newest.bytes)
            if not is_due(self.when[DUMP], newest.taken_at if newest else None, now):
                return True
            if newest is None and not has_database(self.settings, project):
                # A project that is new has nothing to lose yet.
                return True
            with working(self.watchdog):
                dump_project(self.settings, self.recorder, self.store, project)
            return True

        return step

    def _verify_step(self) -> Callable[[datetime], bool]:
        def step(now: datetime) -> bool:
            oldest = self._repository().oldest()
            if oldest is None or not (
                self.verify_owed or is_due(self.when[VERIFY], self.verified_at or oldest.ended_at, now)
            ):
                return True
            # The oldest moves on as old ones are removed: what was due once stays so until it succeeds.
            self.verify_owed = True
            with working(self.watchdog):
                verify_newest(self.settings, self.recorder)
            self.verified_at, self.verify_owed = datetime.now(UTC), False
            return True

        return step

    def _repository(self) -> repository.Repository:
        """What is there; a metric tells when that cannot be said."""
        failed = self.recorder.gauges.failed.labels(REPOSITORY, "")
        try:
            found = repository.read()
        except BackupFailed:
            failed.set(1)
            raise
        failed.set(0)
        return found

    def _remember(self) -> None:
        """Once: what the log database knows of checks and failures of those who were here before."""
        if self.asked_log:
            return
        try:
            rows = recent(self.settings)
        except DatabaseUnavailable:
            return
        self.asked_log = True
        for row in reversed(rows):
            self.recorder.gauges.failed.labels(row.kind, row.project).set(int(row.failed))
            if row.kind == VERIFY:
                self.verify_owed = row.failed
            if row.kind == VERIFY and not row.failed:
                self.verified_at = row.ended_at
                self.recorder.gauges.success.labels(VERIFY, "").set(row.ended_at.timestamp())

    def _archiver(self) -> None:
        try:
            with transaction(self.settings, "postgres", Role.SUPERUSER) as cursor:
                cursor.execute(query("backup/archiver"))
                row = cursor.fetchone()
        except DatabaseUnavailable:
            return
        if row and row[0]:
            self.recorder.gauges.archived.set(row[0].timestamp())
        self.recorder.gauges.archive_failures.set(int(bool(row and row[1])))


def back_up(
    settings: Settings, recorder: Recorder, kind: str, stop: Signal, beat: Callable[[], None] = lambda: None
) -> repository.Backup:
    """Make a backup of the cluster, full or differential, and record the result."""
    with recorder.recorded(kind) as outcome:
        made = repository.make(settings, PGBACKREST_TYPES[kind], stop, beat)
        outcome.words, outcome.bytes = f"{made.label}, {made.repository_bytes} bytes in the repository", made.bytes
    return made


def dump_project(settings: Settings, recorder: Recorder, store: DumpStore, project: Project) -> str:
    """Dump one project and record the result; returns the dump's name."""
    with recorder.recorded(DUMP, project.name) as outcome:
        made = dump(settings, store, project)
        outcome.words, outcome.bytes = f"{made.name}, {sum(made.rows.values())} rows", made.bytes
    return made.name


def verify_newest(settings: Settings, recorder: Recorder) -> str:
    """Verify the newest backup and record the result; returns that in words."""
    with recorder.recorded(VERIFY) as outcome:
        found = verify(settings.backups.scratch)
        outcome.words, outcome.bytes = str(found), found.backup.bytes
    return str(found)


def has_database(settings: Settings, project: Project) -> bool:
    """Whether a project's database is there."""
    with transaction(settings, "postgres", Role.OWNER) as cursor:
        cursor.execute(query("provision/find_database"), {"database": project.database})
        return cursor.fetchone() is not None


@contextmanager
def working(watchdog: Watchdog) -> Iterator[None]:
    """Beat the watchdog from a thread while long work runs that cannot do it itself."""
    done = Signal()

    def beat() -> None:
        while not done.wait(HEARTBEAT_SECONDS):
            watchdog.beat()

    thread = Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
