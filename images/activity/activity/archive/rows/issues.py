"""Issues at the time of an event, with their labels."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from activity.archive.rows.event_ids import devstats_hash
from activity.archive.rows.fields import Fields
from activity.archive.rows.milestones import milestone_rows
from activity.archive.rows.pull_requests import assignees
from activity.archive.rows.records import LONGEST_TEXT_BYTES, Event, Row, actor


class Issue(NamedTuple):
    """A row of gha_issues; a pull request has one too, with is_pull_request."""

    id: int
    event_id: int
    assignee_id: int | None
    body: str | None
    closed_at: datetime | None
    comments: int
    created_at: datetime
    locked: bool
    milestone_id: int | None
    number: int
    state: str
    title: str
    updated_at: datetime
    user_id: int
    dup_actor_id: int
    dup_actor_login: str
    dup_repo_id: int
    dup_repo_name: str
    dup_type: str
    dup_created_at: datetime
    dup_user_login: str
    is_pull_request: bool


class IssueAssignee(NamedTuple):
    """A row of gha_issues_assignees: an assignee after the first, who is in gha_issues."""

    issue_id: int
    event_id: int
    assignee_id: int


class Label(NamedTuple):
    """A row of gha_labels."""

    id: int
    name: str
    color: str
    is_default: bool | None


class IssueLabel(NamedTuple):
    """A row of gha_issues_labels."""

    issue_id: int
    event_id: int
    label_id: int
    dup_actor_id: int
    dup_actor_login: str
    dup_repo_id: int
    dup_repo_name: str
    dup_type: str
    dup_created_at: datetime
    dup_issue_number: int
    dup_label_name: str


def issue_rows(event: Event, issue: Fields) -> Iterator[Row]:
    """Yield the rows of an issue."""
    user, issue_id = actor(issue.inner("user")), issue.number("id")
    yield user
    first = issue.optional("assignee")
    if first is not None:
        yield actor(first)
    yield issue_row(event, issue, issue_id, issue.has("pull_request"))
    milestone = issue.optional("milestone")
    if milestone is not None:
        yield from milestone_rows(event, milestone)
    for person in issue.each("assignees"):
        if first is None or person.number("id") != first.number("id"):
            yield actor(person)
            yield IssueAssignee(issue_id, event.id, person.number("id"))
    for label in issue.each("labels"):
        yield from _label(event, issue_id, issue.number("number", 32), label)


def pull_issue_rows(event: Event, pull: Fields) -> Iterator[Row]:
    """Yield the issue that DevStats creates for a pull request before 2015, which has none."""
    issue_id = -pull.number("id")
    yield issue_row(event, pull, issue_id, is_pull_request=True)
    for person in assignees(pull):
        yield IssueAssignee(issue_id, event.id, person.number("id"))


def issue_row(event: Event, issue: Fields, issue_id: int, is_pull_request: bool) -> Issue:
    """Return the row of gha_issues for an issue or a pull request."""
    user = issue.inner("user")
    return Issue(
        issue_id,
        event.id,
        issue.id_of("assignee"),
        issue.optional_text("body", LONGEST_TEXT_BYTES),
        issue.optional_time("closed_at"),
        issue.number("comments", 32),
        issue.time("created_at"),
        issue.flag("locked"),
        issue.id_of("milestone"),
        issue.number("number", 32),
        issue.text("state", 20),
        issue.text("title"),
        issue.time("updated_at"),
        user.number("id"),
        *event.copied,
        user.text("login", 120),
        is_pull_request,
    )


def _label(event: Event, issue_id: int, number: int, label: Fields) -> Iterator[Row]:
    """Yield the rows of a label; without an id, as in 2015, it is identified by name and colour."""
    name, color, label_id = label.text("name", 160), label.text("color", 8), label.optional_number("id")
    if label_id is None:
        label_id = devstats_hash(name, color)
    yield Label(label_id, name, color, label.optional_flag("default"))
    yield IssueLabel(issue_id, event.id, label_id, *event.copied, number, name)
