"""Whether the newest backup restores: into an instance of its own, which is started, read, checked and removed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import psycopg2

from activity.backup import process
from activity.backup.dump import count_rows
from activity.backup.repository import Backup, read
from activity.backup.scratch_instance import ScratchInstance, empty_folder, error_line, restore_files, running
from activity.database.queries import query
from activity.errors import BackupFailed

REPLAY_TIMEOUT_SECONDS = 6 * 3600.0


@dataclass(frozen=True)
class VerifyResult:
    """What a check found: the backup, the moment up to which it was replayed, databases, their rows, and how long."""

    backup: Backup
    replayed_to: datetime | None
    databases: int
    tables: int
    rows: int
    seconds: float

    def __str__(self) -> str:
        """The outcome in one line."""
        to = f"{self.replayed_to:%Y-%m-%d %H:%M:%S} UTC" if self.replayed_to else "its own end"
        return (
            f"{self.backup.label} restored and replayed to {to}: {self.databases} databases, {self.tables} tables, "
            f"{self.rows} rows read, indexes and checksums are intact; {self.seconds:.0f} s"
        )


def verify(folder: Path) -> VerifyResult:
    """Restore the newest backup into a folder, check everything that can be checked, and leave the folder empty."""
    newest = read().newest()
    if newest is None:
        raise BackupFailed("There is no backup to verify yet. Run ./run db.backup --full to make one.")
    began = monotonic()
    try:
        empty_folder(folder)
        instance = ScratchInstance(folder / "data", folder / "run")
        restore_files(instance, newest, None, archive=False)
        with running(instance, archive=False, seconds=REPLAY_TIMEOUT_SECONDS):
            replayed, counts = _read_all(instance)
            process.run(
                ("pg_amcheck", "--all", "--install-missing", f"--host={instance.beside}", "--username=postgres")
            )
        process.run(("pg_checksums", "--check", f"--pgdata={instance.data}"))
    except OSError as error:
        raise BackupFailed(f"{error.filename}: {error.strerror}.") from error
    finally:
        empty_folder(folder)
    tables = sum(len(found) for found in counts.values())
    rows = sum(sum(found.values()) for found in counts.values())
    return VerifyResult(newest, replayed, len(counts), tables, rows, monotonic() - began)


def _read_all(instance: ScratchInstance) -> tuple[datetime | None, dict[str, dict[str, int]]]:
    """The moment of the last transaction that was replayed, and the rows of each table of each database, all read."""
    try:
        connection = instance.connect()
        with connection.cursor() as cursor:
            cursor.execute(query("backup/last_replayed"))
            row = cursor.fetchone()
            cursor.execute(query("backup/list_databases"))
            names = [str(found[0]) for found in cursor.fetchall()]
        connection.close()
        counts: dict[str, dict[str, int]] = {}
        for name in names:
            connection = instance.connect(name)
            with connection.cursor() as cursor:
                counts[name] = count_rows(cursor)
            connection.close()
    except psycopg2.Error as error:
        raise BackupFailed(f"Cannot read the restored server: {error_line(error)}.") from error
    moment = row[0] if row else None
    return (moment.astimezone(UTC) if isinstance(moment, datetime) else None), counts
