"""The texts of an event in one table: titles, bodies and messages of its other rows."""

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
    """Yield the texts in the rows of an event, each once, without empty ones."""
    # A dict keeps the order of its keys: the first of equal texts counts.
    texts: dict[tuple[str, datetime], None] = {}
    for row in rows:
        if type(row) in TEXTS_OF:
            texts.update(dict.fromkeys(TEXTS_OF[type(row)](row)))
    for body, created_at in texts:
        if not body:
            continue
        yield Text(
            event.id,
            body,
            created_at,
            event.actor_id,
            event.dup_actor_login,
            event.repo_id,
            event.dup_repo_name,
            event.type,
        )


def _title_and_body(row: Issue | PullRequest) -> tuple[tuple[str, datetime], ...]:
    return ((row.title, row.created_at), (row.body or "", row.created_at))


TEXTS_OF: dict[type[Any], Callable[[Any], tuple[tuple[str, datetime], ...]]] = {
    Commit: lambda row: ((row.message, row.dup_created_at),),
    Comment: lambda row: ((row.body, row.created_at),),
    Issue: _title_and_body,
    PullRequest: _title_and_body,
    Review: lambda row: ((row.body or "", row.submitted_at),),
}
