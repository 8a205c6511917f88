"""Everything that was said, in one table: titles, bodies and messages of an event's other rows."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from activity.archive.comments import Comment, Review
from activity.archive.issues import Issue
from activity.archive.pulls import PullRequest
from activity.archive.pushes import Commit
from activity.archive.records import Event, Row


class Text(NamedTuple):
    """A row of gha_texts."""

    event_id: int
    body: str
    created_at: datetime
    actor_id: int
    actor_login: str
    repo_id: int
    repo_name: str
    type: str


def text_rows(event: Event, rows: Iterable[Row]) -> Iterator[Text]:
    """Yield what the rows of an event say, each text once and no empty one."""
    said = dict.fromkeys(pair for row in rows for pair in _said(row) if pair[0])
    for body, moment in said:
        yield Text(
            event.id,
            body,
            moment,
            event.actor_id,
            event.dup_actor_login,
            event.repo_id,
            event.dup_repo_name,
            event.type,
        )


def _said(row: Row) -> tuple[tuple[str, datetime], ...]:
    match row:
        case Commit():
            return ((row.message, row.dup_created_at),)
        case Comment():
            return ((row.body, row.created_at),)
        case Issue() | PullRequest():
            return ((row.title, row.created_at), (row.body or "", row.created_at))
        case Review():
            return ((row.body or "", row.submitted_at),)
    return ()
