"""A real Postgres for the whole tier: our own image, in a container on this machine's engine."""

import os
from collections.abc import Iterator

import pytest

from tests.support.postgres import NO_DISK, PostgresServer, postgres

__all__ = ["PostgresServer"]

# Lanes of the tier run side by side in one checkout, and a server removes what an earlier one of its kind has left.
KIND = "-".join(("postgres", os.environ.get("SWARMSTATS_TEST_ENV", "alone")))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Our postgres image on a free port; SWARMSTATS_TEST_POSTGRES=host:port:password uses a running server instead."""
    with postgres(os.environ.get("SWARMSTATS_TEST_POSTGRES"), KIND, NO_DISK) as server:
        yield server
