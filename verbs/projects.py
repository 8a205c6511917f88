"""project.*: adding, removing and backfilling projects."""

from invoke import Context

from verbs.base import DRY, ENV, JSON, REPORT, SHELL, YES, verb


@verb(
    positional=["name"],
    help={
        "name": "the name of the project, its stack and its subdomain",
        "orgs": "organisations with all repositories, comma-separated: names, globs or regexp:...",
        "repos": "single repositories: a comma-separated list of ORGANISATION/REPOSITORY",
        "start": "the first day to read, e.g. 2015-01-01",
        "foundation": "the organisation that hosts the project",
        "display-name": "the name shown on pages",
        "jobs": "number of parallel reader processes",
        "no-backfill": "do not start a backfill; the ingest reads the history, newest hours first",
        "env": ENV,
        "dry": DRY,
    },
)
def add(
    _: Context,
    name: str,
    orgs: str = "",
    repos: str = "",
    start: str = "",
    foundation: str = "",
    display_name: str = "",
    jobs: int = 2,
    no_backfill: bool = False,
    env: str = "",
    dry: bool = False,
) -> None:
    """Add a project: write it to projects.yaml, deploy it, create its database, start the backfill. Safe to repeat."""
    from swarm.projects import lifecycle
    from swarm.projects.entries import NewProject
    from swarm.settings.environment import load

    wanted = NewProject(name, _words(orgs), _words(repos), start, foundation, display_name)
    lifecycle.add(load(env), wanted, SHELL, REPORT, jobs=jobs, fill=not no_backfill, dry=dry)


@verb(
    positional=["name"],
    help={
        "name": "a project",
        "drop-database": "also drop the database with all data; asks for the database's name",
        "env": ENV,
        "yes": YES,
        "dry": DRY,
    },
)
def remove(
    _: Context, name: str, drop_database: bool = False, env: str = "", yes: bool = False, dry: bool = False
) -> None:
    """Remove a project's stack, releases and entry in projects.yaml. Its database stays."""
    from swarm.projects import lifecycle
    from swarm.settings.environment import load

    environment = load(env)
    database = environment.projects.get(name).database
    if not (yes or dry):
        doomed = lifecycle.question(environment, name, drop=drop_database)
        REPORT.confirm(doomed, database if drop_database else name)
    lifecycle.remove(environment, name, SHELL, REPORT, drop=drop_database, dry=dry)


@verb(
    positional=["name"],
    help={
        "name": "a project",
        "from": "the first hour, e.g. 2015-01-01-0 (default: the project's start)",
        "to": "the last hour (default: the newest)",
        "newest-first": "read the newest hour first",
        "jobs": "number of parallel reader processes",
        "env": ENV,
        "dry": DRY,
    },
)
def backfill(
    _: Context,
    name: str,
    from_: str = "",
    to: str = "",
    newest_first: bool = False,
    jobs: int = 2,
    env: str = "",
    dry: bool = False,
) -> None:
    """Read a project's missing hours in a background job. An interrupted backfill resumes."""
    from swarm.containers import backfills
    from swarm.nodes import manager
    from swarm.projects import lifecycle
    from swarm.settings.environment import load

    environment = load(env)
    environment.projects.get(name)
    words = backfills.arguments(name, from_, to, newest_first=newest_first, jobs=jobs)
    if dry:
        REPORT.would([f"run a job: activity {' '.join(words)}"], "")
        return
    lifecycle.fill_in(manager.connect(environment, SHELL), name, words, REPORT)


@verb(positional=["name"], help={"name": "a project, or a comma-separated list", "env": ENV, "json": JSON})
def status(_: Context, name: str | None = None, env: str = "", json: bool = False) -> None:
    """Show projects: hours, backfill progress and freshness of their series."""
    from swarm.nodes import manager
    from swarm.projects import lifecycle
    from swarm.settings.environment import load

    environment = load(env)
    found = lifecycle.status(environment, _words(name or ""), manager.connect(environment, SHELL))
    if json:
        REPORT.data(found)
        return
    columns = ("PROJECT", "STATE", "HOURS", "MISSING", "EVENTS", "NEWEST", "BACKFILL", "SERIES", "PENDING")
    REPORT.table(columns, (lifecycle.cells(item) for item in found))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
