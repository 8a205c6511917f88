"""db.*: the servers of the database."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from invoke import Context, Exit

from verbs.base import DRY, ENV, JSON, REPORT, SHELL, YES, verb

if TYPE_CHECKING:
    from swarm.database.members import Database


@verb(help={"env": ENV, "json": JSON})
def status(_: Context, env: str = "", json: bool = False) -> None:
    """Show database servers: leader, replication lag, disks, slots and connections."""
    import swarm.database.status

    found = swarm.database.status.read(_database(env))
    if json:
        REPORT.data(swarm.database.status.as_json(found))
        return
    swarm.database.status.show(found, REPORT)


@verb(
    positional=["project"],
    help={
        "project": "the project whose database to open (default: the log database)",
        "env": ENV,
        "ro": "connect to a replica, read-only",
        "command": "run this statement instead of reading standard input",
    },
)
def psql(_: Context, project: str | None = None, env: str = "", ro: bool = False, command: str = "") -> None:
    """Open psql on the leader: ./run db.psql apache --ro --command 'select 1'."""
    from swarm.database import psql as shell

    statements = (command,) if command else ()
    if code := shell.psql(_database(env), project or "", statements, SHELL, read_only=ro):
        raise Exit(code=code)


@verb(help={"to": "the new leader (default: the closest replica)", "env": ENV, "dry": DRY})
def switchover(_: Context, to: str = "", env: str = "", dry: bool = False) -> None:
    """Switch the leader to another member. Writes pause for a few seconds; none is lost."""
    from swarm.database import switchover as lead

    lead.switchover(_database(env), to, REPORT, dry=dry)


@verb(positional=["member"], help={"member": "e.g. patroni2", "env": ENV, "yes": YES, "dry": DRY})
def reinit(_: Context, member: str, env: str = "", yes: bool = False, dry: bool = False) -> None:
    """Reinitialize a member that cannot follow: copy the leader's data."""
    from swarm.database import switchover as lead

    database = _database(env)
    if not (yes or dry):
        REPORT.confirm(f"This removes the data of {member} and copies it again from the leader.", member)
    lead.reinit(database, member, REPORT, dry=dry)


@verb(help={"env": ENV, "changed": "only settings that a deploy would change", "json": JSON})
def config(_: Context, env: str = "", changed: bool = False, json: bool = False) -> None:
    """Compare the database settings of env.yaml with the servers'."""
    from swarm.database import config as settings

    found = [item for item in settings.compare(_database(env)) if not changed or item.state != "in effect"]
    if json:
        REPORT.data([{**asdict(item), "state": item.state} for item in found])
        return
    columns = ("SETTING", "DESIRED", "ACTUAL", "STATE")
    REPORT.table(columns, ((i.name, i.desired or "-", i.actual or "-", i.state) for i in found))


def _database(env: str) -> "Database":
    from swarm.database.members import Database
    from swarm.nodes import manager
    from swarm.settings.environment import load

    environment = load(env)
    return Database(environment, manager.connect(environment, SHELL))
