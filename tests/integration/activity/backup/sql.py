"""A statement to a server of these tests."""

from typing import Any

import psycopg2


def connect(
    host: str, password: str, *, user: str = "postgres", database: str = "postgres", port: int = 5432, **options: Any
) -> Any:
    """A connection that commits each statement by itself; `options` are psycopg2's."""
    connection = psycopg2.connect(
        host=host, port=port, user=user, password=password, dbname=database, connect_timeout=3, **options
    )
    connection.autocommit = True
    return connection


def first(connection: Any, statement: str) -> Any:
    """The first value that a statement gives, if it gives any; the connection is closed."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None
    finally:
        connection.close()
