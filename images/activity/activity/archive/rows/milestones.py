"""Milestones at the time of an event."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from activity.archive.rows.fields import Fields
from activity.archive.rows.records import LONGEST_TEXT_BYTES, Event, Row, actor, login_of


class Milestone(NamedTuple):
    """A row of gha_milestones."""

    id: int
    event_id: int
    closed_at: datetime | None
    closed_issues: int
    created_at: datetime
    creator_id: int | None
    description: str | None
    due_on: datetime | None
    number: int
    open_issues: int
    state: str
    title: str
    updated_at: datetime
    dup_actor_id: int
    dup_actor_login: str
    dup_repo_id: int
    dup_repo_name: str
    dup_type: str
    dup_created_at: datetime
    dupn_creator_login: str | None


def milestone_rows(event: Event, milestone: Fields) -> Iterator[Row]:
    """Yield the rows of the milestone of an issue or a pull request."""
    creator = milestone.optional("creator")
    if creator is not None:
        yield actor(creator)
    yield Milestone(
        milestone.number("id"),
        event.id,
        milestone.optional_time("closed_at"),
        milestone.number("closed_issues", 32),
        milestone.time("created_at"),
        milestone.id_of("creator"),
        milestone.optional_text("description", LONGEST_TEXT_BYTES),
        milestone.optional_time("due_on"),
        milestone.number("number", 32),
        milestone.number("open_issues", 32),
        milestone.text("state", 20),
        milestone.text("title", 200),
        milestone.time("updated_at"),
        *event.copied,
        login_of(milestone, "creator"),
    )
