"""From an event to its rows, in the format before 2015.

Such an event has no id; its actor is a login, its repository has a bare name and the login of an organisation or an
owner. Whose ids these are is found out in the project's database as DevStats does: what is known there under the
same name has its id, anything else a negative hash of its name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from activity.archive.rows.branches import Forkee, forkee_rows
from activity.archive.rows.comments import comment_rows
from activity.archive.rows.event_ids import digest_of, hash_words, old_id
from activity.archive.rows.fields import Fields
from activity.archive.rows.issues import pull_issue_rows
from activity.archive.rows.pull_requests import pull_rows
from activity.archive.rows.pushes import push_rows
from activity.archive.rows.records import Actor, Event, Org, Origin, Payload, Repo, Row, actor
from activity.archive.rows.releases import release_rows
from activity.archive.rows.since_2015 import complete
from activity.archive.rows.teams import team_rows
from activity.archive.rows.wiki_pages import page_rows


@dataclass(frozen=True)
class Names:
    """What a database knows by name: accounts, organisations, and repositories by name and organisation."""

    actors: Mapping[str, int] = field(default_factory=dict)
    orgs: Mapping[str, int] = field(default_factory=dict)
    repos: Mapping[tuple[str, int | None], int] = field(default_factory=dict)

    def actor(self, login: str) -> int:
        """Return the id of an account."""
        return self.actors.get(login) or hash_words(login)

    def org(self, login: str) -> int:
        """Return the id of an organisation."""
        return self.orgs.get(login) or hash_words(login)

    def repo(self, name: str, org_id: int | None, otherwise: int) -> int:
        """Return the id of a repository that is known by another id than the event says, else that."""
        return self.repos.get((name, org_id), otherwise)


class Named(NamedTuple):
    """What an event calls by name."""

    logins: frozenset[str]
    organisation: str | None
    repository: str


def is_old(event: dict[str, Any]) -> bool:
    """Tell whether an event is in the format before 2015."""
    return "repo" not in event and isinstance(event.get("repository"), dict)


def named_in(event: dict[str, Any]) -> Named:
    """Return the names whose ids have to be looked up for an event."""
    top = Fields(event)
    repository = top.inner("repository")
    logins = frozenset((_login(top), repository.text("owner", 120)))
    return Named(logins, repository.optional_text("organization", 100), repository.text("name", 160))


def old_rows_of(event: dict[str, Any], names: Names) -> tuple[Row, ...]:
    """Return all rows of an event, its gha_events row first; ValueError names the field that does not fit."""
    top = Fields(event)
    row, place = _event(top, names)
    rows: list[Row] = [
        row,
        Origin(row.id, None, digest_of(event)),
        *place,
        Actor(row.actor_id, row.dup_actor_login, ""),
    ]
    payload = top.optional("payload")
    if payload is not None:
        told = _payload(row, payload)
        rows += [told, *_repositories(row, top, payload, names)]
        rows += push_rows(row, told, payload)
        rows += _parts(row, top, payload)
    return complete(row, rows)


def _event(top: Fields, names: Names) -> tuple[Event, list[Row]]:
    login, repository, created_at = _login(top), top.inner("repository"), top.time("created_at")
    name, organisation = repository.text("name", 160), repository.optional_text("organization", 100)
    org_id = None if organisation is None else names.org(organisation)
    repo_id = names.repo(name, org_id, repository.number("id"))
    kind = top.text("type", 40)
    event = Event(
        id=old_id(kind, login, name, created_at),
        type=kind,
        actor_id=names.actor(login),
        repo_id=repo_id,
        created_at=created_at,
        org_id=org_id,
        dup_actor_login=login,
        dup_repo_name=name,
    )
    place: list[Row] = [Repo(repo_id, name, org_id, organisation)]
    if org_id is not None and organisation is not None:
        place.append(Org(org_id, organisation))
    return event, place


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


def _repositories(event: Event, top: Fields, payload: Fields, names: Names) -> Iterator[Row]:
    """Yield the repositories that the event shows: the payload's in full, its own as it was written before 2015."""
    shown, own = payload.optional("repository"), top.inner("repository")
    if shown is not None:
        yield from forkee_rows(event, shown)
    if shown is not None and shown.number("id") == own.number("id"):
        return
    login, name = own.text("owner", 120), own.text("name", 80)
    owner = Actor(names.actor(login), login, "")
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
