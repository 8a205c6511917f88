"""One hour, read once for all projects that lack it, and committed to each of them whole or not at all."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event as Signal

from psycopg2.errors import DeadlockDetected, UniqueViolation
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter
from tenacity.nap import sleep_using_event

from activity import log
from activity.archive.load.encoded_event import pack
from activity.archive.load.load import store
from activity.archive.load.project_batch import Share
from activity.archive.read.lines import Line, Tally
from activity.archive.read.open_hour import hour_url
from activity.archive.read.ownership import Json, actor_login, repository_name
from activity.archive.read.reader import Reading
from activity.archive.route.route import Route
from activity.archive.rows.before_2015 import Names, is_old, old_rows_of
from activity.archive.rows.since_2015 import rows_of
from activity.database.advisory_locks import lock_for_transaction
from activity.database.connect import transaction
from activity.database.quarantine import quarantine
from activity.database.watermarks import Source, Watermark, is_parsed, mark_hour, mark_periods
from activity.errors import ArchiveUnreachable
from activity.hour import Hour
from activity.projects import Project
from activity.settings import Settings

ATTEMPTS = 4
OWN_PAUSE = wait_exponential_jitter(initial=1, max=20)
MEANWHILE = (UniqueViolation, DeadlockDetected)


@dataclass(frozen=True)
class Feed:
    """An archive to read hours from, and what its hours are called in the database."""

    url: str
    source: Source


@dataclass(frozen=True)
class Visit:
    """An hour that is to be stored, what it is called, and whether it is although the database has it."""

    hour: Hour
    source: Source
    force: bool


@dataclass(frozen=True)
class Committed:
    """What an hour brought to one project."""

    project: Project
    events: int
    collisions: int


@dataclass(frozen=True)
class Ingested:
    """What an hour brought to each project, and what came by while it was read."""

    committed: list[Committed]
    tally: Tally


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
    """Read an hour and commit it project by project; returns those that lacked it until now, or all with `force`.

    The databases of projects without an event in it are not touched: the caller marks the hour for them. What of the
    hour is no event is in quarantine before the first project has the hour. A file whose gzip is damaged is
    TruncatedHour, unless it is to be salvaged: then what can be read of it is the hour.
    Raises HourMissing, TruncatedHour, ArchiveUnreachable (nothing of the hour is stored then),
    DatabaseUnavailable (projects before the failing one have it) and Stopped.
    """
    url = hour_url(feed.url, hour)
    with _read(settings, hour, url, projects, stop, salvage) as (shares, reading):
        quarantine(settings, hour, feed.source, reading.quarantined, anew=force)
        committed: list[Committed] = []
        for project, share in shares.items():
            if not share:
                committed.append(Committed(project, 0, 0))
                continue
            done = _commit(settings, project, Visit(hour, feed.source, force), share)
            if done is not None:
                committed.append(done)
        return Ingested(committed, reading.tally)


@contextmanager
def _read(
    settings: Settings, hour: Hour, url: str, projects: tuple[Project, ...], stop: Signal, salvage: bool
) -> Iterator[tuple[dict[Project, Share], Reading]]:
    """Read an hour to its end, again from its start when the network fails."""
    attempts = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, ArchiveUnreachable) and error.passing),
        wait=_pause,
        stop=stop_after_attempt(ATTEMPTS),
        sleep=sleep_using_event(stop),
        before_sleep=_say,
        reraise=True,
    )
    route = Route(settings.projects, projects, case_sensitive=settings.archive.case_sensitive)
    with ExitStack() as opened:
        yield attempts(
            _read_once,
            lambda: Reading(url, route, stop, salvage=salvage),
            lambda: {project: opened.enter_context(Share()) for project in projects},
            lambda event: route.projects_of(repository_name(event), actor_login(event), hour.stamp),
        )


def _read_once(
    begin: Callable[[], Reading],
    divide: Callable[[], dict[Project, Share]],
    followers_of: Callable[[Json], tuple[Project, ...]],
) -> tuple[dict[Project, Share], Reading]:
    reading, shares = begin(), divide()
    for line in reading:
        if followers := followers_of(line.event):
            _share_out(reading, line, [shares[project] for project in followers])
    return shares, reading


def _share_out(reading: Reading, line: Line, shares: list[Share]) -> None:
    """Give an event to those who follow it; one that cannot be stored goes into quarantine."""
    try:
        if is_old(line.event):
            # Its rows differ from database to database; here it is only seen that they can be made.
            old_rows_of(line.event, Names())
            for share in shares:
                share.keep_old(line.event)
            return
        parcel = pack(rows_of(line.event))
    except ValueError as error:
        reading.refuse(line, str(error))
        return
    for share in shares:
        share.take(parcel)


def _commit(settings: Settings, project: Project, visit: Visit, share: Share) -> Committed | None:
    """Store a share with its mark; again when another hour at the same moment brought an event of it."""
    attempts = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error.__cause__, MEANWHILE)),
        stop=stop_after_attempt(ATTEMPTS),
        reraise=True,
    )
    return attempts(_commit_once, settings, project, visit, share)


def _commit_once(settings: Settings, project: Project, visit: Visit, share: Share) -> Committed | None:
    hour = visit.hour
    with transaction(settings, project.database) as cursor:
        lock_for_transaction(cursor, "hour", str(hour))
        if not visit.force and is_parsed(cursor, hour):
            return None
        stored = store(cursor, share)
        mark_periods(cursor, _stamps(share.hours | {hour}))
        mark_hour(cursor, Watermark(hour, visit.source, share.events))
    for identity, other in stored.collisions.items():
        log.warning("event has the id of another", project=project.name, id=identity, stored_as=other)
    return Committed(project, share.events, len(stored.collisions))


def _pause(state: RetryCallState) -> float:
    """Return how many seconds to wait: what the server asked for, if it did."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, ArchiveUnreachable) else None
    return OWN_PAUSE(state) if asked is None else asked


def _stamps(hours: set[Hour]) -> list[datetime]:
    return [hour.stamp for hour in hours]


def _say(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0.0
    log.warning("archive unreachable, trying again", attempt=state.attempt_number, wait=wait, error=error)
