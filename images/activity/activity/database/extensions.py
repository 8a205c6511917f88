"""The extensions of Postgres that each database of the platform has, as DevStats's have."""

from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from activity.database.advisory_locks import lock_for_transaction
from activity.database.queries import composed, query

# Metrics of DevStats count with hll; its scripts hash with pgcrypto.
EXTENSIONS = ("hll", "pgcrypto")


def create_extensions(connection: Connection) -> list[str]:
    """Create the extensions that a database lacks; returns their names. May be repeated.

    One that the server does not have, or that only a superuser may create, is left for a later time: bootstrap is one.
    """
    with connection, connection.cursor() as cursor:
        lock_for_transaction(cursor, "migrate")
        cursor.execute(query("provision/missing_extensions"), {"names": list(EXTENSIONS)})
        names = [str(name) for (name,) in cursor.fetchall()]
        for name in names:
            cursor.execute(composed("provision/create_extension", extension=sql.Identifier(name)))
    return names
