"""Everything that was said, in one table: titles, bodies and messages of an event's other rows."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from activity.archive.rows.comments import Comment, Review
from activity.archive.rows.issues import Issue
from activity.archive.rows.pull_requests import PullRequest
from activity.archive.rows.pushes import Commit
from activity.archive.rows.records import Event, Row


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
    said = dict.fromkeys(pair for row in rows if type(row) in SAYING for pair in SAYING[type(row)](row) if pair[0])
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


def _title_and_body(row: Issue | PullRequest) -> tuple[tuple[str, datetime], ...]:
    return ((row.title, row.created_at), (row.body or "", row.created_at))


SAYING: dict[type[Any], Callable[[Any], tuple[tuple[str, datetime], ...]]] = {
    Commit: lambda row: ((row.message, row.dup_created_at),),
    Comment: lambda row: ((row.body, row.created_at),),
    Issue: _title_and_body,
    PullRequest: _title_and_body,
    Review: lambda row: ((row.body or "", row.submitted_at),),
}
