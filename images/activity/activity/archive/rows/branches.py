"""Branches of pull requests, and the repositories in pull requests and forks."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple

from activity.archive.rows.fields import Fields
from activity.archive.rows.records import Event, Row, actor


class Branch(NamedTuple):
    """A row of gha_branches."""

    sha: str
    event_id: int
    user_id: int | None
    repo_id: int | None
    dup_created_at: datetime


class Forkee(NamedTuple):
    """A row of gha_forkees: a repository at the time of an event."""

    id: int
    event_id: int
    name: str
    full_name: str
    owner_id: int
    updated_at: datetime
    stargazers_count: int
    forks: int
    open_issues: int
    watchers: int
    dup_actor_id: int
    dup_repo_id: int
    dup_repo_name: str
    dup_created_at: datetime


def forkee_rows(event: Event, forkee: Fields) -> Iterator[Row]:
    """Yield the rows of a repository in an event."""
    owner = actor(forkee.inner("owner"))
    yield owner
    yield Forkee(
        forkee.number("id"),
        event.id,
        forkee.text("name", 80),
        forkee.text("full_name", 200),
        owner.id,
        forkee.time("updated_at"),
        forkee.number("stargazers_count", 32),
        forkee.number("forks", 32),
        forkee.number("open_issues", 32),
        forkee.number("watchers", 32),
        event.actor_id,
        event.repo_id,
        event.dup_repo_name,
        event.created_at,
    )


def branch_rows(event: Event, base: Fields, head: Fields, shown: Collection[int]) -> Iterator[Row]:
    """Yield the rows of both branches; a head on the same commit as its base is left out, a repository comes once.

    `shown` holds the ids of repositories whose rows the event already has.
    """
    yield from _branch(event, base, shown)
    if base.text("sha", 40) == head.text("sha", 40):
        return
    base_repository = base.id_of("repo")
    yield from _branch(event, head, shown if base_repository is None else {*shown, base_repository})


def _branch(event: Event, branch: Fields, shown: Collection[int]) -> Iterator[Row]:
    user, repository = branch.optional("user"), branch.optional("repo")
    if user is not None:
        yield actor(user)
    if repository is not None and repository.number("id") not in shown:
        yield from forkee_rows(event, repository)
    yield Branch(branch.text("sha", 40), event.id, branch.id_of("user"), branch.id_of("repo"), event.created_at)
