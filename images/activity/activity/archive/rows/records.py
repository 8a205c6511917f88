"""The rows that every event has, column by column as DevStats stores them; other kinds lie beside what makes them.

A value that is absent or null where the column allows no null becomes what DevStats makes of it: 0, an
empty text, or the first moment of year 1. A text is freed of NUL characters, which Postgres cannot hold,
and cut at the width of its column in bytes, at a whole character. Times keep their wall clock.
"""

from datetime import datetime
from typing import NamedTuple

from activity.archive.rows.fields import Fields
from activity.database.bulk_copy import Value

Row = tuple[Value, ...]
LONGEST_TEXT = 0xFFFF


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
        """What nearly every other row repeats: actor, repository, type and time."""
        return (
            self.actor_id,
            self.dup_actor_login,
            self.repo_id,
            self.dup_repo_name,
            self.type,
            self.created_at,
        )


class Payload(NamedTuple):
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
    """A row of event_origins: an event that is not stored under the id it came with, or came without one."""

    event_id: int
    original_id: int | None
    digest: int | None


def actor(person: Fields) -> Actor:
    """Return someone's row of gha_actors."""
    return Actor(person.number("id"), person.text("login", 120), "")


def login_of(owner: Fields, key: str) -> str | None:
    """Return the login of the person at a key, if there is one."""
    person = owner.optional(key)
    return None if person is None else person.text("login", 120)
