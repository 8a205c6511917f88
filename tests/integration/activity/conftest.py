"""A platform to test on: a real Postgres, the verbs in this process or in their own, an archive over real HTTP."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from subprocess import PIPE, CompletedProcess, Popen
from typing import Any, Protocol
from uuid import uuid4

import psycopg2
import pytest
from activity.database.provision import provision
from activity.settings import Need, Settings, read_settings
from psycopg2 import sql

from tests.support import verbs, web_server
from tests.support.waiting import HANG

ROOT = Path(__file__).parents[3]
DISTRIBUTION = ROOT / "images" / "activity"
# Columns that only a clock fills; two runs that do the same differ in them.
CLOCKS = {
    "gha_repos": ("created_at", "updated_at"),
    "gha_commits": ("inserted_at",),
    "hours": ("parsed_at",),
    "series_pending": ("marked_at",),
    "series_state": ("computed_at",),
    "schema_migrations": ("applied_at",),
}
PASSWORDS = {
    Need.REPLICATION: "replicator's",
    Need.REWIND: "rewinds",
    Need.OWNER: "owner's password",
    Need.READER: "reader",
    Need.TEAM: "team",
}


class Server(Protocol):
    """Where the Postgres of the tests is, and its superuser's password."""

    host: str
    port: int
    password: str


@dataclass
class Platform:
    """One platform of its own on the server: its projects have databases that nobody else uses.

    With a `template` a project's database is a copy of that, made when the project is first followed. Without, and
    after `drop`, the verb that needs it makes it, by all migrations.
    """

    server: Server
    folder: Path
    environ: dict[str, str]
    mark: str = field(default_factory=lambda: uuid4().hex[:8])
    databases: list[str] = field(default_factory=list)
    template: str = ""

    def follow(self, *organisations: str, start: str = "2015-01-01") -> None:
        """Have one project for each organisation from now on."""
        self.follow_projects({name: [name] for name in organisations}, start)

    def follow_projects(self, projects: dict[str, list[str]], start: str = "2015-01-01") -> None:
        """Have these projects, each with its organisations, from now on."""
        entries = [
            {"name": name, "organisations": organisations, "start": start, "database": self.database(name)}
            for name, organisations in projects.items()
        ]
        (self.folder / "projects.json").write_text(json.dumps({"projects": entries}))
        new = [self.database(name) for name in projects if self.database(name) not in self.databases]
        self.databases.extend(new)
        if self.template:
            for database in new:
                self._copy_template(database)

    def database(self, project: str) -> str:
        """Return the name of a project's database."""
        return f"test_{self.mark}_{project}"

    def set_password(self, need: Need, password: str) -> None:
        """Put a password where the service finds its secrets."""
        (self.folder / "secrets" / need.value).write_text(f"{password}\n")

    def settings(self, *needs: Need, **changes: str) -> Settings:
        """Read the settings as a verb would."""
        return read_settings({**self.environ, **changes}, frozenset(needs or (Need.OWNER, Need.PROJECTS)))

    def run(self, *arguments: str, **changes: str) -> CompletedProcess[str]:
        """Run a verb to its end, in this process."""
        return verbs.run(arguments, {**self.environ, **changes})

    def run_apart(self, *arguments: str, **changes: str) -> CompletedProcess[str]:
        """Run a verb to its end as a process of its own, which takes as long as one that is to be killed."""
        process = self.start(*arguments, **changes)
        output, errors = process.communicate(timeout=HANG)
        return CompletedProcess(process.args, process.returncode, output, errors)

    def start(self, *arguments: str, **changes: str) -> Popen[str]:
        """Start a verb as a process of its own and do not wait for it."""
        return Popen(self.command(*arguments), env={**self.environ, **changes}, stdout=PIPE, stderr=PIPE, text=True)

    @staticmethod
    def command(*arguments: str) -> list[str]:
        """Return the command line of a verb."""
        return [sys.executable, "-m", "activity", *arguments]

    def ingest(self, first: str, last: str, **changes: str) -> CompletedProcess[str]:
        """Read the hours from the first to the last."""
        return self.run("ingest", "--from", first, "--to", last, **changes)

    def connect(self, database: str, user: str = "postgres", password: str | None = None) -> Any:
        """Connect to a database, as the superuser unless said otherwise."""
        connection = psycopg2.connect(
            host=self.server.host,
            port=self.server.port,
            dbname=database,
            user=user,
            password=self.server.password if password is None else password,
        )
        connection.autocommit = True
        return connection

    def rows(self, project: str, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a statement finds in a project's database."""
        return self._found(self.database(project), statement, values)

    def log_rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a statement finds in the log database."""
        return self._found("devstats", statement, values)

    def _found(self, database: str, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def events(self, project: str) -> int:
        """Return how many events a project has."""
        return int(self.rows(project, "select count(*) from gha_events")[0][0])

    def tables(self, project: str) -> list[str]:
        """Return every table of a project's database."""
        named = "select table_name from information_schema.tables where table_schema = 'public' order by 1"
        return [row[0] for row in self.rows(project, named)]

    def counts(self, project: str) -> dict[str, int]:
        """Return how many rows each table has that holds any."""
        return {table: len(rows) for table, rows in self._contents(project) if rows}

    def checksum(self, project: str) -> str:
        """Return a checksum over every row of every table, but for what only a clock fills."""
        digest = sha256()
        for table, rows in self._contents(project):
            digest.update(f"{table}\n{rows}\n".encode())
        return digest.hexdigest()

    def _contents(self, project: str) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
        tables = self.tables(project)
        connection = self.connect(self.database(project))
        try:
            with connection.cursor() as cursor:
                for table in tables:
                    without = " ".join(f"- '{column}'" for column in CLOCKS.get(table, ()))
                    cursor.execute(f"select (to_jsonb(t) {without})::text from {table} t order by 1")
                    yield table, cursor.fetchall()
        finally:
            connection.close()

    def renew(self) -> None:
        """Give each project an empty database in place of the one that it has."""
        self.drop()
        for database in self.databases:
            self._copy_template(database)

    def _copy_template(self, database: str) -> None:
        self._execute("create database {} template {} strategy file_copy owner gha_admin", database, self.template)
        # Who may connect to a database is not copied with it.
        connection = self.connect(database, "gha_admin", PASSWORDS[Need.OWNER])
        try:
            with connection.cursor() as cursor:
                cursor.execute((DISTRIBUTION / "activity/sql/migrations/0001_readers.sql").read_text())
        finally:
            connection.close()

    def close_template(self, database: str) -> None:
        """Let nobody connect to a database, so that it can be copied at any time."""
        self._execute("alter database {} is_template true allow_connections false", database)

    def open_template(self, database: str) -> None:
        """Let a database be connected to and dropped again."""
        self._execute("alter database {} is_template false allow_connections true", database)

    def _execute(self, statement: str, *names: str) -> None:
        """Execute a statement about databases, as the superuser."""
        connection = self.connect("postgres")
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
        finally:
            connection.close()

    def drop(self) -> None:
        """Drop the databases of this platform."""
        connection = self.connect("postgres")
        try:
            with connection.cursor() as cursor:
                for database in self.databases:
                    cursor.execute(f'drop database if exists "{database}" with (force)')
        finally:
            connection.close()


@pytest.fixture(scope="session")
def secrets(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Secrets that the roles of the server were given by bootstrap."""
    folder = tmp_path_factory.mktemp("platform")
    (folder / "secrets").mkdir()
    platform = Platform(postgres_server, folder, _environ(postgres_server, folder, folder / "secrets"))
    platform.set_password(Need.POSTGRES, postgres_server.password)
    for need, password in PASSWORDS.items():
        platform.set_password(need, password)
    done = platform.run("bootstrap")
    assert done.returncode == 0, done.stderr
    return folder / "secrets"


@pytest.fixture(scope="session")
def template(postgres_server: Server, secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a project's database after all migrations, to be copied: migrations take seconds."""
    folder = tmp_path_factory.mktemp("template")
    platform = Platform(postgres_server, folder, _environ(postgres_server, folder, secrets))
    platform.follow("template")
    settings = platform.settings()
    provision(settings, settings.projects[0])
    platform.close_template(name := platform.database("template"))
    yield name
    platform.open_template(name)
    platform.drop()


@pytest.fixture
def platform(postgres_server: Server, secrets: Path, template: str, tmp_path: Path) -> Iterator[Platform]:
    """A platform with its own databases, dropped at the end."""
    platform = Platform(postgres_server, tmp_path, _environ(postgres_server, tmp_path, secrets), template=template)
    platform.log_rows("truncate archive_hours, empty_hours, backfills")
    yield platform
    platform.drop()


def environ(server: Server, folder: Path, secrets: Path) -> dict[str, str]:
    """What every process of a platform is told: where its database is, the secrets, the projects."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(DISTRIBUTION),
        "PYTHONWARNINGS": "error",
        "ACTIVITY_DATABASE_HOST": server.host,
        "ACTIVITY_DATABASE_PORT": str(server.port),
        "ACTIVITY_DATABASE_PORT_READ": str(server.port),
        "ACTIVITY_SECRETS": str(secrets),
        "ACTIVITY_PROJECTS": str(folder / "projects.json"),
    }


def _environ(server: Server, folder: Path, secrets: Path) -> dict[str, str]:
    return {
        **environ(server, folder, secrets),
        "ACTIVITY_ARCHIVE_CACHE": str(folder / "simulated"),
        "ACTIVITY_LISTEN": "127.0.0.1:0",
    }


@dataclass
class WebArchive:
    """A directory of hours behind a real web server, and which of them were asked for."""

    folder: Path
    url: str
    requests: list[str] = field(default_factory=list)


@contextmanager
def _serve(folder: Path) -> Iterator[WebArchive]:
    archive = WebArchive(folder, "")

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            archive.requests.append(self.path.strip("/"))
            super().do_GET()

        def log_message(self, format: str, *arguments: Any) -> None:
            """The requests are kept, not printed."""

    with web_server.serving(partial(Handler, directory=str(folder))) as address:
        archive.url = f"http://{address}"
        yield archive


@pytest.fixture
def web_archive(tmp_path: Path, platform: Platform) -> Iterator[WebArchive]:
    """An empty archive over HTTP that the platform reads from."""
    folder = tmp_path / "archive"
    folder.mkdir()
    with _serve(folder) as archive:
        platform.environ["ACTIVITY_ARCHIVE_URL"] = archive.url
        yield archive


@pytest.fixture
def real_archive(platform: Platform, shared_data: Path) -> Path:
    """The two real hours, read by the platform from their directory."""
    platform.environ["ACTIVITY_ARCHIVE_URL"] = (shared_data / "gharchive").as_uri()
    return shared_data / "gharchive"
