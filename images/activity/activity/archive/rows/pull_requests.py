"""Pull requests at the time of an event."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple

from activity.archive.rows.branches import branch_rows
from activity.archive.rows.fields import Fields
from activity.archive.rows.milestones import milestone_rows
from activity.archive.rows.records import LONGEST_TEXT_BYTES, Event, Row, actor, login_of


class PullRequest(NamedTuple):
    """A row of gha_pull_requests."""

    id: int
    event_id: int
    user_id: int
    base_sha: str
    head_sha: str
    merged_by_id: int | None
    assignee_id: int | None
    milestone_id: int | None
    number: int
    state: str
    locked: bool | None
    title: str
    body: str | None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    merged_at: datetime | None
    merge_commit_sha: str | None
    merged: bool | None
    mergeable: bool | None
    rebaseable: bool | None
    mergeable_state: str | None
    comments: int | None
    review_comments: int | None
    maintainer_can_modify: bool | None
    commits: int | None
    additions: int | None
    deletions: int | None
    changed_files: int | None
    dup_actor_id: int
    dup_actor_login: str
    dup_repo_id: int
    dup_repo_name: str
    dup_type: str
    dup_created_at: datetime
    dup_user_login: str
    dupn_merged_by_login: str | None


class PullAssignee(NamedTuple):
    """A row of gha_pull_requests_assignees."""

    pull_request_id: int
    event_id: int
    assignee_id: int


class RequestedReviewer(NamedTuple):
    """A row of gha_pull_requests_requested_reviewers."""

    pull_request_id: int
    event_id: int
    requested_reviewer_id: int


def pull_rows(event: Event, pull: Fields, shown: Collection[int] = ()) -> Iterator[Row]:
    """Yield the rows of a pull request; `shown` holds the ids of repositories whose rows the event already has."""
    user = actor(pull.inner("user"))
    yield user
    yield from branch_rows(event, pull.inner("base"), pull.inner("head"), shown)
    yield from _people(pull)
    milestone = pull.optional("milestone")
    if milestone is not None:
        yield from milestone_rows(event, milestone)
    yield _pull_request(event, pull, user.login)
    pull_id = pull.number("id")
    for person in assignees(pull):
        yield actor(person)
        yield PullAssignee(pull_id, event.id, person.number("id"))
    for person in pull.each("requested_reviewers"):
        yield actor(person)
        yield RequestedReviewer(pull_id, event.id, person.number("id"))


def assignees(pull: Fields) -> Iterator[Fields]:
    """Yield all assignees, each once, the main one first."""
    first = pull.optional("assignee")
    if first is not None:
        yield first
    for person in pull.each("assignees"):
        if first is None or person.number("id") != first.number("id"):
            yield person


def _people(pull: Fields) -> Iterator[Row]:
    for key in ("merged_by", "assignee"):
        person = pull.optional(key)
        if person is not None:
            yield actor(person)


def _pull_request(event: Event, pull: Fields, login: str) -> PullRequest:
    return PullRequest(
        pull.number("id"),
        event.id,
        pull.inner("user").number("id"),
        pull.inner("base").text("sha", 40),
        pull.inner("head").text("sha", 40),
        pull.id_of("merged_by"),
        pull.id_of("assignee"),
        pull.id_of("milestone"),
        pull.number("number", 32),
        pull.text("state", 20),
        pull.optional_flag("locked"),
        pull.text("title"),
        pull.optional_text("body", LONGEST_TEXT_BYTES),
        pull.time("created_at"),
        pull.time("updated_at"),
        pull.optional_time("closed_at"),
        pull.optional_time("merged_at"),
        pull.optional_text("merge_commit_sha", 40),
        pull.optional_flag("merged"),
        pull.optional_flag("mergeable"),
        pull.optional_flag("rebaseable"),
        pull.optional_text("mergeable_state", 20),
        pull.optional_number("comments", 32),
        pull.optional_number("review_comments", 32),
        pull.optional_flag("maintainer_can_modify"),
        pull.optional_number("commits", 32),
        pull.optional_number("additions", 32),
        pull.optional_number("deletions", 32),
        pull.optional_number("changed_files", 32),
        *event.copied,
        login,
        login_of(pull, "merged_by"),
    )
