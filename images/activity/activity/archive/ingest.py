"""One hour, read once for all projects that lack it, and committed to each of them whole or not at all."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event as Signal

from psycopg2.extensions import cursor as Cursor
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter
from tenacity.nap import sleep_using_event

from activity import log
from activity.archive.events import Json, actor_login, parse_event, repository_name
from activity.archive.hours import hour_url, read_lines
from activity.archive.records import TABLES, Event, values
from activity.archive.route import Route
from activity.archive.rows import rows_of
from activity.database.connect import transaction
from activity.database.copy import Batch, encode_row
from activity.database.locks import lock
from activity.database.marks import Mark, Source, is_parsed, mark_hour, mark_periods
from activity.database.queries import query
from activity.errors import ArchiveUnreachable, BrokenLine, Stopped
from activity.hour import Hour, hour_at
from activity.projects import Project
from activity.settings import Settings

ATTEMPTS = 4
LINES_BETWEEN_LOOKS = 1000


@dataclass(frozen=True)
class Feed:
    """An archive to read hours from, and what its hours are called in the database."""

    url: str
    source: Source


@dataclass(frozen=True)
class Committed:
    """What an hour brought to one project."""

    project: Project
    events: int
    collisions: int


class Share:
    """What one project gets of an hour."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.events = 0
        self.hours: set[Hour] = set()


def ingest_hour(
    settings: Settings, feed: Feed, hour: Hour, projects: tuple[Project, ...], stop: Signal, *, force: bool = False
) -> list[Committed]:
    """Read an hour and commit it project by project; returns those that lacked it until now, or all with `force`.

    The databases of projects without an event in it are not touched: the caller marks the hour for them.
    Raises HourMissing, TruncatedHour, BrokenLine, ArchiveUnreachable (nothing of the hour is stored then),
    DatabaseUnavailable (projects before the failing one have it) and Stopped.
    """
    url = hour_url(feed.url, hour)
    with _read(settings, hour, url, projects, stop) as shares:
        committed: list[Committed] = []
        for project, share in shares.items():
            if not share.events:
                committed.append(Committed(project, 0, 0))
                continue
            done = _commit(settings, project, Mark(hour, feed.source, share.events), share, force=force)
            if done is not None:
                committed.append(done)
        return committed


@contextmanager
def _read(
    settings: Settings, hour: Hour, url: str, projects: tuple[Project, ...], stop: Signal
) -> Iterator[dict[Project, Share]]:
    """Read an hour to its end, again from its start when the network fails."""
    attempts = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, ArchiveUnreachable) and error.passing),
        wait=wait_exponential_jitter(initial=1, max=20),
        stop=stop_after_attempt(ATTEMPTS),
        sleep=sleep_using_event(stop),
        before_sleep=_say,
        reraise=True,
    )
    with ExitStack() as batches:
        yield attempts(_read_once, settings, hour, url, projects, stop, lambda: Share(batches.enter_context(Batch())))


def _read_once(
    settings: Settings, hour: Hour, url: str, projects: tuple[Project, ...], stop: Signal, share: Callable[[], Share]
) -> dict[Project, Share]:
    route = Route(settings.projects, projects, case_sensitive=settings.archive.case_sensitive)
    shares = {project: share() for project in projects}
    for number, line in read_lines(url):
        if number % LINES_BETWEEN_LOOKS == 0 and stop.is_set():
            raise Stopped(f"{url}: stopped at line {number}. Nothing of this hour was stored.")
        event = parse_event(url, number, line)
        followers = _followers(route, event, hour) if event else ()
        if event and followers:
            _share_out(url, number, event, [shares[project] for project in followers])
    return shares


def _followers(route: Route, event: Json, hour: Hour) -> tuple[Project, ...]:
    return route.projects_of(repository_name(event), actor_login(event), hour.stamp)


def _share_out(url: str, number: int, event: Json, shares: list[Share]) -> None:
    try:
        rows = rows_of(event)
    except ValueError as error:
        raise BrokenLine(url, number, str(error)) from error
    encoded = [(TABLES[type(row)], encode_row(number, values(row))) for row in rows]
    created_at = next(row.created_at for row in rows if isinstance(row, Event))
    for share in shares:
        share.events += 1
        share.hours.add(hour_at(created_at))
        for table, row in encoded:
            share.batch.add(table, row)


def _commit(settings: Settings, project: Project, mark: Mark, share: Share, *, force: bool) -> Committed | None:
    with transaction(settings, project.database) as cursor:
        lock(cursor, "hour", str(mark.hour))
        if not force and is_parsed(cursor, mark.hour):
            return None
        collisions = _store(cursor, share.batch) if share.batch else ()
        mark_periods(cursor, _stamps(share.hours | {mark.hour}))
        mark_hour(cursor, mark)
    for identity in collisions:
        log.warning("event left out: its id stands for another event", project=project.name, id=identity)
    return Committed(project, mark.events, len(collisions))


def _store(cursor: Cursor, batch: Batch) -> tuple[int, ...]:
    """Merge a batch; returns the ids that stand for another event already, which are left out."""
    batch.stage(cursor)
    cursor.execute(query("ingest/drop_known_events"))
    collisions = tuple(row[0] for row in cursor.fetchall())
    batch.merge(cursor)
    return collisions


def _stamps(hours: set[Hour]) -> list[datetime]:
    return [hour.stamp for hour in hours]


def _say(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0.0
    log.warning("archive unreachable, trying again", attempt=state.attempt_number, wait=wait, error=error)
