"""Drops the database of a project that is no longer followed, and never any other database."""

from psycopg2 import sql

from activity.database.connect import LOG_DATABASE, Role, connect, transaction
from activity.database.queries import composed, query
from activity.errors import UsageError
from activity.projects import RESERVED
from activity.settings import Settings


def drop_database(settings: Settings, database: str) -> bool:
    """Drop a database with all that is in it; returns whether it was there. UsageError for one that is needed."""
    owner = next((project.name for project in settings.projects if project.database == database), None)
    if owner is not None:
        raise UsageError(f"database {database!r} belongs to project {owner}. Remove the project first.")
    if database in RESERVED:
        raise UsageError(f"database {database!r} is reserved.")
    with connect(settings, LOG_DATABASE, Role.OWNER, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(query("provision/find_database"), {"database": database})
        there = cursor.fetchone() is not None
        if there:
            cursor.execute(composed("provision/drop_database", database=sql.Identifier(database)))
    with transaction(settings, LOG_DATABASE) as cursor:
        cursor.execute(query("ledger/forget_project"), {"database": database})
    return there
