"""The whole cluster at a point in time, into a member's volume; what is there is set aside, not removed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree

import psycopg2

from activity.backup import repository
from activity.backup.data_volume import MAIN, RESTORED, UNFINISHED, is_restored
from activity.backup.scratch_instance import ScratchInstance, error_line, restore_files, running
from activity.database.queries import query
from activity.errors import BackupFailed

ASIDE_PREFIX = "main.before-restore-"
REPLAY_TIMEOUT_SECONDS = 12 * 3600.0


@dataclass(frozen=True)
class RestoredCluster:
    """What a restore of the cluster came to: the last transaction it holds, and where the former data are."""

    reached: datetime | None
    aside: str

    def __str__(self) -> str:
        """The outcome in one line."""
        last = (
            f"its last transaction is of {self.reached:%Y-%m-%d %H:%M:%S.%f} UTC"
            if self.reached
            else "recovery reached the end of WAL"
        )
        return f"the cluster is restored, {last}{f'; the former data is kept in {self.aside}' if self.aside else ''}"


def restore_cluster(
    volume: Path, to: datetime | None, timeline: int | None = None, at_least: datetime | None = None
) -> RestoredCluster:
    """Restore into a volume beside what is there, replay to the end, and only then take its place.

    Replay without a goal ends where WAL is missing, and says nothing of it: what does not come as far as `at_least` is
    refused.
    """
    # Soon, where the repository does not answer: all servers are stopped meanwhile.
    backup = repository.read().suited(to)
    restoring = volume / UNFINISHED
    try:
        rmtree(restoring, ignore_errors=True)
        instance = ScratchInstance(restoring / MAIN, restoring / "run")
        restore_files(instance, backup, to, archive=True, timeline=timeline)
        with running(instance, archive=True, seconds=REPLAY_TIMEOUT_SECONDS):
            reached = _finish(instance)
            _demand(reached, at_least)
        aside = _take_place(volume, restoring / MAIN)
        rmtree(restoring, ignore_errors=True)
    except OSError as error:
        raise BackupFailed(f"{error.filename}: {error.strerror}.") from error
    return RestoredCluster(reached, aside)


def _demand(reached: datetime | None, at_least: datetime | None) -> None:
    if at_least and (reached is None or reached < at_least):
        end = f"{reached:%Y-%m-%d %H:%M:%S} UTC" if reached else "the end of the backup"
        raise BackupFailed(
            f"WAL is missing from the archive: everything until {at_least:%Y-%m-%d %H:%M:%S} UTC was archived, "
            f"but replay ended at {end}. To accept that, restore with --to that time."
        )


def _take_place(volume: Path, data: Path) -> str:
    """Put restored data in the place of what is there, so that a kill at any point leaves one or the other.

    After a restore that was interrupted what is there is no more than a copy; the former data are aside already.
    """
    if is_restored(volume):
        rmtree(volume / MAIN, ignore_errors=True)
        aside = next((path.name for path in sorted(volume.glob(f"{ASIDE_PREFIX}*"), reverse=True)), "")
    else:
        (volume / RESTORED).touch()
        aside = set_aside(volume)
    data.rename(volume / MAIN)
    return aside


def set_aside(volume: Path) -> str:
    """Give the data directory of a volume another name, so that a fresh one can come; empty when there is none.

    What an earlier restore set aside goes first: there is room for one former state, not for all.
    """
    if not (volume / MAIN).exists():
        return ""
    for old in volume.glob(f"{ASIDE_PREFIX}*"):
        rmtree(old)
    aside = volume / f"{ASIDE_PREFIX}{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    (volume / MAIN).rename(aside)
    return aside.name


def _finish(instance: ScratchInstance) -> datetime | None:
    """Leave nothing behind that speaks of the restore, and archive all that the new timeline has."""
    try:
        connection = instance.connect()
        with connection.cursor() as cursor:
            cursor.execute(query("backup/last_replayed"))
            row = cursor.fetchone()
            # Replicas copy this file: a recovery target in it would stop them there.
            cursor.execute(query("backup/reset_system"))
            cursor.execute(query("backup/checkpoint"))
        connection.close()
    except psycopg2.Error as error:
        raise BackupFailed(f"The restored server could not be finished: {error_line(error)}.") from error
    moment = row[0] if row else None
    return moment.astimezone(UTC) if isinstance(moment, datetime) else None
