"""Reads one value from a database in a read-only session, as any role."""

import psycopg2

from activity.database.connect import OPTIONS, first_line
from activity.errors import DatabaseUnavailable
from activity.secret import Secret

READ_ONLY_OPTIONS = f"{OPTIONS} -c default_transaction_read_only=on -c statement_timeout=10s"
NO_ROW = "no row"


def read_only_value(address: tuple[str, int], database: str, role: str, password: Secret, query: str) -> str:
    """Return the first value that a query finds, written as psql writes it; DatabaseUnavailable on any refusal."""
    host, port = address
    try:
        connection = psycopg2.connect(
            host=host,
            port=port,
            dbname=database,
            user=role,
            password=password.reveal(),
            connect_timeout=5,
            application_name="activity probe",
            client_encoding="UTF8",
            options=READ_ONLY_OPTIONS,
        )
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(query)
                row = cursor.fetchone() if cursor.description else None
        finally:
            connection.close()
    except psycopg2.Error as error:
        raise DatabaseUnavailable(first_line(error)) from error
    return _written(row[0]) if row else NO_ROW


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    return "" if value is None else str(value)
