"""Who may do what in Postgres, and the log database: what a fresh cluster needs before anything else."""

from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import encrypt_password
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from activity import log
from activity.database.advisory_locks import lock_for_connection
from activity.database.connect import LOG_DATABASE, Role, connect
from activity.database.migrate import migrate
from activity.database.provision import create_database
from activity.database.queries import composed, query
from activity.database.superuser_setup import set_up_as_superuser
from activity.errors import DatabaseUnavailable
from activity.settings import Need, Settings

DEADLINE_SECONDS = 120.0
UNLIMITED_CONNECTIONS = -1


@dataclass(frozen=True)
class Login:
    """A role of the platform: its name, its secret, and what it may do beyond signing in."""

    name: str
    secret: Need
    may: str = ""
    grants: str = ""


# Also of a server that stands alone: it may become the first member of a cluster.
LOGINS = (
    Login("replicator", Need.REPLICATION, may="replication"),
    Login("rewind", Need.REWIND, grants="roles/grant_rewind"),
    Login("gha_admin", Need.OWNER, may="createdb"),
    Login("ro_user", Need.READER),
    Login("devstats_team", Need.TEAM),
)


def bootstrap(settings: Settings, deadline: float = DEADLINE_SECONDS) -> None:
    """Create roles, the log database and extensions, or give roles today's passwords; may be repeated.

    Waits for Postgres up to so many seconds, then raises DatabaseUnavailable.
    """
    waiting = Retrying(
        retry=retry_if_exception_type(DatabaseUnavailable),
        wait=wait_exponential(multiplier=0.25, max=5),
        stop=stop_after_delay(deadline),
        reraise=True,
    )
    waiting(_set_roles, settings)
    if create_database(settings, LOG_DATABASE, "postgres", Role.SUPERUSER):
        log.info("database created", database=LOG_DATABASE)
    with connect(settings, LOG_DATABASE, Role.OWNER) as connection:
        for name in migrate(connection, "log"):
            log.info("migration applied", database=LOG_DATABASE, migration=name)
    for database in _databases(settings):
        set_up_as_superuser(settings, database)


def _databases(settings: Settings) -> list[str]:
    with connect(settings, "postgres", Role.SUPERUSER) as connection, connection.cursor() as cursor:
        cursor.execute(query("provision/own_databases"))
        return [str(name) for (name,) in cursor.fetchall()]


def _set_roles(settings: Settings) -> None:
    with (
        connect(settings, "postgres", Role.SUPERUSER, autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        lock_for_connection(cursor, "roles")
        for login in LOGINS:
            created = _create(cursor, login)
            _set(connection, cursor, login, settings)
            log.info("role created" if created else "role up to date", role=login.name)


def _create(cursor: Cursor, login: Login) -> bool:
    cursor.execute(query("roles/find_role"), {"role": login.name})
    if cursor.fetchone() is not None:
        return False
    cursor.execute(composed("roles/create_role", role=sql.Identifier(login.name)))
    return True


def _set(connection: Connection, cursor: Cursor, login: Login, settings: Settings) -> None:
    # Only the verifier goes over the wire and into the server's log, never the password.
    plain = settings.password(login.secret).reveal()
    verifier = encrypt_password(plain, login.name, connection, "scram-sha-256")
    cursor.execute(
        composed(
            "roles/set_role",
            role=sql.Identifier(login.name),
            createdb=sql.SQL("createdb" if login.may == "createdb" else "nocreatedb"),
            replication=sql.SQL("replication" if login.may == "replication" else "noreplication"),
            connections=sql.Literal(settings.connection_limits.get(login.name, UNLIMITED_CONNECTIONS)),
            verifier=sql.Literal(verifier),
        )
    )
    if login.grants:
        cursor.execute(query(login.grants))
