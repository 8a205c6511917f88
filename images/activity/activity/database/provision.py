"""A project's own database: created and migrated by the first process that needs it."""

from psycopg2 import sql

from activity import log
from activity.database.advisory_locks import lock_for_connection
from activity.database.connect import LOG_DATABASE, Role, connect
from activity.database.extensions import create_extensions
from activity.database.migrate import migrate
from activity.database.queries import composed, query
from activity.projects import Project
from activity.settings import Settings


def provision(settings: Settings, project: Project) -> None:
    """Make sure that a project's database is there, with today's tables, extensions and readers; may be repeated."""
    if create_database(settings, project.database, LOG_DATABASE, Role.OWNER):
        log.info("database created", project=project.name, database=project.database)
    with connect(settings, project.database, Role.OWNER) as connection:
        for name in create_extensions(connection):
            log.info("extension created", project=project.name, database=project.database, extension=name)
        for name in migrate(connection, "migrations"):
            log.info("migration applied", project=project.name, database=project.database, migration=name)


def migrate_log_database(settings: Settings) -> None:
    """Make sure that the log database has today's tables: it may be older than the process that writes to it."""
    with connect(settings, LOG_DATABASE, Role.OWNER) as connection:
        for name in migrate(connection, "log"):
            log.info("migration applied", database=LOG_DATABASE, migration=name)


def create_database(settings: Settings, database: str, by_way_of: str, role: Role) -> bool:
    """Create a database of gha_admin unless it is there; returns whether it was created."""
    with connect(settings, by_way_of, role, autocommit=True) as connection, connection.cursor() as cursor:
        lock_for_connection(cursor, "provision", database)
        cursor.execute(query("provision/find_database"), {"database": database})
        if cursor.fetchone() is not None:
            return False
        cursor.execute(composed("provision/create_database", database=sql.Identifier(database)))
        return True
