"""db.*: backups, dumps and restores."""

from datetime import datetime
from typing import TYPE_CHECKING

from invoke import Context

from swarm.errors import ArgumentInvalid, UnknownName
from verbs.base import DRY, ENV, JSON, REPORT, SHELL, WAIT, YES, session, verb

if TYPE_CHECKING:
    from swarm.engine.client import Engine
    from swarm.settings.environment import Environment


@verb(help={"env": ENV, "full": "make a full backup instead of a differential one", "dry": DRY})
def backup(_: Context, env: str = "", full: bool = False, dry: bool = False) -> None:
    """Back up the whole cluster now."""
    import swarm.database.backups
    from swarm.nodes import manager
    from swarm.settings.environment import load

    environment = load(env)
    engine = manager.connect(environment, SHELL)
    kind = "full" if full else "differential"
    if dry:
        REPORT.would([f"make a {kind} backup of the cluster"], "")
        return
    with REPORT.step(f"{kind} backup") as step:
        words = ("cluster", "--full") if full else ("cluster",)
        step.detail = swarm.database.backups.ask(environment, engine, *words, say=step.note, warn=REPORT.warn)[-1]


@verb(positional=["project"], help={"project": "one project (default: all)", "env": ENV, "json": JSON})
def backups(_: Context, project: str | None = None, env: str = "", json: bool = False) -> None:
    """List backups and dumps with age, size and state."""
    from rich.filesize import decimal

    import swarm.database.backups
    from swarm.nodes import manager
    from swarm.settings.environment import load

    environment = load(env)
    found = swarm.database.backups.overview(environment, manager.connect(environment, SHELL))
    if json:
        REPORT.data(found.told)
        swarm.database.backups.require_answer(found)
        return
    rows = [row for row in found.rows() if not project or row.project == project]
    sizes = ((row, decimal(row.bytes) if row.bytes else "-") for row in rows)
    columns = ("KIND", "PROJECT", "NAME", "AGE", "SIZE", "STATE")
    REPORT.table(columns, ((row.kind, row.project or "-", row.name, row.age, size, row.state) for row, size in sizes))
    REPORT.line(found.summary())
    for complaint in found.complaints():
        if complaint != found.silent:
            REPORT.warn(complaint)
    swarm.database.backups.require_answer(found)


@verb(positional=["project"], help={"project": "the project to dump, or all", "env": ENV, "dry": DRY})
def dump(_: Context, project: str, env: str = "", dry: bool = False) -> None:
    """Dump a project's database now, in addition to the daily dumps."""
    from swarm.settings.environment import load

    _ask_of_project(load(env), "dump", project, dry)


@verb(
    positional=["project"],
    help={"project": "the project to vacuum and analyze (default: all)", "env": ENV, "dry": DRY},
)
def vacuum(_: Context, project: str | None = None, env: str = "", dry: bool = False) -> None:
    """Vacuum and analyze project databases."""
    from swarm.live import lookup
    from swarm.settings.environment import load

    _ask_of_project(load(env), "vacuum", project or lookup.EVERY, dry)


def _ask_of_project(environment: "Environment", word: str, project: str, dry: bool) -> None:
    """Have the service of backups do something for one project, or for all."""
    import swarm.database.backups
    from swarm.live import lookup
    from swarm.nodes import manager

    if project != lookup.EVERY and project not in environment.projects.names:
        raise UnknownName("project", project, environment.projects.names)
    if dry:
        REPORT.would([f"{word} the database of {project if project != lookup.EVERY else 'each project'}"], "")
        return
    with REPORT.step(f"{word} {project}") as step:
        chosen = () if project == lookup.EVERY else (project,)
        engine = manager.connect(environment, SHELL)
        said = swarm.database.backups.ask(environment, engine, word, *chosen, say=step.note, warn=REPORT.warn)
        step.detail = said[-1] if len(said) == 1 else f"{len(said)} databases"


@verb(help={"env": ENV, "json": JSON})
def verify(_: Context, env: str = "", json: bool = False) -> None:
    """Verify the newest backup by restoring it into a temporary instance."""
    import swarm.database.backups
    from swarm.nodes import manager
    from swarm.settings.environment import load

    environment = load(env)
    engine = manager.connect(environment, SHELL)
    with REPORT.quiet() if json else REPORT.step("verify") as step:
        step.detail = swarm.database.backups.ask(environment, engine, "verify", say=step.note, warn=REPORT.warn)[-1]
    if json:
        REPORT.data({"verified": step.detail})


@verb(
    help={
        "to": "the time to restore to, such as 2026-01-31T12:00:00Z; for a project, its newest dump up to then",
        "project": "restore one project's database from its dump (default: the whole cluster from its backup)",
        "timeline": "follow this timeline instead of the newest (whole cluster only)",
        "env": ENV,
        "yes": YES,
        "lock-timeout": WAIT,
        "dry": DRY,
    },
)
def restore(
    _: Context,
    to: str = "",
    project: str = "",
    timeline: int = 0,
    env: str = "",
    yes: bool = False,
    lock_timeout: int = 600,
    dry: bool = False,
) -> None:
    """Restore the whole cluster or one project's database."""
    import swarm.database.restore
    from swarm.settings.environment import load

    environment = load(env)
    moment = swarm.database.restore.parse_time(to)
    connected = session(environment)
    engine = connected.engine
    if project and timeline:
        raise ArgumentInvalid("--timeline applies only to the whole cluster; a dump has no timeline.")
    if project:
        _restore_project(environment, engine, project, moment, yes, dry)
        return
    goal = swarm.database.restore.RecoveryTarget(moment, timeline)
    doing = swarm.database.restore.actions(engine, goal)
    if dry:
        REPORT.would(doing, "")
        return
    if not yes:
        REPORT.confirm("This replaces every database of the cluster; the present data is set aside.", environment.name)
    swarm.database.restore.restore_cluster(connected, goal, lock_timeout)


def _restore_project(
    environment: "Environment", engine: "Engine", project: str, moment: datetime | None, yes: bool, dry: bool
) -> None:
    import swarm.database.backups

    if project not in environment.projects.names:
        raise UnknownName("project", project, environment.projects.names)
    found = swarm.database.backups.dump(environment, engine, project, moment)
    if dry:
        REPORT.would([f"restore {project} from {found} into a new database, then swap it in"], "")
        return
    if not yes:
        REPORT.confirm(f"This puts what {found} holds in the place of the database of {project}.", project)
    with REPORT.step(f"restore {project}") as step:
        step.detail = swarm.database.backups.restore(environment, engine, project, moment, step.note, REPORT.warn)
