"""The rows that every event has, with the columns of DevStats; other rows are in the modules of their objects.

A value that is absent or null where the column is not null becomes what DevStats stores: 0, an empty text, or the
first moment of year 1. Texts lose their NUL characters, which Postgres cannot store, and are cut to the width of
their column in bytes, between characters. Times keep their wall clock.
"""

from datetime import datetime
from typing import NamedTuple

from activity.archive.rows.fields import Fields
from activity.database.bulk_copy import Value

Row = tuple[Value, ...]
LONGEST_TEXT_BYTES = 0xFFFF


class Event(NamedTuple):
    """A row of gha_events."""

    id: int
    type: str
    actor_id: int
    repo_id: int
    created_at: datetime
    org_id: int | None
    dup_actor_login: str
    dup_repo_name: str

    @property
    def copied(self) -> tuple[int, str, int, str, str, datetime]:
        """The columns that nearly every other row repeats: actor, repository, type and time."""
        return (
            self.actor_id,
            self.dup_actor_login,
            self.repo_id,
            self.dup_repo_name,
            self.type,
            self.created_at,
        )


class Payload(NamedTuple):
    """A row of gha_payloads; befor means before (a reserved word), commit exists only before 2015."""

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


class Actor(NamedTuple):
    """A row of gha_actors; the name stays empty until affiliations are known."""

    id: int
    login: str
    name: str


class Repo(NamedTuple):
    """A row of gha_repos."""

    id: int
    name: str
    org_id: int | None
    org_login: str | None


class Org(NamedTuple):
    """A row of gha_orgs."""

    id: int
    login: str


class Origin(NamedTuple):
    """A row of event_origins: an event that is stored under another id than its own, or that had none."""

    event_id: int
    original_id: int | None
    digest: int | None


def actor(person: Fields) -> Actor:
    """Return the row of gha_actors for an account."""
    return Actor(person.number("id"), person.text("login", 120), "")


def login_of(owner: Fields, key: str) -> str | None:
    """Return the login of the account at a key, if there is one."""
    person = owner.optional(key)
    return None if person is None else person.text("login", 120)
