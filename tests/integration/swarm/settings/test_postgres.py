"""The names of parameters that env.yaml may have are those of the server that is built here."""

import psycopg2

from swarm.settings.postgres import KNOWN
from tests.support.postgres import PostgresServer

NAMES = "select lower(name) from pg_settings where context <> 'internal' and name !~ '[.]'"


def test_postgres_has_the_parameters_that_are_known(postgres_server: PostgresServer) -> None:
    connection = psycopg2.connect(
        host=postgres_server.host, port=postgres_server.port, user="postgres", password=postgres_server.password
    )
    with connection.cursor() as cursor:
        cursor.execute(NAMES)
        found = {str(name) for (name,) in cursor.fetchall()}
    connection.close()
    assert found == set(KNOWN.read_text().split())
