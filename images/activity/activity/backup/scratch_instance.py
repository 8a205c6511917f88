"""A Postgres instance restored from the repository into a folder: for a check, or to become the cluster again."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shutil import rmtree
from time import monotonic, sleep

import psycopg2
from psycopg2.extensions import connection as Connection

from activity.backup import process
from activity.backup.repository import STANZA, Backup
from activity.database.connect import first_line
from activity.database.queries import query
from activity.errors import BackupFailed

POLL_SECONDS = 0.5
LOG_LINES = 8
# What a server that replays WAL must have no less of than the server that wrote it.
NO_LESS = ("max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_xacts", "max_locks_per_xact")
NAMES = {"max_prepared_xacts": "max_prepared_transactions", "max_locks_per_xact": "max_locks_per_transaction"}
REASONS = re.compile(r"(?:FATAL|PANIC):\s*(.+)")


@dataclass(frozen=True)
class ScratchInstance:
    """A data directory and the folder beside it that holds its socket, its settings and its log."""

    data: Path
    beside: Path

    @property
    def log(self) -> Path:
        """What the server writes."""
        return self.beside / "log"

    def connect(self, database: str = "postgres") -> Connection:
        """Connect as superuser over the socket, which only this container's own user reaches."""
        connection = psycopg2.connect(host=str(self.beside), dbname=database, user="postgres")
        connection.autocommit = True
        return connection


def restore_files(
    instance: ScratchInstance, backup: Backup | None, to: datetime | None, *, archive: bool, timeline: int | None = None
) -> None:
    """Restore a backup into the data directory; without one pgBackRest takes what it has, or says what it lacks.

    It will replay up to a moment, or all that was archived, of the newest timeline or another one. Without `archive` it
    never writes to the repository.
    """
    instance.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    instance.data.chmod(0o700)
    target: tuple[str, ...] = ()
    if to is not None:
        target = ("--type=time", f"--target={to.isoformat(sep=' ')}", "--target-action=promote")
    argv = (
        "pgbackrest",
        f"--stanza={STANZA}",
        f"--pg1-path={instance.data}",
        # By itself it takes the newest, damaged or not.
        *((f"--set={backup.label}",) if backup else ()),
        *target,
        *((f"--target-timeline={timeline}",) if timeline else ()),
        *(() if archive else ("--archive-mode=off",)),
        "restore",
    )
    process.run(argv)


@contextmanager
def running(instance: ScratchInstance, *, archive: bool, seconds: float) -> Iterator[None]:
    """The restored server for the length of a block, after it has replayed all and left recovery; stopped cleanly."""
    _settle(instance, archive=archive)
    argv = ("postgres", "-D", str(instance.data), "-c", f"config_file={instance.beside / 'settings'}")
    with process.started(argv, str(instance.log)) as server:
        deadline = monotonic() + seconds
        while not _recovered(instance):
            if server.poll() is not None:
                raise BackupFailed(f"The restored server exited: {reason(instance.log)}")
            if monotonic() > deadline:
                raise BackupFailed(f"The restored server is still replaying WAL after {seconds:.0f} s.")
            sleep(POLL_SECONDS)
        yield
        # Fast shutdown: a checkpoint is written.
        server.send_signal(2)
        if server.wait(timeout=600):
            raise BackupFailed(f"The restored server did not shut down cleanly: {reason(instance.log)}")


def _settle(instance: ScratchInstance, *, archive: bool) -> None:
    instance.beside.mkdir(mode=0o700, parents=True, exist_ok=True)
    (instance.beside / "hba").write_text("local all postgres peer\n")
    lines = [
        "listen_addresses = ''",
        f"unix_socket_directories = '{instance.beside}'",
        f"hba_file = '{instance.beside / 'hba'}'",
        "ident_file = '/dev/null'",
        "shared_buffers = 128MB",
        "max_wal_size = 4GB",
        # Nobody asks it before it has left recovery, and one that could be asked waits for ever where WAL tells of more
        # connections than it has: they may have become more since the backup.
        "hot_standby = off",
        "log_timezone = 'UTC'",
        "timezone = 'UTC'",
        "autovacuum = off",
        f"archive_mode = {'on' if archive else 'off'}",
        "archive_command = 'pgbackrest --stanza=main archive-push %p'",
        *(f"{name} = {value}" for name, value in _limits(instance.data).items()),
    ]
    (instance.beside / "settings").write_text("\n".join(lines) + "\n")


def _limits(data: Path) -> dict[str, int]:
    said = process.run(("pg_controldata", str(data)))
    found = dict(re.findall(r"^(\w+) setting:\s+(\d+)$", said, re.MULTILINE))
    return {NAMES.get(name, name): int(found[name]) for name in NO_LESS if name in found}


def _recovered(instance: ScratchInstance) -> bool:
    try:
        connection = instance.connect()
    except psycopg2.OperationalError:
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute(query("backup/in_recovery"))
            row = cursor.fetchone()
            return row is not None and not row[0]
    except psycopg2.Error:
        return False
    finally:
        connection.close()


def reason(log: Path) -> str:
    """The last thing that a server's log calls fatal, else its last lines."""
    try:
        text = log.read_text(errors="replace")
    except OSError as error:
        return f"cannot read its log: {error.strerror}"
    fatal = REASONS.findall(text)
    return fatal[-1] if fatal else "; ".join(text.strip().splitlines()[-LOG_LINES:]) or "its log is empty"


def empty_folder(folder: Path) -> None:
    """Remove everything in a folder, which itself stays."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            rmtree(path)
        else:
            path.unlink()


def error_line(error: psycopg2.Error) -> str:
    """What Postgres says, in one line."""
    return first_line(error)
