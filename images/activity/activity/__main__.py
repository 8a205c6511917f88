"""The verbs of the service: python -m activity VERB."""

import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Signal

import orjson
from prometheus_client import CollectorRegistry

from activity import log
from activity.archive.schedule.backfill import backfill
from activity.archive.schedule.follow import Follower
from activity.archive.schedule.planner import HourRequest, last_hour
from activity.archive.schedule.status import status_of
from activity.archive.simulate.hour_files import scenes_of, write_hour
from activity.command import parse_command
from activity.database.configure import configure, read_desired_config
from activity.database.connect import LOG_DATABASE, transaction
from activity.database.drop import drop_database
from activity.database.hour_ledger import open_hours
from activity.database.patroni import Patroni
from activity.database.provision import provision
from activity.database.roles import bootstrap
from activity.database.runs import record_run
from activity.database.watermarks import Source
from activity.errors import ActivityError, UsageError
from activity.health import Watchdog, health_server
from activity.probe import read_probes, run_probes
from activity.projects import Project
from activity.series.compute import compute
from activity.series.sync import Sync, serve_sync
from activity.settings import Need, Settings, read_settings

Verb = Callable[[Namespace], int | None]


def main(arguments: list[str]) -> int:
    """Run a verb; returns its exit code."""
    try:
        command = parse_command(arguments)
        return VERBS[command.verb](command) or 0
    except ActivityError as error:
        for line in str(error).splitlines():
            log.error(line, exit=error.exit_code)
        return error.exit_code


def do_bootstrap(command: Namespace) -> None:
    """Create the roles and the log database, or rotate their passwords."""
    started_at = datetime.now(UTC)
    settings = _settings(Need.POSTGRES, Need.REPLICATION, Need.REWIND, Need.OWNER, Need.READER, Need.TEAM)
    bootstrap(settings)
    record_run(settings, "bootstrap", "", started_at, "roles and log database are up to date")


def do_configure(command: Namespace) -> None:
    """Apply the desired settings to the running cluster."""
    settings = _settings(Need.PATRONI)
    want = read_desired_config(Path(os.environ.get("ACTIVITY_CLUSTER", "/etc/swarmstats/cluster.json")))
    done = configure(Patroni(settings.patroni, settings.password(Need.PATRONI)), want)
    _say("; ".join(done) or "nothing to do")


def do_ingest(command: Namespace) -> None:
    """Follow the archive, or read the hours that were named and return."""
    settings = _settings(Need.OWNER, Need.PROJECTS)
    stop = _stop_signal()
    if command.from_hour is not None or command.project:
        _ingest_once(settings, command, stop)
        return
    watchdog, registry = Watchdog(settings.patience.total_seconds()), CollectorRegistry()
    with health_server(settings.listen, watchdog, registry):
        Follower(settings, stop, watchdog, registry).run()


def _ingest_once(settings: Settings, command: Namespace, stop: Signal) -> None:
    started_at = datetime.now(UTC)
    projects = tuple(project for name in command.project for project in _selected(settings, name)) or settings.projects
    last = command.to_hour or last_hour(settings.archive)
    request = HourRequest(command.from_hour, last, projects, command.newest_first, command.force)
    done = backfill(settings, request, command.jobs, stop, _say)
    words = f"{command.from_hour or 'start'} to {last}: {done.done} hours read, {done.events} events stored"
    record_run(settings, "ingest", ",".join(command.project), started_at, words)
    _say(words)
    if done.failures:
        _say(f"{len(done.failures)} hours could not be read; run `activity holes` to see which and why")
        raise done.failures[0]


def do_holes(command: Namespace) -> None:
    """List missing hours and why, one a line."""
    with transaction(_settings(Need.OWNER), LOG_DATABASE) as cursor:
        found = [attempt for source in Source for attempt in open_hours(cursor, source).values()]
    for attempt in found:
        then = f"next {attempt.next_try_at:%Y-%m-%dT%H:%M:%SZ}" if attempt.next_try_at else "never again"
        _say(f"{attempt.hour}  {attempt.state}  {attempt.attempts} attempts, {then}: {attempt.problem}")
    if not found:
        _say("No missing hours.")


def do_status(command: Namespace) -> None:
    """Print the status of projects: one line of JSON each."""
    settings = _settings(Need.OWNER, Need.PROJECTS)
    last = last_hour(settings.archive)
    chosen = tuple(project for name in command.project for project in _selected(settings, name))
    for project in chosen or settings.projects:
        state = asdict(status_of(settings, project, last))
        _say(orjson.dumps(state, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS).decode())


def do_drop(command: Namespace) -> None:
    """Drop the database of a project that is no longer followed."""
    there = drop_database(_settings(Need.OWNER, Need.PROJECTS), command.database)
    _say(f"The database {command.database} {'was dropped' if there else 'does not exist'}.")


def do_sync(command: Namespace) -> None:
    """Keep the series of one project up to date."""
    settings = _settings(Need.OWNER, Need.PROJECTS, Need.PROJECT, Need.MINUTE)
    stop, watchdog, registry = _stop_signal(), Watchdog(settings.patience.total_seconds()), CollectorRegistry()
    project = settings.project
    if project is None:
        raise UsageError("sync needs ACTIVITY_PROJECT.")
    with health_server(settings.listen, watchdog, registry):
        serve_sync(settings, project, Sync(settings, project, watchdog, registry), stop)


def do_series(command: Namespace) -> None:
    """Compute pending periods, or all of them, and print what changed."""
    settings = _settings(Need.OWNER, Need.PROJECTS)
    for project in _selected(settings, command.project):
        started_at = datetime.now(UTC)
        provision(settings, project)
        computed = compute(settings, project, everything=command.all_periods)
        record_run(settings, "series", project.name, started_at, str(computed))
        _say(str(computed))


def _selected(settings: Settings, name: str | None) -> tuple[Project, ...]:
    if name is None:
        return (settings.project,) if settings.project else settings.projects
    project = settings.project_named(name)
    if project is None:
        names = ", ".join(project.name for project in settings.projects)
        raise UsageError(f"--project: project {name!r} not found. Projects: {names}.")
    return (project,)


def do_simulate(command: Namespace) -> None:
    """Write simulated hours as the archive would."""
    settings = _settings(Need.PROJECTS)
    folder, scenes = settings.archive.cache, scenes_of(settings.projects)
    folder.mkdir(parents=True, exist_ok=True)
    hours = list(command.from_hour.until(command.to_hour))
    events = sum(write_hour(folder / f"{hour}.json.gz", scenes, hour) for hour in hours)
    _say(f"{len(hours)} simulated hours, {events} events, in {folder}")


def do_serve(command: Namespace) -> None:
    """Serve the portal."""
    # Only this verb needs a web framework; the others start without it.
    from activity.portal.app import create_app
    from activity.portal.server import serve

    settings = _settings(Need.READER, Need.PROJECTS)
    serve(create_app(settings), settings)


def do_backup(command: Namespace) -> None:
    """Make, keep, check and restore backups and dumps."""
    # Only where the tools of Postgres are; the other verbs start without it.
    from activity.backup.verbs import VERBS as BACKUP_VERBS
    from activity.backup.verbs import WITHOUT_DATABASE

    needs = () if command.word in WITHOUT_DATABASE else (Need.POSTGRES, Need.OWNER, Need.PROJECTS)
    for line in BACKUP_VERBS[command.word](_settings(*needs), command, _stop_signal()):
        _say(line)


def do_probe(command: Namespace) -> int:
    """Run the tests of a stack and return whether one failed."""
    held = run_probes(read_probes(os.environ), Path(os.environ.get("ACTIVITY_SECRETS", "/run/secrets")), _say)
    return 0 if held else 1


def _settings(*needs: Need) -> Settings:
    return read_settings(os.environ, frozenset(needs))


def _stop_signal() -> Signal:
    """Return what SIGTERM and SIGINT set; work looks at it and ends where nothing is half done."""
    stop = Signal()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


VERBS: dict[str, Verb] = {
    "bootstrap": do_bootstrap,
    "configure": do_configure,
    "ingest": do_ingest,
    "holes": do_holes,
    "status": do_status,
    "drop": do_drop,
    "sync": do_sync,
    "series": do_series,
    "simulate": do_simulate,
    "serve": do_serve,
    "backup": do_backup,
    "probe": do_probe,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
