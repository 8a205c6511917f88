"""Connections: as whom, to which database, for reading or for writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from activity.errors import DatabaseUnavailable
from activity.settings import Need, Settings

LOG_DATABASE = "devstats"
# A client that is gone is noticed within seconds, so that what it held is free again.
OPTIONS = " ".join(
    (
        "-c timezone=UTC",
        "-c client_connection_check_interval=5s",
        "-c idle_in_transaction_session_timeout=5min",
        "-c tcp_keepalives_idle=30",
        "-c tcp_keepalives_interval=10",
        "-c tcp_keepalives_count=3",
    )
)


class Role(Enum):
    """Who connects, and which secret proves it."""

    SUPERUSER = ("postgres", Need.POSTGRES)
    OWNER = ("gha_admin", Need.OWNER)
    READER = ("ro_user", Need.READER)

    def __init__(self, login: str, secret: Need) -> None:
        self.login = login
        self.secret = secret


@contextmanager
def connect(
    settings: Settings, database: str, role: Role, *, autocommit: bool = False, replica: bool = False
) -> Iterator[Connection]:
    """Connect for the length of a block; the reader goes to the replicas. DatabaseUnavailable on any refusal."""
    port = settings.database_port_read if replica or role is Role.READER else settings.database_port
    place = f"{settings.database_host}:{port}/{database} as {role.login}"
    try:
        connection = psycopg2.connect(
            host=settings.database_host,
            port=port,
            dbname=database,
            user=role.login,
            password=settings.password(role.secret).reveal(),
            connect_timeout=5,
            application_name="activity",
            client_encoding="UTF8",
            options=OPTIONS,
        )
        try:
            connection.autocommit = autocommit
            yield connection
        finally:
            connection.close()
    except psycopg2.Error as error:
        raise DatabaseUnavailable(f"{place}: {first_line(error)}. Check that the db stack is healthy.") from error


@contextmanager
def transaction(settings: Settings, database: str, role: Role = Role.OWNER) -> Iterator[Cursor]:
    """Run a block in one transaction: committed when the block ends well, else rolled back."""
    with connect(settings, database, role) as connection, connection, connection.cursor() as cursor:
        yield cursor


def first_line(error: psycopg2.Error) -> str:
    """Return what Postgres says, without the lines that only repeat the statement."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
