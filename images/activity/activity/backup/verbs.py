"""What `activity backup WORD` does; each returns the lines that it has to say."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Signal
from typing import Any

import orjson
from prometheus_client import CollectorRegistry

from activity import log
from activity.backup import repository
from activity.backup.cluster_restore import restore_cluster, set_aside
from activity.backup.data_volume import lock_volume, read_state
from activity.backup.dump_store import Dump, DumpStore
from activity.backup.history import DIFFERENTIAL, FULL, RESTORE, VERIFY, Gauges, HistoryEntry, Recorder, recent
from activity.backup.project_restore import choose_dump, restore_project
from activity.backup.scheduler import Scheduler, back_up, dump_project, has_database, verify_newest
from activity.backup.vacuum import vacuum
from activity.backup.wal_switch import switch_wal
from activity.errors import BackupFailed, DatabaseUnavailable, UsageError
from activity.health import Watchdog, health_server
from activity.projects import Project
from activity.settings import Settings

Lines = Iterator[str]


def keep(settings: Settings, command: Namespace, stop: Signal) -> Lines:
    """Make what is due until stopped."""
    registry, watchdog = CollectorRegistry(), Watchdog()
    recorder = Recorder(settings, Gauges(registry))
    with health_server(settings.listen, watchdog, registry):
        log.info("backup scheduler started", folder=settings.backups.folder)
        Scheduler(settings, recorder, watchdog, stop).run()
    yield from ()


def cluster(settings: Settings, command: Namespace, stop: Signal) -> Lines:
    """Make a backup of the cluster now."""
    kind = FULL if command.full else DIFFERENTIAL
    made = back_up(settings, Recorder(settings), kind, stop)
    seconds = (made.ended_at - made.started_at).total_seconds()
    yield f"{made.kind} backup {made.label}: {made.bytes} bytes, {made.repository_bytes} stored, {seconds:.0f} s"


def dump(settings: Settings, command: Namespace, stop: Signal) -> Lines:
    """Dump one project now, or all that have a database."""
    store, recorder = _dump_store(settings), Recorder(settings)
    for project in _meant(settings, command.project):
        if command.project or has_database(settings, project):
            yield dump_project(settings, recorder, store, project)


def flushed(settings: Settings, command: Namespace, stop: Signal) -> Lines:
    """Have everything that was committed until now archived."""
    yield switch_wal(settings)


def verify(settings: Settings, command: Namespace, stop: Signal) -> Lines:
    """Restore the newest backup into an instance of its own and check it."""
    yield verify_newest(settings, Recorder(settings))


def restore_from_dump(settings: Settings, command: Namespace, stop: Signal) -> Lines:
    """Bring one project's database to what a dump holds; with --dry only print which dump would be restored."""
    project = _meant(settings, command.project)[0]
    store, to = _dump_store(settings), command.to
    found = choose_dump(
        store, project, lambda item: to is None or item.taken_at <= to, f" of {to} or before" if to else ""
    )
    if command.dry:
        yield orjson.dumps(_dump_told(found)).decode()
        return
    with Recorder(settings).recorded(RESTORE, project.name) as outcome:
        done = restore_project(settings, store, project, found)
        kept = f"; the former database is kept as {done.kept_as}" if done.kept_as else ""
        outcome.words, outcome.bytes = (
            f"{project.name} was restored from {found.name}: {done.rows} rows{kept}",
            found.bytes,
        )
    yield outcome.words


def restore_volume(settings: Settings, command: Namespace, stop: Signal) -> Lines:
    """Restore the whole cluster into the volume that is mounted here."""
    volume = Path(command.volume)
    with lock_volume(volume):
        yield str(restore_cluster(volume, command.to, command.timeline, command.at_least))


def aside(settings: Settings, command: Namespace, stop: Signal) -> Lines:
    """Set the data of the volume that is mounted here aside, so that a member begins afresh."""
    volume = Path(command.volume)
    with lock_volume(volume):
        kept = set_aside(volume)
    yield f"the former data is kept in {kept}" if kept else "the volume was empty"


def volume_state(settings: Settings, command: Namespace, stop: Signal) -> Lines:
    """What lies in the volume that is mounted here, as one line of JSON."""
    volume = Path(command.volume)
    with lock_volume(volume):
        found = read_state(volume)
    yield orjson.dumps(asdict(found)).decode()


def vacuum_projects(settings: Settings, command: Namespace, stop: Signal) -> Lines:
    """Vacuum one project's database, or those of all projects."""
    for project in _meant(settings, command.project):
        if command.project or has_database(settings, project):
            yield f"{project.name}: {vacuum(settings, project):.1f} s"


def shown(settings: Settings, command: Namespace, stop: Signal) -> Lines:
    """Everything that is known about backups, as one line of JSON."""
    store = _dump_store(settings)
    try:
        found, unanswered = repository.read(), ""
    except BackupFailed as error:
        found, unanswered = repository.Repository((), "", ""), str(error)
    try:
        rows, unknown = recent(settings), ""
    except DatabaseUnavailable as error:
        rows, unknown = [], str(error)
    dumps = [_dump_told(item) for name in store.projects() for item in store.of(name)]
    told = {
        "now": datetime.now(UTC),
        "cluster": [asdict(item) for item in found.backups],
        "archive": {"first": found.archive_first, "last": found.archive_last},
        "problem": unanswered or found.problem,
        "answered": not unanswered,
        "new": not (unanswered or found.backups or any(row.failed for row in rows)),
        "dumps": dumps,
        "failures": [asdict(row) for row in rows if row.failed],
        "verified": _verified(rows),
        "unknown": unknown,
    }
    yield orjson.dumps(told, option=orjson.OPT_UTC_Z).decode()


def _verified(rows: list[HistoryEntry]) -> dict[str, Any] | None:
    return next((asdict(row) for row in rows if row.kind == VERIFY and not row.failed), None)


def _dump_told(item: Dump) -> dict[str, Any]:
    told = asdict(item)
    return {**told, "name": item.name, "rows": sum(item.rows.values())}


def _dump_store(settings: Settings) -> DumpStore:
    return DumpStore(settings.backups.folder / "dumps")


def _meant(settings: Settings, name: str | None) -> tuple[Project, ...]:
    if not name:
        return settings.projects
    project = settings.project_named(name)
    if project is None:
        names = ", ".join(item.name for item in settings.projects)
        raise UsageError(f"Project {name!r} not found. Projects: {names}.")
    return (project,)


VERBS: dict[str, Callable[[Settings, Namespace, Signal], Lines]] = {
    "keep": keep,
    "cluster": cluster,
    "dump": dump,
    "flush": flushed,
    "verify": verify,
    "restore": restore_from_dump,
    "restore-volume": restore_volume,
    "aside": aside,
    "state": volume_state,
    "vacuum": vacuum_projects,
    "show": shown,
}
# What needs no database: it may be gone.
WITHOUT_DATABASE = ("restore-volume", "aside", "state")
