"""Ingest of one hour: read once for all projects that lack it, committed to each project whole or not at all."""

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from threading import Event as Signal

from psycopg2.errors import DeadlockDetected, UniqueViolation
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter
from tenacity.nap import sleep_using_event

from activity import log
from activity.archive.load.encoded_event import encode_event
from activity.archive.load.load import store
from activity.archive.load.project_batch import ProjectBatch
from activity.archive.read.lines import Line, ReadStats
from activity.archive.read.open_hour import DEFAULT_TIMING, hour_url
from activity.archive.read.ownership import actor_login, repository_name
from activity.archive.read.reader import HourReader
from activity.archive.read.timing import Timing
from activity.archive.route.route import Route
from activity.archive.rows.before_2015 import KnownIds, is_before_2015, rows_before_2015
from activity.archive.rows.since_2015 import rows_since_2015
from activity.database.advisory_locks import lock_for_transaction
from activity.database.connect import transaction
from activity.database.quarantine import quarantine
from activity.database.watermarks import Source, Watermark, is_parsed, mark_hour, mark_periods
from activity.errors import ArchiveUnreachable
from activity.hour import Hour
from activity.projects import Project
from activity.settings import Settings

READ_ATTEMPTS = 4
COMMIT_ATTEMPTS = 4
# Another hour that is committed at the same time may hold an event of this one.
CONFLICTS = (UniqueViolation, DeadlockDetected)

Batches = dict[Project, ProjectBatch]


@dataclass(frozen=True)
class Feed:
    """An archive to read from, what its hours are called in the database, and how long to wait for it."""

    url: str
    source: Source
    timing: Timing = DEFAULT_TIMING


@dataclass(frozen=True)
class Committed:
    """What an hour brought to one project: events, and those whose id another event already had."""

    project: Project
    events: int
    collisions: int


@dataclass(frozen=True)
class Ingested:
    """What an hour brought to each project, and the statistics of reading it."""

    committed: list[Committed]
    stats: ReadStats


def ingest_hour(
    settings: Settings,
    feed: Feed,
    hour: Hour,
    projects: tuple[Project, ...],
    stop: Signal,
    *,
    force: bool = False,
    salvage: bool = False,
) -> Ingested:
    """Read an hour and commit it project by project; returns the projects that lacked it, or with `force` all.

    The databases of projects without an event in the hour are not touched: the caller marks the hour for them. What
    is not an event is in quarantine before the first project has the hour. A damaged gzip file raises TruncatedHour;
    with `salvage` what is readable of it counts as the hour.

    Raises HourMissing, TruncatedHour or ArchiveUnreachable (nothing of the hour is stored then), DatabaseUnavailable
    (projects before the failing one have the hour) and Stopped.
    """
    route = Route(settings.projects, projects, case_sensitive=settings.archive.case_sensitive)
    with ExitStack() as files:

        def read() -> tuple[HourReader, Batches]:
            # Each attempt begins with a new reader and empty batches.
            reader = HourReader(hour_url(feed.url, hour), route, stop, salvage=salvage, timing=feed.timing)
            batches = {project: files.enter_context(ProjectBatch()) for project in projects}
            _read_hour(reader, route, hour, batches)
            return reader, batches

        reader, batches = _read_attempts(feed.timing, stop)(read)
        quarantine(settings, hour, feed.source, reader.quarantined, anew=force)
        visit = _Visit(hour, feed.source, force)
        committed: list[Committed] = []
        for project, batch in batches.items():
            result = _commit(settings, project, visit, batch)
            if result is not None:
                committed.append(result)
    return Ingested(committed, reader.stats)


@dataclass(frozen=True)
class _Visit:
    """An hour to store, from which source, and whether to store it although the database has it."""

    hour: Hour
    source: Source
    force: bool


def _read_attempts(timing: Timing, stop: Signal) -> Retrying:
    """Return the policy that reads an hour again from its start when the network fails."""
    backoff = wait_exponential_jitter(multiplier=timing.first_retry_seconds, max=timing.longest_retry_seconds)

    def wait(state: RetryCallState) -> float:
        error = _error(state)
        retry_after = error.wait if isinstance(error, ArchiveUnreachable) else None
        return backoff(state) if retry_after is None else retry_after

    return Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, ArchiveUnreachable) and error.passing),
        wait=wait,
        stop=stop_after_attempt(READ_ATTEMPTS),
        sleep=sleep_using_event(stop),
        before_sleep=_log_retry,
        reraise=True,
    )


def _read_hour(reader: HourReader, route: Route, hour: Hour, batches: Batches) -> None:
    for line in reader:
        projects = route.projects_of(repository_name(line.event), actor_login(line.event), hour.stamp)
        if projects:
            _add_to_batches(reader, line, [batches[project] for project in projects])


def _add_to_batches(reader: HourReader, line: Line, batches: list[ProjectBatch]) -> None:
    """Add an event to the batches of its projects; one that cannot be stored goes into quarantine."""
    try:
        if is_before_2015(line.event):
            # Its rows depend on the project's database; made here only to see that they can be made.
            rows_before_2015(line.event, KnownIds())
            for batch in batches:
                batch.add_before_2015(line.event)
            return
        encoded = encode_event(rows_since_2015(line.event))
    except ValueError as error:
        reader.refuse(line, str(error))
        return
    for batch in batches:
        batch.add(encoded)


def _commit(settings: Settings, project: Project, visit: _Visit, batch: ProjectBatch) -> Committed | None:
    """Commit a batch with its mark; None when the database has the hour already."""
    if not batch:
        return Committed(project, 0, 0)
    attempts = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error.__cause__, CONFLICTS)),
        stop=stop_after_attempt(COMMIT_ATTEMPTS),
        reraise=True,
    )
    return attempts(_commit_once, settings, project, visit, batch)


def _commit_once(settings: Settings, project: Project, visit: _Visit, batch: ProjectBatch) -> Committed | None:
    hour = visit.hour
    with transaction(settings, project.database) as cursor:
        lock_for_transaction(cursor, "hour", str(hour))
        if not visit.force and is_parsed(cursor, hour):
            return None
        stored = store(cursor, batch)
        mark_periods(cursor, _stamps(batch.hours | {hour}))
        mark_hour(cursor, Watermark(hour, visit.source, batch.events))
    for event_id, other_id in stored.collisions.items():
        log.warning("event id collision", project=project.name, id=event_id, stored_as=other_id)
    return Committed(project, batch.events, len(stored.collisions))


def _stamps(hours: set[Hour]) -> list[datetime]:
    return [hour.stamp for hour in hours]


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _log_retry(state: RetryCallState) -> None:
    seconds = state.next_action.sleep if state.next_action else 0.0
    log.warning("archive unreachable, retrying", attempt=state.attempt_number, wait=seconds, error=_error(state))
