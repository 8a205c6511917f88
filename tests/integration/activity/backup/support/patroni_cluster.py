"""A cluster of two members under Patroni with one etcd and a HAProxy, in plain containers on a network of their own."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import docker
import docker.errors
import psycopg2

from swarm.report import Report
from swarm.settings import environment
from swarm.shell import Shell
from swarm.stacks import images, stack, targets
from tests.integration.activity.backup import sql
from tests.integration.activity.backup.conftest import PASSWORDS, VOLUME
from tests.support.postgres import LABEL, here
from tests.support.waiting import until

IMAGES = ("postgres", "etcd", "haproxy", "backup", "activity")
MEMBERS = ("patroni1", "patroni2")
KIND = here("members")
SECRETS = (*PASSWORDS, "patroni-password")


@dataclass
class Members:
    """Containers by the name of their service; each member has a volume, and `storage` is shared.

    `environ` is what the verbs of the service are told; `marks` are moments and the checksum of the table then.
    """

    name: str
    folder: Path
    references: dict[str, str]
    containers: dict[str, Any] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    marks: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def client(self) -> Any:
        return docker.from_env()

    def start(
        self, name: str, image: str, words: list[str], environ: dict[str, str] | None = None, *, volume: str = "",
        aliases: tuple[str, ...] = (), **options: Any,
    ) -> None:  # fmt: skip
        """Start a container of an image, under the name of a service and with a volume of its own."""
        api = self.client.api
        wanted = api.create_networking_config(
            {self.name: api.create_endpoint_config(aliases=[*(aliases or (f"db_{name}",))])}
        )
        host = api.create_host_config(
            binds=self._mounts(volume), shm_size="128m", tmpfs={"/run/patroni": "size=1m"} if volume else None
        )
        made = api.create_container(
            self.references[image], words, environment=environ or {}, labels={LABEL: KIND}, host_config=host,
            networking_config=wanted, **options,
        )  # fmt: skip
        api.start(made["Id"])
        self.containers[name] = self.client.containers.get(made["Id"])

    def single(self) -> None:
        """Start the one server on the volume of the first member."""
        words = ["archive_mode=on", "archive_command=pgbackrest --stanza=main archive-push %p", "archive_timeout=60"]
        self.start("postgres", "postgres", [part for word in words for part in ("-c", word)], volume="patroni1")

    def etcd(self) -> None:
        """Start the one member of etcd; it answers under the names of three."""
        given = {"STACK": "db", "MEMBER": "etcd1", "MEMBERS": "etcd1"}
        self.start("etcd1", "etcd", [], given, aliases=("db_etcd1", "db_etcd2", "db_etcd3"))

    def member(self, name: str) -> None:
        """Start a member of the cluster."""
        given = {
            "STACK": "db", "PATRONI_NAME": name, "MEMBERS": " ".join(MEMBERS),
            "PATRONI_RESTAPI_CONNECT_ADDRESS": f"db_{name}:8008",
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS": f"db_{name}:5432",
        }  # fmt: skip
        self.start(name, "postgres", [], given, volume=name, entrypoint=["start-patroni"])

    def haproxy(self) -> None:
        """Start the one address of all."""
        self.start("haproxy", "haproxy", [])

    def end(self, name: str, *, kill: bool = False) -> None:
        """End a container as Swarm ends it, or without a word."""
        container = self.containers.pop(name)
        if not kill:
            container.stop(timeout=60)
        _discard(container)

    def said(self, name: str) -> str:
        """What a container wrote."""
        return str(self.containers[name].logs().decode(errors="replace"))

    def run(
        self, *words: str, volume: str = "", image: str = "backup", code: int = 0,
        hosts: Mapping[str, str] = MappingProxyType({}), **environ: str,
    ) -> str:  # fmt: skip
        """Run a verb of the service to its end; returns what it said. `hosts` are addresses that it has by name."""
        given = {"ACTIVITY_DATABASE_HOST": "db_haproxy", **self.environ, **environ}
        container = self.client.containers.run(
            self.references[image], list(words), detach=True, labels={LABEL: KIND}, environment=given,
            network=self.name, volumes=self._mounts(volume), cap_drop=["ALL"], shm_size="128m", extra_hosts=dict(hosts),
        )  # fmt: skip
        try:
            ended = int(container.wait(timeout=300)["StatusCode"])
            said = str(container.logs().decode(errors="replace"))
            assert ended == code, f"{words} ended with {ended}:\n{said}"
            return said
        finally:
            _discard(container)

    def share(self, name: str, source: str, target: str) -> None:
        """Lay a file of a container on the shared storage."""
        content = self.containers[name].exec_run(["cat", source]).output.decode()
        script = 'mkdir -p "$(dirname "$0")" && printf %s "$1" >"$0" && chmod 0644 "$0"'
        self.client.containers.run(
            self.references["backup"], ["-c", script, target, content], entrypoint="sh", user="0", remove=True,
            volumes=self._mounts(""),
        )  # fmt: skip

    def held(self, volume: str) -> dict[str, Any]:
        """What lies in a member's volume."""
        told: dict[str, Any] = json.loads(self.run("backup", "state", volume=volume))
        return told

    def leader(self) -> str:
        """The name of the member that leads; empty while none does."""
        for name in MEMBERS:
            if name in self.containers and self.containers[name].exec_run(["patroni-member", "leads"]).exit_code == 0:
                return name
        return ""

    def cluster(self) -> dict[str, str]:
        """Name -> state of each member, as the first that answers tells it."""
        argv = ["curl", "-fsS", "http://127.0.0.1:8008/cluster"]
        for name in MEMBERS:
            if name in self.containers:
                code, said = self.containers[name].exec_run(argv)
                if code == 0:
                    return {item["name"]: item["state"] for item in json.loads(said)["members"]}
        return {}

    def whole(self) -> bool:
        """Whether one leads and the other follows it, so that commits wait for it and it may lead."""
        found, led = self.cluster(), self.leader()
        if not led or sorted(found.values()) != ["running", "streaming"] or set(found) != set(MEMBERS):
            return False
        argv = ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8008/quorum"]
        (follower,) = [name for name in MEMBERS if name != led]
        return follower in self.containers and self.containers[follower].exec_run(argv).exit_code == 0

    def address(self, name: str) -> str:
        """The address of a container."""
        container = self.containers[name]
        container.reload()
        (network,) = container.attrs["NetworkSettings"]["Networks"].values()
        return str(network["IPAddress"])

    def connect(self, server: str, password: str, user: str = "postgres", **options: Any) -> Any:
        """Connect to a server, or to the leader through HAProxy."""
        port = 5000 if server == "haproxy" else 5432
        return sql.connect(self.address(server), password, user=user, port=port, **options)

    def sql(self, server: str, statement: str) -> Any:
        """One value, asked as superuser."""
        return sql.first(self.connect(server, (self.folder / "secrets" / "postgres-password").read_text()), statement)

    def answers(self, server: str) -> bool:
        """Whether it takes statements."""
        try:
            return bool(self.sql(server, "select true"))
        except psycopg2.Error:
            return False

    def remove(self) -> None:
        """Remove everything that was made for it, and containers that a run of this checkout before left behind."""
        for container in self.client.containers.list(all=True, filters={"label": f"{LABEL}={KIND}"}):
            _discard(container)
        for volume in self.client.volumes.list():
            if volume.name.startswith(self.name):
                volume.remove(force=True)
        for network in self.client.networks.list(names=[self.name]):
            network.remove()

    def _mounts(self, volume: str) -> dict[str, dict[str, str]]:
        files = {
            "secrets": "/run/secrets",
            "patroni.yml": "/etc/patroni/patroni.yml",
            "projects.json": "/etc/swarmstats/projects.json",
            "pgbackrest.conf": "/etc/pgbackrest/pgbackrest.conf",
            "haproxy.cfg": "/etc/haproxy/haproxy.cfg",
        }
        if volume == MEMBERS[0]:
            files["bootstrap.yml"] = "/etc/patroni/bootstrap.yml"
        found = {str(self.folder / source): {"bind": at, "mode": "ro"} for source, at in files.items()}
        found[f"{self.name}-storage"] = {"bind": "/data", "mode": "rw"}
        if volume:
            found[f"{self.name}-{volume}"] = {"bind": VOLUME, "mode": "rw"}
        return found


def _discard(container: Any) -> None:
    """Remove a container and wait until it is gone; a busy engine now and then answers that it does so already."""
    with suppress(docker.errors.APIError):
        container.remove(v=True, force=True)

    def gone() -> bool:
        try:
            container.reload()
        except docker.errors.NotFound:
            return True
        return False

    until("its end", gone)


@contextmanager
def members(more: str = "", keys: Mapping[str, str] = MappingProxyType({})) -> Iterator[Members]:
    """Nothing runs yet, all is removed at the end. `more` are lines of env.yaml, `keys` more secrets."""
    with TemporaryDirectory() as text:
        folder = Path(text)
        folder.chmod(0o755)
        (folder / "secrets").mkdir()
        for name in SECRETS:
            (folder / "secrets" / name).write_text(f"it's {name}: {uuid4().hex}")
        known = _environment(folder, more)
        known.secrets.mkdir()
        for name, key in keys.items():
            for place in (folder / "secrets" / name, known.secrets / f"{name}.secret"):
                place.write_text(key)
        (target,) = targets.select(known, "db")
        for item in stack.render(known, target).configs:
            (folder / item.key).write_bytes(item.content)
        references = images.ensure_local(known, IMAGES, Shell(), Report())
        made = Members(f"swarmstats-members-{uuid4().hex[:8]}", folder, references)
        made.remove()
        made.client.networks.create(made.name, labels={LABEL: KIND})
        try:
            yield made
        finally:
            made.remove()


def _environment(folder: Path, more: str) -> environment.Environment:
    """The lab's environment, with one project."""
    (folder / "envs" / "lab").mkdir(parents=True)
    (folder / "envs" / "lab" / "env.yaml").write_text(
        (environment.ROOT / "env" / "lab" / "env.yaml").read_text() + more
    )
    (folder / "envs" / "lab" / "projects.yaml").write_text("projects:\n  apache: {organisations: [apache]}\n")
    return environment.load("lab", {"SWARMSTATS_ENVS": str(folder / "envs")})


def settle(found: Members) -> None:
    """Wait until one leads and the other follows, and clients come in."""
    until("a healthy cluster", found.whole)
    until("its address", lambda: found.answers("haproxy"))
