"""One project's database from its dump: restored under another name, checked, then swapped in by renaming.

Until the swap the project's own database serves and is written to; the swap takes as long as a rename. What was there
before is kept as NAME_before_restore until the next restore of that project.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import file_digest
from threading import Event as Signal
from threading import Thread
from time import monotonic, sleep

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from activity import log
from activity.backup.dump import count_rows
from activity.backup.dump_store import Dump, DumpStore
from activity.backup.process import password_file, run
from activity.database.advisory_locks import lock_for_connection, try_lock_for_connection
from activity.database.connect import Role, connect
from activity.database.queries import composed, query
from activity.database.superuser_setup import set_up_as_superuser
from activity.errors import BackupFailed, BackupRunning, DatabaseUnavailable
from activity.projects import Project
from activity.settings import Need, Settings

RESTORED_SUFFIX = "_restored"
BEFORE_SUFFIX = "_before_restore"
MAX_NAME_BYTES = 63
POSTGRES_PORT = 5432
END_SESSIONS_SECONDS = 0.1
MAX_RENAMES = 3
REPLAY_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class RestoredProject:
    """What a restore brought: the dump, the rows of all tables, and the name that the former database has now."""

    dump: Dump
    rows: int
    kept_as: str


def restore_project(settings: Settings, store: DumpStore, project: Project, dump: Dump) -> RestoredProject:
    """Bring a project's database to what a dump holds; nothing changes for anybody until it is there and checked."""
    _demand_whole(store, dump)
    restored, before = sibling_name(project.database, RESTORED_SUFFIX), sibling_name(project.database, BEFORE_SUFFIX)
    with connect(settings, "postgres", Role.SUPERUSER, autocommit=True) as connection, connection.cursor() as cursor:
        if not try_lock_for_connection(cursor, "restore", project.database):
            raise BackupRunning(f"Another restore of {project.name} is running.")
        cursor.execute(composed("backup/drop_database", database=sql.Identifier(restored)))
        cursor.execute(composed("backup/create_restored", database=sql.Identifier(restored)))
        try:
            _load(settings, store, dump, restored)
            rows = _checked(settings, dump, restored)
            # What was not given yet when the dump was made.
            set_up_as_superuser(settings, restored)
            cursor.execute(composed("backup/open_to_readers", database=sql.Identifier(restored)))
            kept = _swap(settings, cursor, project.database, restored, before)
        except BaseException:
            _discard(settings, restored)
            raise
    return RestoredProject(dump, rows, before if kept else "")


def sibling_name(database: str, suffix: str) -> str:
    """The name of a database beside another one, as long as names may be."""
    return database[: MAX_NAME_BYTES - len(suffix)] + suffix


def _demand_whole(store: DumpStore, dump: Dump) -> None:
    try:
        with store.path(dump).open("rb") as source:
            found = file_digest(source, "sha256").hexdigest()
    except OSError as error:
        raise BackupFailed(f"{error.filename}: {error.strerror}.") from error
    if found != dump.sha256:
        raise BackupFailed(
            f"{dump.name} is damaged: its SHA-256 is {found}, expected {dump.sha256}. Nothing was changed; "
            "choose another dump (see ./run db.backups)."
        )


def _load(settings: Settings, store: DumpStore, dump: Dump, database: str) -> None:
    with password_file(settings.password(Need.POSTGRES)) as (descriptor, environ):
        argv = (
            "pg_restore",
            "--no-password",
            "--exit-on-error",
            f"--jobs={settings.backups.processes}",
            f"--host={settings.database_host}",
            f"--port={settings.database_port}",
            "--username=postgres",
            f"--dbname={database}",
            str(store.path(dump)),
        )
        run(argv, environ, descriptors=[descriptor])


def _checked(settings: Settings, dump: Dump, database: str) -> int:
    """The number of rows that are there; BackupFailed when a table has not as many as it had in the dump."""
    with connect(settings, database, Role.SUPERUSER, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(query("backup/analyze"))
        found = count_rows(cursor)
    wrong = [
        f"{table}: {dump.rows.get(table, 0)} rows in the dump, {found.get(table, 0)} restored"
        for table in sorted({*dump.rows, *found})
        if dump.rows.get(table, 0) != found.get(table, 0)
    ]
    if wrong:
        raise BackupFailed("\n".join((f"{dump.name} did not restore completely:", *wrong)))
    return sum(found.values())


def _swap(settings: Settings, cursor: Cursor, database: str, restored: str, before: str) -> bool:
    """Put the restored database in the place of the present one, in one transaction; returns whether there was one."""
    lock_for_connection(cursor, "provision", database)
    cursor.execute(query("provision/find_database"), {"database": database})
    there = cursor.fetchone() is not None
    if there:
        cursor.execute(composed("backup/drop_database", database=sql.Identifier(before)))
    for left in reversed(range(MAX_RENAMES)):
        try:
            with _ending(settings, database):
                _rename(settings, [(database, before)] if there else [], (restored, database))
            break
        except DatabaseUnavailable as error:
            log.warning("could not rename the database; trying again", database=database, error=error)
            if not left:
                raise
    if there:
        _end_sessions_on_replicas(settings, before)
    return there


def _rename(settings: Settings, first: list[tuple[str, str]], then: tuple[str, str]) -> None:
    with connect(settings, "postgres", Role.SUPERUSER) as connection, connection, connection.cursor() as cursor:
        for old, new in (*first, then):
            names = {"old": sql.Identifier(old), "new": sql.Identifier(new)}
            cursor.execute(composed("backup/rename_database", **names))


@contextmanager
def _ending(settings: Settings, database: str) -> Iterator[None]:
    """End sessions in a database again and again for the length of a block: whoever is quick comes back at once."""
    done = Signal()

    def end() -> None:
        while not done.wait(END_SESSIONS_SECONDS):
            try:
                _end_sessions(settings, database)
            except DatabaseUnavailable as error:
                log.warning("could not end sessions", database=database, error=error)

    thread = Thread(target=end, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _end_sessions(settings: Settings, database: str) -> None:
    with connect(settings, "postgres", Role.SUPERUSER, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(query("backup/end_sessions"), {"database": database})


def _end_sessions_on_replicas(settings: Settings, database: str) -> None:
    """A session on a replica stays in the database that it opened, whatever that is called now."""
    with connect(settings, "postgres", Role.SUPERUSER, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(query("backup/list_replicas"))
        addresses = [str(row[0]) for row in cursor.fetchall()]
        cursor.execute(query("backup/current_wal"))
        row = cursor.fetchone()
        written = str(row[0]) if row else ""
    for address in addresses:
        replica = replace(settings, database_host=address, database_port=POSTGRES_PORT)
        try:
            _await_replay(replica, written)
            _end_sessions(replica, database)
        except DatabaseUnavailable as error:
            log.warning(
                "could not end sessions on a replica; they end when their clients disconnect",
                replica=address,
                error=error,
            )


def _await_replay(replica: Settings, written: str) -> None:
    """Wait until a replica has replayed the renaming: whom one sent away before that would come back to the same."""
    end = monotonic() + REPLAY_TIMEOUT_SECONDS
    with connect(replica, "postgres", Role.SUPERUSER, autocommit=True) as connection, connection.cursor() as cursor:
        while monotonic() < end:
            cursor.execute(query("backup/has_replayed"), {"written": written})
            row = cursor.fetchone()
            if row and row[0]:
                return
            sleep(END_SESSIONS_SECONDS)
    log.warning("a replica is lagging", replica=replica.database_host, seconds=REPLAY_TIMEOUT_SECONDS)


def _discard(settings: Settings, database: str) -> None:
    try:
        with (
            connect(settings, "postgres", Role.SUPERUSER, autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(composed("backup/drop_database", database=sql.Identifier(database)))
    except DatabaseUnavailable as error:
        log.warning("could not drop an unfinished restore; the next restore removes it", database=database, error=error)


def choose_dump(store: DumpStore, project: Project, accept: Callable[[Dump], bool], wanted: str) -> Dump:
    """The newest dump of a project that is accepted; BackupFailed names those that there are."""
    there = store.of(project.name)
    found = next((dump for dump in there if accept(dump)), None)
    if found is None:
        names = ", ".join(dump.name for dump in there) or "none"
        raise BackupFailed(
            f"There is no dump of {project.name}{wanted}. Dumps: {names}. Run ./run db.dump to make one."
        )
    return found
