"""A real Postgres for the whole tier: our own image, in a container on this machine's engine."""

import os
from collections.abc import Iterator

import pytest

from tests.support.postgres import NO_DISK, PostgresServer, postgres

__all__ = ["PostgresServer"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Our postgres image on a free port; SWARMSTATS_TEST_POSTGRES=host:port:password uses a running server instead."""
    with postgres(os.environ.get("SWARMSTATS_TEST_POSTGRES"), "postgres", NO_DISK) as server:
        yield server
