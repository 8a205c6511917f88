"""Wiki pages that an event changed."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from activity.archive.rows.fields import Fields
from activity.archive.rows.records import Event, Row


class Page(NamedTuple):
    """A row of gha_pages."""

    sha: str
    event_id: int
    action: str
    title: str
    dup_actor_id: int
    dup_actor_login: str
    dup_repo_id: int
    dup_repo_name: str
    dup_type: str
    dup_created_at: datetime


def page_rows(event: Event, payload: Fields) -> Iterator[Row]:
    """Yield the rows of the wiki pages that an event changed."""
    for page in payload.each("pages"):
        yield Page(page.text("sha", 40), event.id, page.text("action", 40), page.text("title", 300), *event.copied)
