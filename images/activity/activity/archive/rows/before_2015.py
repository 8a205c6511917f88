"""The rows of an event in the format before 2015.

Such an event has no id; its actor is a login, and its repository has a bare name and the login of its organisation or
owner. As in DevStats, their ids are looked up by name in the project's database; a name that is not found there gets
a negative hash as its id.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from activity.archive.rows.branches import Forkee, forkee_rows
from activity.archive.rows.comments import comment_rows
from activity.archive.rows.event_ids import content_digest, devstats_hash, id_before_2015
from activity.archive.rows.fields import Fields
from activity.archive.rows.issues import pull_issue_rows
from activity.archive.rows.pull_requests import pull_rows
from activity.archive.rows.pushes import push_rows
from activity.archive.rows.records import Actor, Event, Org, Origin, Payload, Repo, Row, actor
from activity.archive.rows.releases import release_rows
from activity.archive.rows.since_2015 import with_texts
from activity.archive.rows.teams import team_rows
from activity.archive.rows.wiki_pages import page_rows


@dataclass(frozen=True)
class KnownIds:
    """Ids from a database: of accounts and organisations by login, of repositories by name and organisation."""

    actors: Mapping[str, int] = field(default_factory=dict)
    orgs: Mapping[str, int] = field(default_factory=dict)
    repos: Mapping[tuple[str, int | None], int] = field(default_factory=dict)

    def actor(self, login: str) -> int:
        """Return the id of an account."""
        return self.actors.get(login) or devstats_hash(login)

    def org(self, login: str) -> int:
        """Return the id of an organisation."""
        return self.orgs.get(login) or devstats_hash(login)

    def repo(self, name: str, org_id: int | None, otherwise: int) -> int:
        """Return the id of a repository in the database, or else the given one."""
        return self.repos.get((name, org_id), otherwise)


class EventNames(NamedTuple):
    """The names in an event whose ids have to be looked up."""

    logins: frozenset[str]
    organisation: str | None
    repository: str


def is_before_2015(event: dict[str, Any]) -> bool:
    """Tell whether an event is in the format before 2015."""
    return "repo" not in event and isinstance(event.get("repository"), dict)


def names_in(event: dict[str, Any]) -> EventNames:
    """Return the names in an event whose ids have to be looked up."""
    top = Fields(event)
    repository = top.inner("repository")
    logins = frozenset((_login(top), repository.text("owner", 120)))
    return EventNames(logins, repository.optional_text("organization", 100), repository.text("name", 160))


def rows_before_2015(event: dict[str, Any], ids: KnownIds) -> tuple[Row, ...]:
    """Return all rows of an event, its gha_events row first; ValueError names the field that does not fit."""
    top = Fields(event)
    row, repository_rows = _event(top, ids)
    rows: list[Row] = [
        row,
        Origin(row.id, None, content_digest(event)),
        *repository_rows,
        Actor(row.actor_id, row.dup_actor_login, ""),
    ]
    payload = top.optional("payload")
    if payload is not None:
        payload_row = _payload(row, payload)
        rows += [payload_row, *_repositories(row, top, payload, ids)]
        rows += push_rows(row, payload_row, payload)
        rows += _parts(row, top, payload)
    return with_texts(row, rows)


def _event(top: Fields, ids: KnownIds) -> tuple[Event, list[Row]]:
    login, repository, created_at = _login(top), top.inner("repository"), top.time("created_at")
    name, organisation = repository.text("name", 160), repository.optional_text("organization", 100)
    org_id = None if organisation is None else ids.org(organisation)
    repo_id = ids.repo(name, org_id, repository.number("id"))
    kind = top.text("type", 40)
    event = Event(
        id=id_before_2015(kind, login, name, created_at),
        type=kind,
        actor_id=ids.actor(login),
        repo_id=repo_id,
        created_at=created_at,
        org_id=org_id,
        dup_actor_login=login,
        dup_repo_name=name,
    )
    rows: list[Row] = [Repo(repo_id, name, org_id, organisation)]
    if org_id is not None and organisation is not None:
        rows.append(Org(org_id, organisation))
    return event, rows


def _login(top: Fields) -> str:
    return top.text("actor", 120)


def _payload(event: Event, payload: Fields) -> Payload:
    issue = payload.id_or_object("issue")
    comment = payload.id_of("comment")
    return Payload(
        event_id=event.id,
        push_id=None,
        size=payload.optional_number("size", 32),
        ref=payload.optional_text("ref", 200),
        head=payload.optional_text("head", 40),
        befor=None,
        action=payload.optional_text("action", 40),
        issue_id=payload.optional_number("issue_id") if issue is None else issue,
        pull_request_id=payload.id_of("pull_request"),
        comment_id=payload.optional_number("comment_id") if comment is None else comment,
        number=payload.optional_number("number", 32),
        forkee_id=payload.id_of("repository"),
        release_id=payload.id_of("release"),
        member_id=payload.id_of("member"),
        commit=payload.optional_text("commit", 40),
        dup_actor_login=event.dup_actor_login,
        dup_repo_id=event.repo_id,
        dup_repo_name=event.dup_repo_name,
        dup_type=event.type,
        dup_created_at=event.created_at,
    )


def _repositories(event: Event, top: Fields, payload: Fields, ids: KnownIds) -> Iterator[Row]:
    """Yield the repositories in the event: the one of the payload in full, its own in the format before 2015."""
    shown, own = payload.optional("repository"), top.inner("repository")
    if shown is not None:
        yield from forkee_rows(event, shown)
    if shown is not None and shown.number("id") == own.number("id"):
        return
    login, name = own.text("owner", 120), own.text("name", 80)
    owner = Actor(ids.actor(login), login, "")
    yield owner
    yield Forkee(
        own.number("id"),
        event.id,
        name,
        name,
        owner.id,
        own.time("created_at"),
        own.number("stargazers", 32),
        own.number("forks", 32),
        own.number("open_issues", 32),
        own.number("watchers", 32),
        event.actor_id,
        event.repo_id,
        event.dup_repo_name,
        event.created_at,
    )


def _parts(event: Event, top: Fields, payload: Fields) -> Iterator[Row]:
    yield from page_rows(event, payload)
    member, comment = payload.optional("member"), payload.optional("comment")
    if member is not None:
        yield actor(member)
    if comment is not None:
        yield from comment_rows(event, comment)
    release, team, pull = payload.optional("release"), payload.optional("team"), payload.optional("pull_request")
    repository = payload.optional("repository")
    if release is not None:
        yield from release_rows(event, release)
    if team is not None:
        yield from team_rows(event, team, repository)
    if pull is not None:
        shown = {top.inner("repository").number("id")}
        if repository is not None:
            shown.add(repository.number("id"))
        yield from pull_rows(event, pull, shown)
        yield from pull_issue_rows(event, pull)
