"""A dump of one project's database, read from a replica in one snapshot, with the number of rows of each table.

It is made as superuser: a table that somebody made who is not the owner must not be missing, or be in the way.
"""

import os
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from time import monotonic

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from activity.backup.dump_store import Dump, DumpStore
from activity.backup.process import password_file, run
from activity.database.advisory_locks import try_lock_for_connection
from activity.database.connect import Role, connect
from activity.database.queries import composed, query
from activity.errors import BackupFailed, BackupRunning, DatabaseUnavailable
from activity.projects import Project
from activity.settings import Need, Settings

COMPRESSION = "zstd:6"


def dump(settings: Settings, store: DumpStore, project: Project) -> Dump:
    """Dump a project and put it in the store; BackupRunning when another dump of it is under way.

    A replica that had to break off (it must not fall behind for ever) is followed by one attempt on the leader.
    """
    with connect(settings, "postgres", Role.OWNER, autocommit=True) as connection, connection.cursor() as cursor:
        if not try_lock_for_connection(cursor, "dump", project.database):
            raise BackupRunning(f"Another dump of {project.name} is running.")
        try:
            made = _dump(settings, store, project, replica=True)
        except (BackupFailed, DatabaseUnavailable):
            made = _dump(settings, store, project, replica=False)
        store.forget(project.name, settings.backups.keep_dumps)
        return made


def _dump(settings: Settings, store: DumpStore, project: Project, *, replica: bool) -> Dump:
    began, taken_at = monotonic(), datetime.now(UTC).replace(microsecond=0)
    try:
        draft = store.draft(project.name)
    except OSError as error:
        raise BackupFailed(
            f"{error.filename}: {error.strerror}. Is the shared storage mounted and writable?"
        ) from error
    with (
        connect(settings, project.database, Role.SUPERUSER, replica=replica) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(query("backup/begin_snapshot"))
        cursor.execute(query("backup/export_snapshot"))
        snapshot, host, port, server = cursor.fetchone() or ("", "", 0, "")
        _pg_dump(settings, project, draft, (snapshot, host, port))
        rows = count_rows(cursor)
    try:
        with draft.open("rb") as source:
            sha256 = file_digest(source, "sha256").hexdigest()
            os.fsync(source.fileno())
        size = draft.stat().st_size
        made = Dump(project.name, project.database, taken_at, round(monotonic() - began, 1), size, sha256, rows, server)
        store.keep(draft, made)
    except OSError as error:
        raise BackupFailed(
            f"{error.filename}: {error.strerror}. Is the shared storage mounted and writable?"
        ) from error
    return made


def _pg_dump(settings: Settings, project: Project, draft: Path, at: tuple[str, str, int]) -> None:
    snapshot, host, port = at
    with password_file(settings.password(Need.POSTGRES)) as (descriptor, environ):
        argv = (
            "pg_dump",
            "--no-password",
            "--format=custom",
            f"--compress={COMPRESSION}",
            # The very server whose snapshot it is: behind the one address there may be several.
            f"--host={host or settings.database_host}",
            f"--port={port or settings.database_port}",
            "--username=postgres",
            f"--snapshot={snapshot}",
            f"--file={draft}",
            project.database,
        )
        run(argv, environ, descriptors=[descriptor])


def count_rows(cursor: Cursor) -> dict[str, int]:
    """The number of rows of each table of schema public."""
    cursor.execute(query("backup/list_tables"))
    counts: dict[str, int] = {}
    for (table,) in cursor.fetchall():
        cursor.execute(composed("backup/count_rows", table=sql.Identifier("public", str(table))))
        row = cursor.fetchone()
        counts[str(table)] = int(row[0]) if row else 0
    return counts
