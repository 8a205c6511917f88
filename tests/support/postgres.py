"""A real Postgres of our own image in a container on this machine's engine, for tests and benchmarks."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import docker
import psycopg2

from swarm.report import Report
from swarm.settings import environment
from swarm.shell import Shell
from swarm.stacks import images
from tests.support.waiting import until

LABEL = "swarmstats.tests"
# Nothing waits for a disk. What was committed survives the end of the server all the same, but not of the machine.
NO_DISK = MappingProxyType({"fsync": "off", "full_page_writes": "off"})


def here(kind: str) -> str:
    """The value of LABEL for what tests of this checkout run: those of another one beside it are let alone."""
    return f"{kind}-{sha256(str(environment.ROOT).encode()).hexdigest()[:8]}"


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


@contextmanager
def postgres(
    given: str | None, kind: str = "bench", parameters: Mapping[str, str] = MappingProxyType({})
) -> Iterator[PostgresServer]:
    """Run a server on a free port, or use one that runs, given as host:port:password.

    `parameters` are settings of Postgres over those of our image. What an earlier run of the same kind, of this
    checkout, left behind is removed first.
    """
    if given:
        host, port, password = given.split(":", 2)
        yield PostgresServer(host, int(port), password)
        return
    reference = images.ensure_local(environment.load("lab", {}), ("postgres",), Shell(), Report())["postgres"]
    client = docker.from_env()
    for stale in client.containers.list(all=True, filters={"label": f"{LABEL}={here(kind)}"}):
        stale.remove(force=True, v=True)
    password = secrets.token_urlsafe(24)
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "postgres-password").write_text(password)
        container = client.containers.run(
            reference,
            [word for name, value in parameters.items() for word in ("-c", f"{name}={value}")],
            detach=True,
            labels={LABEL: here(kind)},
            ports={"5432/tcp": ("127.0.0.1", None)},
            volumes={folder: {"bind": "/run/secrets", "mode": "ro"}},
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
