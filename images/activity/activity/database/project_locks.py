"""Locks on projects: exclusive for a backfill, shared for all other work; held by a session of the log database."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event as Signal

import psycopg2
from psycopg2.errors import LockNotAvailable
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from activity import log
from activity.database.advisory_locks import lock_for_connection, try_shared_locks, unlock_shared
from activity.database.connect import LOG_DATABASE, Role, connect, first_line
from activity.database.queries import query
from activity.errors import DatabaseUnavailable, Stopped
from activity.projects import Project
from activity.settings import Settings

LOCK_TIMEOUT = "1s"


class ExclusiveLock:
    """Exclusive locks on projects, valid as long as their connection is open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def check(self) -> None:
        """Verify that the locks are still held; DatabaseUnavailable when the connection is gone."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("select 1")
        except psycopg2.Error as error:
            words = f"this backfill has lost its locks: {first_line(error)}. Run it again."
            raise DatabaseUnavailable(words) from error


@contextmanager
def lock_exclusively(settings: Settings, projects: Iterable[Project], stop: Signal) -> Iterator[ExclusiveLock]:
    """Lock projects exclusively; waits for other holders, always in the same order, so that there is no deadlock."""
    with connect(settings, LOG_DATABASE, Role.OWNER, autocommit=True) as connection:
        with connection.cursor() as cursor:
            # A wait that ends now and then lets a stop through, and is queued before those who would share.
            cursor.execute(query("locks/set_lock_timeout"), {"timeout": LOCK_TIMEOUT})
            for words in sorted(map(_words, projects)):
                waited = False
                while not _taken(cursor, words):
                    if not waited:
                        log.info("waiting for the project's lock", database=words[1])
                    waited = True
                    if stop.is_set():
                        raise Stopped(f"stopped while waiting for the lock of {words[1]}. Run it again to start.")
        yield ExclusiveLock(connection)


@contextmanager
def lock_shared(settings: Settings, projects: Iterable[Project]) -> Iterator[frozenset[Project]]:
    """Lock projects shared; yields those that no backfill has locked exclusively."""
    wanted = {_words(project): project for project in projects}
    with connect(settings, LOG_DATABASE, Role.OWNER, autocommit=True) as connection, connection.cursor() as cursor:
        free = try_shared_locks(cursor, wanted)
        yield frozenset(wanted[words] for words in free)
        unlock_shared(cursor, free)


def _taken(cursor: Cursor, words: tuple[str, ...]) -> bool:
    try:
        lock_for_connection(cursor, *words)
    except LockNotAvailable:
        return False
    return True


def _words(project: Project) -> tuple[str, ...]:
    return ("project", project.database)
