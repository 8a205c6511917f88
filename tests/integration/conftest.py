"""A real Postgres for the whole tier: our own image, in a container on this machine's engine."""

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import docker
import psycopg2
import pytest

from swarm import environment, images
from swarm.report import Report
from swarm.shell import Shell
from tests.waiting import until

LABEL = "swarmstats.tests"


@dataclass(frozen=True)
class PostgresServer:
    """Where the server is, and the password of its superuser `postgres`."""

    host: str
    port: int
    password: str

    def answers(self) -> bool:
        """Whether it takes connections with this password."""
        try:
            psycopg2.connect(
                host=self.host, port=self.port, user="postgres", password=self.password, dbname="postgres"
            ).close()
        except psycopg2.OperationalError:
            return False
        return True


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Our postgres image on a free port; SWARMSTATS_TEST_POSTGRES=host:port:password uses a running server instead."""
    if given := os.environ.get("SWARMSTATS_TEST_POSTGRES"):
        host, port, password = given.split(":", 2)
        yield PostgresServer(host, int(port), password)
        return
    reference = images.ensure_local(environment.load("lab", {}), ("postgres",), Shell(), Report())["postgres"]
    folder = tmp_path_factory.mktemp("secrets")
    password = secrets.token_urlsafe(24)
    (folder / "postgres-password").write_text(password)
    client = docker.from_env()
    for stale in client.containers.list(all=True, filters={"label": f"{LABEL}=postgres"}):
        stale.remove(force=True, v=True)
    container = client.containers.run(
        reference,
        detach=True,
        labels={LABEL: "postgres"},
        ports={"5432/tcp": ("127.0.0.1", None)},
        volumes={str(folder): {"bind": "/run/secrets", "mode": "ro"}},
        shm_size="256m",
    )
    try:
        container.reload()
        port = int(container.ports["5432/tcp"][0]["HostPort"])
        server = PostgresServer("127.0.0.1", port, password)
        until("Postgres", server.answers, deadline=60)
        yield server
    finally:
        container.remove(force=True, v=True)
