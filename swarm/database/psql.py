"""A psql on the server that leads, or on one that follows."""

import sys

from swarm.containers import exec
from swarm.database.members import STACK, Database
from swarm.errors import UnknownName
from swarm.settings.environment import Environment
from swarm.shell import Shell

LOG_DATABASE = "devstats"


def psql(database: Database, project: str, statements: tuple[str, ...], shell: Shell, *, read_only: bool) -> int:
    """Run psql in a server's container with this process's input; returns its exit code."""
    where = database_of(database.environment, project)
    member = _replica(database) if read_only else database.leader()
    place = exec.find(database.environment, database.engine, f"{STACK}_{member}")
    limits = ("env", "PGOPTIONS=-c default_transaction_read_only=on") if read_only else ()
    commands = tuple(word for statement in statements for word in ("-c", statement))
    argv = (*limits, "psql", "-X", "-v", "ON_ERROR_STOP=1", "-d", where, *commands)
    terminal = sys.stdin.isatty() and sys.stdout.isatty() and not statements
    return exec.interactive(place, argv, shell, user="postgres", terminal=terminal)


def database_of(environment: Environment, project: str) -> str:
    """The database of a project, or the log database where none is named; raises UnknownName."""
    if not project:
        return LOG_DATABASE
    databases = {item.name: item.database for item in environment.projects}
    if project not in databases:
        raise UnknownName("project", project, databases)
    return databases[project]


def _replica(database: Database) -> str:
    followers = [member.name for member in database.members() if not member.leads and member.state == "streaming"]
    return followers[0] if followers else database.leader()
