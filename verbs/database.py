"""db.*: the servers of the database."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from invoke import Context, Exit

from verbs.base import DRY, ENV, JSON, REPORT, SHELL, YES, verb

if TYPE_CHECKING:
    from swarm.database.members import Database


@verb(help={"env": ENV, "json": JSON})
def status(_: Context, env: str = "", json: bool = False) -> None:
    """The servers of the database: who leads, how far others are, room on their disks, slots, sizes, connections."""
    import swarm.database.status

    found = swarm.database.status.read(_database(env))
    if json:
        REPORT.data(swarm.database.status.as_json(found))
        return
    swarm.database.status.show(found, REPORT)


@verb(
    positional=["project"],
    help={
        "project": "whose database (default: the log database)",
        "env": ENV,
        "ro": "on a server that follows, and read only",
        "command": "a statement; without one psql reads your input",
    },
)
def psql(_: Context, project: str | None = None, env: str = "", ro: bool = False, command: str = "") -> None:
    """Open psql on the server that leads: ./run db.psql apache, ./run db.psql apache --ro --command 'select 1'."""
    from swarm.database import psql as shell

    statements = (command,) if command else ()
    if code := shell.psql(_database(env), project or "", statements, SHELL, read_only=ro):
        raise Exit(code=code)


@verb(help={"to": "the member that shall lead", "env": ENV, "dry": DRY})
def switchover(_: Context, to: str = "", env: str = "", dry: bool = False) -> None:
    """Let another member of the database lead; writes wait for a few seconds, none is lost."""
    from swarm.database import switchover as lead

    lead.switchover(_database(env), to, REPORT, dry=dry)


@verb(positional=["member"], help={"member": "e.g. patroni2", "env": ENV, "yes": YES, "dry": DRY})
def reinit(_: Context, member: str, env: str = "", yes: bool = False, dry: bool = False) -> None:
    """Copy a member of the database anew from the leader, when it cannot follow any more."""
    from swarm.database import switchover as lead

    database = _database(env)
    if not (yes or dry):
        REPORT.confirm(f"This removes the data of {member} and copies it anew from the leader.", member)
    lead.reinit(database, member, REPORT, dry=dry)


@verb(help={"env": ENV, "changed": "only what a deploy would change", "json": JSON})
def config(_: Context, env: str = "", changed: bool = False, json: bool = False) -> None:
    """The settings of the database: what env.yaml asks for and what the servers have."""
    from swarm.database import config as settings

    found = [item for item in settings.compare(_database(env)) if not changed or item.state != "as wanted"]
    if json:
        REPORT.data([{**asdict(item), "state": item.state} for item in found])
        return
    columns = ("SETTING", "WANTED", "ACTUAL", "STATE")
    REPORT.table(columns, ((i.name, i.wanted or "-", i.actual or "-", i.state) for i in found))


def _database(env: str) -> "Database":
    from swarm.database.members import Database
    from swarm.nodes import manager
    from swarm.settings.environment import load

    environment = load(env)
    return Database(environment, manager.connect(environment, SHELL))
