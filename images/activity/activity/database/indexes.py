"""Secondary indexes that wait for the end of a backfill: an empty database is filled faster without them."""

from psycopg2 import sql

from activity import log
from activity.database.connect import transaction
from activity.database.queries import query
from activity.projects import Project
from activity.settings import Settings


def defer_indexes(settings: Settings, project: Project) -> None:
    """Drop the secondary indexes of a database that holds no event, and remember them; another is left as it is."""
    with transaction(settings, project.database) as cursor:
        cursor.execute(query("backfill/defer_indexes"))


def restore_indexes(settings: Settings, project: Project) -> int:
    """Build the indexes that were deferred, each in a transaction with its record; returns how many."""
    with transaction(settings, project.database) as cursor:
        cursor.execute(query("backfill/deferred_indexes"))
        deferred = cursor.fetchall()
    for name, definition in deferred:
        with transaction(settings, project.database) as cursor:
            # The definition is Postgres's own, from pg_get_indexdef.
            cursor.execute(sql.SQL(definition))
            cursor.execute(query("backfill/restored_index"), {"name": name})
        log.info("index built", project=project.name, index=name)
    return len(deferred)
