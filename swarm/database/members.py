"""The servers of the database: who they are, who leads, and commands inside them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarm.containers import exec
from swarm.engine.client import Engine
from swarm.errors import CommandFailed, DatabaseUnhealthy, NodeFailed, UnknownName
from swarm.settings.environment import Environment

STACK = "db"
API = "http://127.0.0.1:8008"
# The server's own words, else those of psql.
REASONS = (re.compile(r"(?:ERROR|FATAL|PANIC):\s+(?P<words>.+)"), re.compile(r"psql: error:\s+(?P<words>.+)"))
ASK = ("curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "10")


@dataclass(frozen=True)
class Member:
    """One server as the cluster sees it; `lag` in bytes."""

    name: str
    role: str
    state: str
    timeline: int | None
    lag: int | None
    pending: bool

    @property
    def leads(self) -> bool:
        """Whether it takes writes."""
        return self.role in ("leader", "only server")


@dataclass(frozen=True)
class Database:
    """Where the servers run and how they are reached."""

    environment: Environment
    engine: Engine

    @property
    def clustered(self) -> bool:
        """Whether it is a cluster."""
        return self.environment.database.mode == "ha"

    @property
    def names(self) -> list[str]:
        """Short names of the services that are servers."""
        if not self.clustered:
            return ["postgres"]
        return [f"patroni{number}" for number in range(1, self.environment.database.members + 1)]

    def require_cluster(self) -> None:
        """Raise UnknownName where there is one server only."""
        if not self.clustered:
            raise UnknownName("cluster", STACK, (), plural="db.mode is single: there is only one server. Clusters")

    def run(self, member: str, *argv: str, user: str = "postgres") -> str:
        """Run a command in a server's container; raises DatabaseUnhealthy with what it said when it fails."""
        said: list[bytes] = []
        code = exec.run(self.environment, self.engine, f"{STACK}_{member}", argv, said.append, user=user)
        text = b"".join(said).decode(errors="replace").strip()
        if code != 0:
            raise DatabaseUnhealthy(f"{member}: {argv[0]} exited with {code}: {text}", hint="./run db.status")
        return text

    def ask(self, path: str) -> Mapping[str, Any]:
        """Ask Patroni's API, of the first member that answers; raises DatabaseUnhealthy when none does."""
        self.require_cluster()
        problems = []
        for name in self.names:
            try:
                found: Mapping[str, Any] = json.loads(self.run(name, *ASK, f"{API}{path}"))
                return found
            except (CommandFailed, NodeFailed, DatabaseUnhealthy, UnknownName, ValueError) as error:
                problems.append(f"  {name}: {error}")
        raise DatabaseUnhealthy("\n".join(("No cluster member answers:", *problems)), hint="./run status db")

    def members(self) -> list[Member]:
        """All members that the cluster knows, in the order of their names."""
        if not self.clustered:
            return [Member("postgres", "only server", "running", None, None, False)]
        found = [_member(item) for item in self.ask("/cluster").get("members", [])]
        return sorted(found, key=lambda item: item.name)

    def leader(self) -> str:
        """The short name of the server that takes writes; raises DatabaseUnhealthy when none does."""
        for member in self.members():
            if member.leads:
                return member.name
        raise DatabaseUnhealthy(
            "The cluster has no leader at the moment.", hint="Check ./run db.status; an election takes a few seconds."
        )

    def sql(self, member: str, query: str, database: str = "postgres") -> list[list[str]]:
        """Rows of a query, asked as superuser inside a server's container; raises DatabaseUnhealthy with its reason."""
        argv = ("psql", "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", query)
        try:
            text = self.run(member, *argv)
        except DatabaseUnhealthy as error:
            raise DatabaseUnhealthy(
                f"{member} does not answer: {reason(error.message)}.",
                hint=f"Run ./run db.status again; ./run logs {STACK}/{member}",
            ) from error
        return [line.split("\t") for line in text.splitlines()]


def reason(said: str) -> str:
    """What Postgres complains of, out of all that psql said."""
    found = next((match for pattern in REASONS if (match := pattern.search(said))), None)
    return (found["words"] if found else said.strip().partition("\n")[0]).rstrip(".")


def query(name: str) -> str:
    """The text of a query in sql/."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text()


def _member(item: Mapping[str, Any]) -> Member:
    lag, timeline = item.get("lag"), item.get("timeline")
    return Member(
        name=str(item["name"]),
        role=str(item.get("role", "")).replace("_", " "),
        state=str(item.get("state", "")),
        timeline=timeline if isinstance(timeline, int) else None,
        lag=lag if isinstance(lag, int) else None,
        pending=bool(item.get("pending_restart")),
    )
