"""Read-only connections to many databases under one cap: 300 projects, one portal, a handful of connections."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from time import monotonic
from typing import Any, TypeVar

import psycopg2
from psycopg2 import errors
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from activity import log
from activity.portal.errors import DatabaseBusy, DatabaseUnreachable, NotReady

Answer = TypeVar("Answer")

SESSION = "-c default_transaction_read_only=on -c timezone=UTC"


@dataclass(frozen=True)
class Timing:
    """How long the portal waits for Postgres, in seconds."""

    connect_seconds: int = 2
    statement_seconds: int = 10
    # How long a request waits for one of the connections to become free.
    lease_seconds: float = 10.0
    # No new connection is tried for this long after a refusal, or a page of 300 projects would try 300 times.
    retry_seconds: float = 1.0


@dataclass(frozen=True)
class Server:
    """Where to read, and as whom."""

    host: str
    port: int
    user: str
    password: Callable[[], str]


class Connections:
    """Lends connections by database; the least recently used makes room for another database."""

    def __init__(self, server: Server, limit: int = 10, timing: Timing | None = None) -> None:
        self._server = server
        self._limit = limit
        self._timing = timing or Timing()
        self._idle: list[tuple[str, Connection]] = []
        self._count = 0
        self._changed = Condition()
        self._resting_until = 0.0
        self._refused = False

    @property
    def count(self) -> int:
        """Connections open now, lent or idle."""
        return self._count

    def read(self, database: str, work: Callable[[Cursor], Answer]) -> Answer:
        """What `work` reads from the database. Raises DatabaseUnreachable, DatabaseBusy, NotReady."""
        while True:
            connection, reused = self._borrow(database)
            try:
                with _translated(database, self._timing), connection.cursor() as cursor:
                    return work(cursor)
            except DatabaseUnreachable:
                # An idle connection may have died long ago (a failover, a proxy's idle limit): take the next one.
                if not (reused and connection.closed):
                    raise
            finally:
                self._give_back(database, connection)

    def close(self) -> None:
        """Close what is idle; what is lent closes when it comes back."""
        with self._changed:
            self._limit = 0
            while self._idle:
                self._drop_oldest()

    def _borrow(self, database: str) -> tuple[Connection, bool]:
        with self._changed:
            found = self._changed.wait_for(lambda: self._idle_or_room(database), self._timing.lease_seconds)
            if not found:
                raise DatabaseBusy("All database connections are in use. Try again in a moment.")
            for index in reversed(range(len(self._idle))):
                if self._idle[index][0] == database:
                    return self._idle.pop(index)[1], True
            if self._count >= self._limit:
                self._drop_oldest()
            self._count += 1
        try:
            return self._connect(database), False
        except BaseException:
            self._forget()
            raise

    def _idle_or_room(self, database: str) -> bool:
        return bool(self._idle) or self._count < self._limit

    def _drop_oldest(self) -> None:
        self._idle.pop(0)[1].close()
        self._count -= 1

    def _forget(self) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify()

    def _give_back(self, database: str, connection: Connection) -> None:
        with self._changed:
            if connection.closed or self._count > self._limit:
                connection.close()
                self._count -= 1
            else:
                self._idle.append((database, connection))
            self._changed.notify()

    def _note(self, database: str, refusal: str) -> None:
        # Visitors are not told why; the operator is, once when it begins and once when it ends.
        if bool(refusal) != self._refused:
            place = f"{self._server.host}:{self._server.port}/{database} as {self._server.user}"
            if refusal:
                log.warning("cannot reach the database", place=place, problem=refusal.splitlines()[0])
            else:
                log.info("the database is available again", place=place)
        self._refused = bool(refusal)

    def _connect(self, database: str) -> Connection:
        if monotonic() < self._resting_until:
            raise DatabaseUnreachable("The database is unavailable. Pages recover as soon as it is back.")
        server = self._server
        try:
            connection = psycopg2.connect(
                host=server.host,
                port=server.port,
                user=server.user,
                password=server.password(),
                dbname=database,
                connect_timeout=self._timing.connect_seconds,
                application_name="portal",
                options=f"{SESSION} -c statement_timeout={self._timing.statement_seconds}s",
                keepalives_idle=30,
            )
        except psycopg2.OperationalError as error:
            self._resting_until = monotonic() + self._timing.retry_seconds
            self._note(database, str(error).strip() or type(error).__name__)
            raise DatabaseUnreachable("The database is unavailable. Pages recover as soon as it is back.") from error
        self._note(database, "")
        connection.autocommit = True
        return connection


@contextmanager
def _translated(database: str, timing: Timing) -> Iterator[None]:
    try:
        yield
    except (errors.UndefinedTable, errors.InvalidCatalogName, errors.InsufficientPrivilege) as error:
        raise NotReady(f"The tables of {database} do not exist yet.") from error
    except (errors.QueryCanceled, errors.SerializationFailure) as error:
        raise DatabaseBusy(
            f"Reading {database} took longer than {timing.statement_seconds} s. Try a shorter range."
        ) from error
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise DatabaseUnreachable(
            "Lost the connection to the database. Pages recover as soon as it is back."
        ) from error


def rows(cursor: Cursor, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    """The rows of a query with named parameters."""
    cursor.execute(sql, values)
    return cursor.fetchall()
