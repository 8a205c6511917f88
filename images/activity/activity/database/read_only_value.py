"""One value from a database, as any role, without the right to change anything."""

import psycopg2

from activity.database.connect import OPTIONS, first_line
from activity.errors import DatabaseUnavailable
from activity.secret import Secret

READING = f"{OPTIONS} -c default_transaction_read_only=on -c statement_timeout=10s"
NOTHING = "no row"


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
            options=READING,
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
    return _written(row[0]) if row else NOTHING


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    return "" if value is None else str(value)
