"""From an event to its rows."""

from typing import Any

from activity.archive.fields import Fields
from activity.archive.people import people_of
from activity.archive.records import Actor, Event, Org, Payload, PullRequest, Repo, Row


def rows_of(event: dict[str, Any]) -> tuple[Row, ...]:
    """Return all rows of an event, its gha_events row first; ValueError names the field that does not fit."""
    top = Fields(event)
    payload = top.inner("payload")
    row = _event(top)
    rows: list[Row] = [row, _payload(row, payload), _repo(top)]
    organisation = top.optional("org")
    if organisation is not None:
        rows.append(Org(organisation.number("id"), organisation.text("login", 100)))
    pull_request = payload.optional("pull_request")
    if pull_request is not None:
        rows.append(_pull_request(row, pull_request))
    rows.extend(dict.fromkeys(_actor(person) for person in people_of(top)))
    return tuple(rows)


def _event(top: Fields) -> Event:
    actor, repository, organisation = top.inner("actor"), top.inner("repo"), top.optional("org")
    return Event(
        id=top.identity("id"),
        type=top.text("type", 40),
        actor_id=actor.number("id"),
        repo_id=repository.number("id"),
        created_at=top.time("created_at"),
        org_id=organisation.number("id") if organisation else None,
        dup_actor_login=actor.text("login", 120),
        dup_repo_name=repository.text("name", 160),
    )


def _payload(event: Event, payload: Fields) -> Payload:
    return Payload(
        event_id=event.id,
        push_id=payload.optional_number("push_id"),
        size=payload.optional_number("size", bits=32),
        ref=payload.optional_text("ref", 200),
        head=payload.optional_text("head", 40),
        befor=payload.optional_text("before", 40),
        action=payload.optional_text("action", 40),
        issue_id=payload.id_of("issue"),
        pull_request_id=payload.id_of("pull_request"),
        comment_id=payload.id_of("comment"),
        number=payload.optional_number("number", bits=32),
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


def _repo(top: Fields) -> Repo:
    repository, organisation = top.inner("repo"), top.optional("org")
    return Repo(
        id=repository.number("id"),
        name=repository.text("name", 160),
        org_id=organisation.number("id") if organisation else None,
        org_login=organisation.text("login", 100) if organisation else None,
    )


def _pull_request(event: Event, pull: Fields) -> PullRequest:
    user, merged_by = pull.inner("user"), pull.optional("merged_by")
    return PullRequest(
        id=pull.number("id"),
        event_id=event.id,
        user_id=user.number("id"),
        base_sha=pull.inner("base").text("sha", 40),
        head_sha=pull.inner("head").text("sha", 40),
        merged_by_id=pull.id_of("merged_by"),
        assignee_id=pull.id_of("assignee"),
        milestone_id=pull.id_of("milestone"),
        number=pull.number("number", bits=32),
        state=pull.text("state", 20),
        locked=pull.optional_flag("locked"),
        title=pull.text("title"),
        body=pull.optional_text("body", 0xFFFF),
        created_at=pull.time("created_at"),
        updated_at=pull.time("updated_at"),
        closed_at=pull.optional_time("closed_at"),
        merged_at=pull.optional_time("merged_at"),
        merge_commit_sha=pull.optional_text("merge_commit_sha", 40),
        merged=pull.optional_flag("merged"),
        mergeable=pull.optional_flag("mergeable"),
        rebaseable=pull.optional_flag("rebaseable"),
        mergeable_state=pull.optional_text("mergeable_state", 20),
        comments=pull.optional_number("comments", bits=32),
        review_comments=pull.optional_number("review_comments", bits=32),
        maintainer_can_modify=pull.optional_flag("maintainer_can_modify"),
        commits=pull.optional_number("commits", bits=32),
        additions=pull.optional_number("additions", bits=32),
        deletions=pull.optional_number("deletions", bits=32),
        changed_files=pull.optional_number("changed_files", bits=32),
        dup_actor_id=event.actor_id,
        dup_actor_login=event.dup_actor_login,
        dup_repo_id=event.repo_id,
        dup_repo_name=event.dup_repo_name,
        dup_type=event.type,
        dup_created_at=event.created_at,
        dup_user_login=user.text("login", 120),
        dupn_merged_by_login=merged_by.text("login", 120) if merged_by else None,
    )


def _actor(person: Fields) -> Actor:
    return Actor(person.number("id"), person.text("login", 120), "")
