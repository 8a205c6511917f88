"""The use cases of projects: from nothing to one that is provisioned, deployed and being filled, and back."""

import json
from collections.abc import Sequence
from typing import Any

from swarm.containers import backfills, exec
from swarm.deploy import clean as cleaning
from swarm.deploy import deploy as deploying
from swarm.deploy import missing_secrets
from swarm.engine.client import Engine
from swarm.errors import CommandFailed
from swarm.nodes import manager
from swarm.projects import entries
from swarm.projects.entries import NewProject
from swarm.report import Report
from swarm.session import Session
from swarm.settings import environment as environments
from swarm.settings.environment import Environment, relative
from swarm.shell import Shell
from swarm.stacks import targets

# The stacks that route events or list projects, and must know a new one.
KNOWING = ("admin", "archive")
INGEST = "archive/ingest"


def add(
    environment: Environment,
    wanted: NewProject,
    shell: Shell,
    report: Report,
    *,
    jobs: int,
    fill: bool,
    dry: bool = False,
) -> None:
    """Write a project down, deploy it and who has to know of it, and start its backfill; may be repeated."""
    _require_secrets(environment, shell)
    new = entries.add(environment, wanted, dry=dry)
    path = relative(entries.file(environment))
    if dry:
        deeds = [f"add {wanted.name} to {path}"] if new else []
        deeds += [f"deploy {', '.join((*KNOWING, wanted.name))}", *([f"start its backfill with {jobs} jobs"] * fill)]
        report.would(deeds, "")
        return
    report.line(f"{wanted.name} is {'now' if new else 'already'} in {path}.")
    known = environments.load(environment.name)
    engine = manager.connect(known, shell)
    _deploy(Session(known, engine, shell, report), f"{','.join(KNOWING)},{wanted.name}")
    if fill:
        fill_in(engine, wanted.name, backfills.arguments(wanted.name, "", "", newest_first=True, jobs=jobs), report)


def question(environment: Environment, name: str, *, drop: bool) -> str:
    """What `remove` would remove and what stays, to be confirmed."""
    database = environment.projects.get(name).database
    data = (
        f"It also drops the database {database} with all data in it."
        if drop
        else f"The database {database} and its data stay."
    )
    return (
        f"This removes the project {name} from {environment.name}: its stack, its releases, its backfill and its entry "
        f"in {relative(entries.file(environment))}.\n{data}"
    )


def remove(
    environment: Environment, name: str, shell: Shell, report: Report, *, drop: bool = False, dry: bool = False
) -> None:
    """Remove a project: its stack, releases, backfill and entry; its database stays unless it is to be dropped too.

    Without its entry no rollback could bring the stack back, so its releases are forgotten.
    """
    project = environment.projects.get(name)
    path = relative(entries.file(environment))
    _require_secrets(environment, shell)
    if dry:
        entries.remove(environment, name, dry=True)
        deeds = [
            f"stop its backfill and remove the stack {name} with its releases",
            f"remove {name} from {path}",
            "deploy admin, archive",
        ]
        report.would([*deeds, *([f"drop the database {project.database}"] * drop)], "")
        return
    # What could refuse the rest refuses before anything is gone.
    entries.remove(environment, name, dry=True)
    engine = manager.connect(environment, shell)
    backfills.stop(engine, name)
    cleaning.clean(targets.select(environment, name), engine, report, forget=True)
    entries.remove(environment, name)
    report.line(f"Removed {name} from {path}.")
    known = environments.load(environment.name)
    _deploy(Session(known, engine, shell, report), ",".join(KNOWING))
    if drop:
        said = _say(known, engine, ("drop", project.database))
        report.line(said.strip())
    else:
        report.line(f"Its database {project.database} was kept; ./run project.add {name} uses it again.")


def _require_secrets(environment: Environment, shell: Shell) -> None:
    """Raise SecretFileMissing before anything is changed where the deploy of those that know of projects would."""
    if engine := manager.find(environment, shell):
        missing_secrets.require_for(environment, targets.select(environment, ",".join(KNOWING)), engine)


def fill_in(engine: Engine, name: str, words: tuple[str, ...], report: Report) -> None:
    """Start the backfill of a project, unless one is running."""
    if backfills.start(engine, name, words):
        report.line(f"Started the backfill of {name}: ./run project.status {name}")
    else:
        report.line(f"A backfill of {name} is already running: ./run project.status {name}")


def status(environment: Environment, names: Sequence[str], engine: Engine) -> list[dict[str, Any]]:
    """The hours, missing hours, series and backfill progress of each project, as reported by the ingest."""
    wanted = [word for name in names for word in ("--project", environment.projects.get(name).name)]
    jobs = backfills.running(engine)
    found = [json.loads(line) for line in _say(environment, engine, ("status", *wanted)).splitlines() if line]
    return [{**item, "job": jobs.get(item["project"])} for item in found]


def cells(item: dict[str, Any]) -> tuple[str, ...]:
    """A project in one line of a table."""
    backfill = item["backfill"]
    progress = f"{backfill['done']}/{backfill['hours']}" if backfill else "-"
    job = f" ({item['job']})" if item["job"] else ""
    return (
        item["project"],
        item["state"],
        str(item["hours"]),
        str(item["missing"]),
        str(item["events"]),
        item["newest_hour"] or "-",
        f"{progress}{job}",
        item["series_at"] or "-",
        str(item["pending"]),
    )


def _deploy(session: Session, words: str) -> None:
    deploying.deploy(session, targets.select(session.environment, words))


def _say(environment: Environment, engine: Engine, words: tuple[str, ...]) -> str:
    """Have the ingest run a verb of the service; raises CommandFailed with what it said."""
    said: list[bytes] = []
    wrong: list[bytes] = []
    code = exec.run(
        environment, engine, INGEST, ("python", "-m", "activity", *words), said.append, complain=wrong.append
    )
    if code:
        lines = b"".join(wrong).decode(errors="replace").strip().splitlines()[-5:]
        raise CommandFailed("\n".join((f"{INGEST}: activity {words[0]} exited with {code}.", *lines)))
    return b"".join(said).decode()
