"""Migrations, forward only: each runs in one transaction with its record."""

from importlib.resources.abc import Traversable

from psycopg2.extensions import connection as Connection

from activity.database.advisory_locks import lock_for_transaction
from activity.database.queries import folder, query


def migrate(connection: Connection, name: str) -> list[str]:
    """Apply the migrations of a folder that the database lacks, in order; returns their names."""
    with connection, connection.cursor() as cursor:
        lock_for_transaction(cursor, "migrate")
        cursor.execute(query("provision/create_schema_migrations"))
    return [file.name for file in folder(name) if _apply(connection, file)]


def _apply(connection: Connection, file: Traversable) -> bool:
    version = int(file.name.partition("_")[0])
    with connection, connection.cursor() as cursor:
        # The lock is held with the check, so that of two who find it missing only one applies it.
        lock_for_transaction(cursor, "migrate")
        cursor.execute(query("provision/find_migration"), {"version": version})
        if cursor.fetchone() is not None:
            return False
        cursor.execute(file.read_text(encoding="utf-8"))
        cursor.execute(query("provision/record_migration"), {"version": version, "name": file.name})
        return True
