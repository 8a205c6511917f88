"""The rows that an event becomes, column by column as DevStats stores them.

A value that is absent or null where the column allows no null becomes what DevStats makes of it: 0, an
empty text, or the first moment of year 1. A text is freed of NUL characters, which Postgres cannot hold,
and cut at the width of its column in bytes, at a whole character. Times keep their wall clock.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from activity.database.copy import Table

Value = int | str | bool | datetime | None


@dataclass(frozen=True, slots=True)
class Event:
    """A row of gha_events."""

    id: int
    type: str
    actor_id: int
    repo_id: int
    created_at: datetime
    org_id: int | None
    dup_actor_login: str
    dup_repo_name: str


@dataclass(frozen=True, slots=True)
class Payload:
    """A row of gha_payloads; befor is before, commit is only in the format before 2015."""

    event_id: int
    push_id: int | None
    size: int | None
    ref: str | None
    head: str | None
    befor: str | None
    action: str | None
    issue_id: int | None
    pull_request_id: int | None
    comment_id: int | None
    number: int | None
    forkee_id: int | None
    release_id: int | None
    member_id: int | None
    commit: str | None
    dup_actor_login: str
    dup_repo_id: int
    dup_repo_name: str
    dup_type: str
    dup_created_at: datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """A row of gha_actors; the name stays empty until affiliations are known."""

    id: int
    login: str
    name: str


@dataclass(frozen=True, slots=True)
class Repo:
    """A row of gha_repos."""

    id: int
    name: str
    org_id: int | None
    org_login: str | None


@dataclass(frozen=True, slots=True)
class Org:
    """A row of gha_orgs."""

    id: int
    login: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A row of gha_pull_requests: a pull request as it was at an event."""

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


Row = Event | Payload | Actor | Repo | Org | PullRequest


def _table(name: str, record: type[Any], key: tuple[str, ...]) -> Table:
    return Table(name, tuple(field.name for field in fields(record)), key)


TABLES: dict[type[Any], Table] = {
    Event: _table("gha_events", Event, ("id",)),
    Payload: _table("gha_payloads", Payload, ("event_id",)),
    Actor: _table("gha_actors", Actor, ("id", "login")),
    Repo: _table("gha_repos", Repo, ("id", "name")),
    Org: _table("gha_orgs", Org, ("id",)),
    PullRequest: _table("gha_pull_requests", PullRequest, ("id", "event_id")),
}


def values(row: Row) -> tuple[Value, ...]:
    """Return the values of a row in the order of its columns."""
    return tuple(getattr(row, name) for name in TABLES[type(row)].columns)
