"""One real swarm of four nodes for the whole tier, driven by the verbs as a user drives it.

SWARMSTATS_TEST_ENV names another folder of tests/e2e/env, for a second swarm beside the first.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from swarm.engine.client import Engine
from swarm.errors import EngineUnavailable
from swarm.live import services
from swarm.nodes import manager
from swarm.settings import environment
from swarm.settings.environment import ROOT, Environment
from swarm.shell import Shell
from tests.conftest import SHARED_DATA
from tests.e2e.support import machine, verbs
from tests.e2e.support.traffic import Traffic
from tests.support.waiting import until

HERE = Path(__file__).resolve().parent
NAME = os.environ.get("SWARMSTATS_TEST_ENV", "e2e")
STATE = ROOT / ".swarmstats" / NAME
FILE = STATE / "env" / NAME / "env.yaml"
HOURS = ("2015-01-01-0.json.gz", "2015-01-01-1.json.gz")
EVENTS = {"apache": 52, "rust-lang": 40, "cachethq": 57}
# Columns that only a clock fills.
CLOCKS = {"gha_repos": ("created_at", "updated_at"), "gha_commits": ("inserted_at",)}
# The tables that the loader fills from the archive.
TABLES = (
    "gha_actors",
    "gha_assets",
    "gha_branches",
    "gha_comments",
    "gha_commits",
    "gha_commits_roles",
    "gha_events",
    "gha_forkees",
    "gha_issues",
    "gha_issues_assignees",
    "gha_issues_events_labels",
    "gha_issues_labels",
    "gha_issues_pull_requests",
    "gha_labels",
    "gha_milestones",
    "gha_orgs",
    "gha_pages",
    "gha_parsed",
    "gha_payloads",
    "gha_pull_requests",
    "gha_pull_requests_assignees",
    "gha_pull_requests_requested_reviewers",
    "gha_releases",
    "gha_releases_assets",
    "gha_repos",
    "gha_reviews",
    "gha_teams",
    "gha_teams_repositories",
    "gha_texts",
    "event_origins",
    "missing_commits",
)


@dataclass(frozen=True)
class Platform:
    """The running platform, seen from outside."""

    environment: Environment
    process: dict[str, str]
    events: dict[str, int] = field(default_factory=dict)

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`./run VERB ...` with this tier's environment."""
        done = verbs.of(ROOT).run(words, self.process, Path.cwd())
        if check:
            assert done.returncode == 0, f"{words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done

    @property
    def engine(self) -> Engine:
        """The engine of the manager."""
        return manager.connect(self.environment, Shell())

    def get(self, host: str, path: str = "/", **options: Any) -> requests.Response:
        """Ask Traefik for a host under the domain."""
        name = f"{host}.{self.environment.domain}" if host else self.environment.domain
        url = f"http://127.0.0.1:{self.environment.http_port}{path}"
        return requests.get(url, headers={"Host": name}, timeout=10, **options)

    def traffic(self, stack: str) -> Traffic:
        """A client that asks for the page of a stack all the while."""
        return Traffic(lambda: self.get(stack), lambda: self.story(stack))

    def container(self, service: str) -> tuple[Any, str]:
        """The newest running container of a service: (client of its node's engine, container id)."""

        def look() -> tuple[Any, str] | None:
            for node in self.environment.nodes:
                try:
                    client = manager.engine(self.environment, node)._sdk
                except EngineUnavailable:
                    # A node that a test broke.
                    continue
                found = client.containers.list(filters={"label": f"com.docker.swarm.service.name={service}"})
                if found:
                    return client, str(found[0].id)
            return None

        return until(f"a container of {service}", look)

    def inside(self, service: str, *argv: str, user: str = "") -> str:
        """Run a command in the container of a service; fails when it ends badly."""
        client, identity = self.container(service)
        code, output = client.containers.get(identity).exec_run(list(argv), user=user)
        assert code == 0, f"{argv} in {service} ended with {code}: {output.decode()}"
        return str(output.decode())

    def sql(self, database: str, query: str) -> str:
        """One value from a database, asked as superuser inside the container of the server that takes writes."""
        argv = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", query)
        if not query.startswith("select"):
            return self.inside(self.primary, *argv, user="postgres").strip()
        # Docker now and then loses the output of a command that ends at once; every query here has an answer.
        return until("an answer", lambda: self.inside(self.primary, *argv, user="postgres").strip())

    @property
    def primary(self) -> str:
        """The service of the server that takes writes: the only one, or the member that leads."""
        database = self.environment.database
        if database.mode == "single":
            return "db_postgres"
        members = [f"db_patroni{number}" for number in range(1, database.members + 1)]

        def leader() -> str | None:
            return next((name for name in members if self._leads(name)), None)

        return until("a leader", leader)

    def _leads(self, member: str) -> bool:
        client, identity = self.container(member)
        code, _ = client.containers.get(identity).exec_run(["patroni-member", "leads"])
        return bool(code == 0)

    def counts(self) -> dict[str, int]:
        """Events in the database of each project."""
        return {
            project.name: int(self.sql(project.database, "select count(*) from gha_events"))
            for project in self.environment.projects
        }

    def fingerprint(self) -> dict[str, str]:
        """A checksum over all rows of all tables of each project, but for the clock of the loader."""
        # One query for all tables: each is a process of its own in the container of the member that leads.
        sums = ", ".join(f"'{table}', ({_checksum_of(table)})" for table in TABLES)
        return {
            f"{project.name}.{table}": found
            for project in self.environment.projects
            for table, found in json.loads(self.sql(project.database, f"select json_build_object({sums})")).items()
        }

    def healthy(self, stack: str | None = None) -> bool:
        """Whether every service, of one stack or all, is healthy."""
        try:
            return all(item.healthy for item in services.services(self.engine, stack))
        except EngineUnavailable:
            return False

    def story(self, stack: str) -> str:
        """Every task of a stack that the managers remember, the nodes, and what Traefik said last: for messages."""
        lines = [
            f"{service.name}.{task.slot} on {task.node}, made {task.created:%T}: "
            f"{task.state} since {task.since:%T}, wanted {task.desired}. {task.error}"
            for service in services.services(self.engine, stack)
            for task in sorted(service.tasks, key=lambda task: task.created)
        ]
        nodes = {node["Description"]["Hostname"]: node["Status"] for node in self.engine._sdk.api.nodes()}
        return "\n".join((*lines, str(nodes), *self.engine.logs.of_service("admin_traefik")))

    def versions(self) -> dict[str, int]:
        """Name -> version index of every service: any change by anyone moves it."""
        return {item["Spec"]["Name"]: int(item["Version"]["Index"]) for item in self.engine.services.list()}


def _checksum_of(table: str) -> str:
    without = " ".join(f"- '{column}'" for column in CLOCKS.get(table, ()))
    rows = f"select (to_jsonb(t) {without})::text as r from {table} t"
    return f"select md5(coalesce(string_agg(r, ',' order by r), '')) from ({rows}) x"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keep-lab", action="store_true", help="use a swarm that an earlier run left, and leave it")
    parser.addoption("--screenshots", action="store_true", help="renew the pictures in docs/images")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Time what a test itself does: making the nodes and images may take longer, and each verb has its own limit.

    What is marked `last` comes last, for what comes before wants all nodes.
    """
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(600, func_only=True))


def pytest_unconfigure() -> None:
    verbs.close()
    machine.engine().close()


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    """Nodes, images, two hours and all stacks, made by the verbs; simulated hours where the real ones are absent."""
    keep = bool(request.config.getoption("--keep-lab"))
    shutil.copytree(HERE / "env" / NAME, FILE.parent, dirs_exist_ok=True)
    if not SHARED_DATA.is_dir():
        FILE.write_text(FILE.read_text().replace('url: "file:///data/archive"', "simulate: always"))
    process = {**os.environ, "SWARMSTATS_ENVS": str(STATE / "env"), "SWARMSTATS_ENV": NAME}
    made = Platform(environment.load(NAME, process), process)
    if not keep:
        made.run("swarm.clean", "--yes")
    began = time.monotonic()
    made.run("swarm.init")
    if SHARED_DATA.is_dir():
        _share(made)
    made.run("deliver", "all")
    until("the hours of all projects", lambda: _held(made))
    sys.stderr.write(f"\nthe platform stood after {time.monotonic() - began:.0f} s\n")
    yield replace(made, events=EVENTS if SHARED_DATA.is_dir() else made.counts())
    if not keep:
        made.run("swarm.clean", "--yes")


@pytest.fixture(scope="module")
def writer(platform: Platform) -> Iterator[Any]:
    """A client that writes all the while; afterwards every acknowledged row is there and every service healthy."""
    from tests.e2e.support.writer import writing  # which imports this module

    with writing(platform) as made:
        yield made
        assert made.missing() == []
        until("a healthy swarm", platform.healthy)


def _share(made: Platform) -> None:
    """Put the real hours into the storage that all nodes share."""
    container = machine.engine().containers.get(f"{made.environment.lab_name}-node-1")
    container.exec_run(["mkdir", "-p", "/data/archive"])
    for hour in HOURS:
        subprocess.run(
            ("docker", "cp", str(SHARED_DATA / "gharchive" / hour), f"{container.id}:/data/archive/{hour}"), check=True
        )


def _held(made: Platform) -> bool:
    projects = made.get("", "/api/projects").json()["projects"]
    return len(projects) == len(EVENTS) and all(project["hours"] == len(HOURS) for project in projects)


def pretty(value: object) -> str:
    """A value for assertion messages."""
    return json.dumps(value, indent=1, default=str)
