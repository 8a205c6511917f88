"""A real cluster with pgBackRest: our postgres image with an archive, the service's verbs in containers beside it."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
import docker.errors
import psycopg2
import pytest

from swarm.report import Report
from swarm.settings import environment
from swarm.shell import Shell
from swarm.stacks import images, stack, targets
from tests.integration.activity.backup import sql
from tests.support.postgres import LABEL, here
from tests.support.waiting import HANG, until

KIND = here("backups")
VOLUME = "/var/lib/postgresql/data"
PASSWORDS = (
    "postgres-password", "gha-admin-password", "ro-user-password", "devstats-team-password", "replication-password",
    "rewind-password",
)  # fmt: skip
PROJECTS = ("apache", "rust-lang")


@dataclass
class Cluster:
    """One Postgres with an archive; `folder` has what its containers are given, `more_mounts` what a test adds."""

    name: str
    folder: Path
    references: dict[str, str]
    container: Any = None
    more_mounts: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def client(self) -> Any:
        return docker.from_env()

    @property
    def mounts(self) -> dict[str, dict[str, str]]:
        return {
            f"{self.name}-storage": {"bind": "/data", "mode": "rw"},
            str(self.folder / "secrets"): {"bind": "/run/secrets", "mode": "ro"},
            str(self.folder / "pgbackrest.conf"): {"bind": "/etc/pgbackrest/pgbackrest.conf", "mode": "ro"},
            str(self.folder / "projects.json"): {"bind": "/etc/swarmstats/projects.json", "mode": "ro"},
            **self.more_mounts,
        }

    @property
    def host(self) -> str:
        self.container.reload()
        return str(self.container.attrs["NetworkSettings"]["IPAddress"])

    def start(self, volume: str = "data") -> None:
        """Start the server on a volume."""
        self._begin(volume)
        until("Postgres", self.answers)

    def start_and_end(self, reason: str) -> None:
        """Start a server that refuses, and says why."""
        self._begin("data")
        assert self.container.wait(timeout=HANG)["StatusCode"] == 64
        assert reason in self.container.logs().decode()
        self.container.remove(v=True)
        self.container = None

    def _begin(self, volume: str) -> None:
        words = ["archive_mode=on", "archive_command=pgbackrest --stanza=main archive-push %p", "archive_timeout=60"]
        self.container = self.client.containers.run(
            self.references["postgres"],
            [part for word in words for part in ("-c", word)],
            detach=True,
            labels={LABEL: KIND},
            volumes={**self.mounts, f"{self.name}-{volume}": {"bind": VOLUME, "mode": "rw"}},
            shm_size="256m",
        )

    def stop(self) -> None:
        self.container.stop(timeout=60)
        self.container.remove(v=True)
        self.container = None

    def answers(self) -> bool:
        try:
            self.connect("postgres").close()
        except psycopg2.OperationalError:
            return False
        return True

    def connect(self, database: str, user: str = "postgres") -> Any:
        secret = {"postgres": "postgres-password", "gha_admin": "gha-admin-password", "ro_user": "ro-user-password"}
        password = (self.folder / "secrets" / secret[user]).read_text()
        return sql.connect(self.host, password, user=user, database=database)

    def sql(self, database: str, statement: str, user: str = "postgres") -> Any:
        return sql.first(self.connect(database, user), statement)

    def checksum(self, database: str, table: str) -> str:
        """A checksum over all rows of a table."""
        return str(self.sql(database, f"select md5(string_agg(t::text, ',' order by t::text)) from {table} t"))

    def command(self, words: tuple[str, ...], volume: str = "", **environ: str) -> tuple[str, ...]:
        """The docker command that runs a verb of the service beside the server."""
        given = {"ACTIVITY_DATABASE_PORT": "5432", "ACTIVITY_DATABASE_PORT_READ": "5432", **environ}
        if self.container:
            given = {"ACTIVITY_DATABASE_HOST": self.host, **given}
        mounts = dict(self.mounts)
        if volume:
            mounts[f"{self.name}-{volume}"] = {"bind": VOLUME, "mode": "rw"}
        return (
            "docker", "run", "--rm", "--label", f"{LABEL}={KIND}", "--cap-drop=ALL", "--shm-size=256m",
            *(part for key, value in given.items() for part in ("--env", f"{key}={value}")),
            *(part for source, at in mounts.items() for part in ("--volume", f"{source}:{at['bind']}:{at['mode']}")),
            self.references["backup"], *words,
        )  # fmt: skip

    def run(self, *words: str, volume: str = "", code: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end."""
        argv = self.command(words, volume, **environ)
        done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == code, f"{words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done

    def shown(self) -> dict[str, Any]:
        """What `backup show` tells."""
        told: dict[str, Any] = json.loads(self.run("backup", "show").stdout)
        return told

    def shell(self, script: str, volume: str = "") -> str:
        """Run a shell script as root with the storage mounted, and a server's volume."""
        volumes = {f"{self.name}-storage": {"bind": "/data", "mode": "rw"}}
        if volume:
            volumes[f"{self.name}-{volume}"] = {"bind": VOLUME, "mode": "rw"}
        said = self.client.containers.run(
            self.references["backup"], ["-c", script], entrypoint="sh", user="0", remove=True, volumes=volumes
        )
        return str(said.decode())

    def containers(self, **more: str) -> list[Any]:
        """Those that run for these tests of this checkout."""
        return list(self.client.containers.list(filters={"label": f"{LABEL}={KIND}", **more}))

    def kill_verbs(self) -> None:
        """Kill whatever verb of the service runs."""
        for container in self.containers(ancestor=self.references["backup"]):
            container.kill()

    def remove(self) -> None:
        """Remove everything that was made for it, and containers that a run of this checkout before left behind."""
        for container in self.client.containers.list(all=True, filters={"label": f"{LABEL}={KIND}"}):
            container.remove(force=True, v=True)
        for volume in self.client.volumes.list():
            if volume.name.startswith(self.name):
                volume.remove(force=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with roles, the log database, and a database of events for each of two projects."""
    known = environment.load("lab", {})
    references = images.ensure_local(known, ("postgres", "backup"), Shell(), Report())
    folder = tmp_path_factory.mktemp("backups")
    (folder / "secrets").mkdir()
    for name in PASSWORDS:
        (folder / "secrets" / name).write_text(f"it's {name}: \\{uuid4().hex}")
    entries = [{"name": name, "organisations": [name], "start": "2015-01-01"} for name in PROJECTS]
    (folder / "projects.json").write_text(json.dumps({"projects": entries}))
    (folder / "pgbackrest.conf").write_text(_configuration(known))
    made = Cluster(f"swarmstats-backups-{uuid4().hex[:8]}", folder, references)
    made.remove()
    try:
        made.start()
        made.run("bootstrap")
        for name in PROJECTS:
            made.run("series", "--project", name)
            made.sql(
                name,
                "create table numbers as select i, md5(i::text) as word from generate_series(1, 20000) i;"
                "alter table numbers add primary key (i)",
                user="gha_admin",
            )
        yield made
    finally:
        made.remove()


def _configuration(known: environment.Environment) -> str:
    """pgbackrest.conf as the stack renders it."""
    (target,) = targets.select(known, "db")
    rendered = stack.render(known, target)
    return next(item.content.decode() for item in rendered.configs if item.key == "pgbackrest.conf")
