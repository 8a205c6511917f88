"""The rows of an event in the format since 2015."""

from collections.abc import Iterable, Iterator
from typing import Any

from activity.archive.rows.branches import forkee_rows
from activity.archive.rows.comments import comment_rows, review_rows
from activity.archive.rows.event_ids import is_restarted, stored_id
from activity.archive.rows.fields import Fields
from activity.archive.rows.issues import issue_rows
from activity.archive.rows.pull_requests import pull_rows
from activity.archive.rows.pushes import push_rows
from activity.archive.rows.records import Event, Org, Origin, Payload, Repo, Row, actor
from activity.archive.rows.releases import release_rows
from activity.archive.rows.texts import text_rows
from activity.archive.rows.wiki_pages import page_rows


def rows_since_2015(event: dict[str, Any]) -> tuple[Row, ...]:
    """Return all rows of an event, its gha_events row first; ValueError names the field that does not fit."""
    top = Fields(event)
    row = _event(top)
    rows = [row, *_rows(top, row)]
    return with_texts(row, rows)


def with_texts(event: Event, rows: list[Row]) -> tuple[Row, ...]:
    """Return the rows of an event and the rows of their texts; rows with equal keys stay."""
    return (*rows, *text_rows(event, rows))


def _rows(top: Fields, event: Event) -> Iterator[Row]:
    payload = top.inner("payload")
    payload_row = _payload(event, payload)
    yield payload_row
    original_id = top.identity("id")
    if is_restarted(original_id, event.created_at):
        yield Origin(event.id, original_id, None)
    yield from _repository(top)
    yield actor(top.inner("actor"))
    yield from push_rows(event, payload_row, payload)
    yield from page_rows(event, payload)
    yield from _parts(event, payload)


def _parts(event: Event, payload: Fields) -> Iterator[Row]:
    """Yield the rows of the objects in the payload, in the order of DevStats: the first row of equal keys counts."""
    member, comment, issue = payload.optional("member"), payload.optional("comment"), payload.optional("issue")
    if member is not None:
        yield actor(member)
    if comment is not None:
        yield from comment_rows(event, comment)
    if issue is not None:
        yield from issue_rows(event, issue)
    yield from _more_parts(event, payload)


def _more_parts(event: Event, payload: Fields) -> Iterator[Row]:
    rows_by_key = (
        ("forkee", forkee_rows),
        ("release", release_rows),
        ("pull_request", pull_rows),
        ("review", review_rows),
    )
    for key, part_rows in rows_by_key:
        part = payload.optional(key)
        if part is not None:
            yield from part_rows(event, part)


def _event(top: Fields) -> Event:
    actor, repository, organisation = top.inner("actor"), top.inner("repo"), top.optional("org")
    created_at = top.time("created_at")
    return Event(
        id=stored_id(top.identity("id"), created_at),
        type=top.text("type", 40),
        actor_id=actor.number("id"),
        repo_id=repository.number("id"),
        created_at=created_at,
        org_id=organisation.number("id") if organisation else None,
        dup_actor_login=actor.text("login", 120),
        dup_repo_name=repository.text("name", 160),
    )


def _payload(event: Event, payload: Fields) -> Payload:
    return Payload(
        event_id=event.id,
        push_id=payload.optional_number("push_id"),
        size=payload.optional_number("size", 32),
        ref=payload.optional_text("ref", 200),
        head=payload.optional_text("head", 40),
        befor=payload.optional_text("before", 40),
        action=payload.optional_text("action", 40),
        issue_id=payload.id_of("issue"),
        pull_request_id=payload.id_of("pull_request"),
        comment_id=payload.id_of("comment"),
        number=payload.optional_number("number", 32),
        forkee_id=payload.id_of("forkee"),
        release_id=payload.id_of("release"),
        member_id=payload.id_of("member"),
        commit=None,
        dup_actor_login=event.dup_actor_login,
        dup_repo_id=event.repo_id,
        dup_repo_name=event.dup_repo_name,
        dup_type=event.type,
        dup_created_at=event.created_at,
    )


def _repository(top: Fields) -> Iterable[Row]:
    repository, organisation = top.inner("repo"), top.optional("org")
    owner = Org(organisation.number("id"), organisation.text("login", 100)) if organisation else None
    yield Repo(repository.number("id"), repository.text("name", 160), owner and owner.id, owner and owner.login)
    if owner is not None:
        yield owner
