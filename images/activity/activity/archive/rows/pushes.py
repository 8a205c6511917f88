"""Pushed commits, the people in their trailers, and commits that the archive lacks."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from activity.archive.rows.fields import Fields
from activity.archive.rows.records import LONGEST_TEXT_BYTES, Event, Payload, Row

# The width of the columns for names and addresses.
COLUMN_BYTES = 160
TRAILER = re.compile(r"([a-zA-Z0-9-]+):[ \t]+(.+)")


class Commit(NamedTuple):
    """A row of gha_commits; columns that only git knows are filled elsewhere."""

    sha: str
    event_id: int
    author_name: str
    message: str
    is_distinct: bool
    dup_actor_id: int
    dup_actor_login: str
    dup_repo_id: int
    dup_repo_name: str
    dup_type: str
    dup_created_at: datetime


class CommitRole(NamedTuple):
    """A row of gha_commits_roles; the database looks up the account for the name and the address."""

    sha: str
    event_id: int
    role: str
    actor_id: int
    actor_login: str
    actor_name: str
    actor_email: str
    dup_repo_id: int
    dup_repo_name: str
    dup_created_at: datetime


class MissingCommits(NamedTuple):
    """A row of missing_commits: a push of which the archive lacks some commits, or all."""

    event_id: int
    repo_id: int
    repo_name: str
    ref: str | None
    befor: str | None
    head: str | None
    expected: int | None
    held: int
    created_at: datetime


def push_rows(event: Event, push: Payload, payload: Fields) -> Iterator[Row]:
    """Yield the rows of a push; its commits are objects, or lists before 2015."""
    held = 0
    for commit in _commits(event, payload):
        held += 1
        yield commit
        yield from role_rows(event, commit)
    if event.type == "PushEvent" and _is_incomplete(payload, push.size, held):
        yield MissingCommits(
            event.id,
            event.repo_id,
            event.dup_repo_name,
            push.ref,
            push.befor,
            push.head,
            push.size,
            held,
            event.created_at,
        )


def role_rows(event: Event, commit: Commit) -> Iterator[CommitRole]:
    """Yield the roles of people in a commit by the trailers of its message, such as `Reviewed-by: Ada <ada@x.org>`."""
    # Few messages have trailers; a trailer without an address does not count.
    if "<" not in commit.message:
        return
    for line in commit.message.replace("\r", "\n").split("\n"):
        trailer = TRAILER.fullmatch(line.strip())
        roles = trailers().get(trailer[1].lower(), ()) if trailer else ()
        if not trailer or not roles:
            continue
        name, _, rest = trailer[2].partition("<")
        name, email = name.strip(), rest.partition(">")[0].strip()
        if not name or not email:
            continue
        for role in roles:
            yield CommitRole(
                commit.sha,
                event.id,
                role,
                0,
                "",
                _cut(name),
                _cut(email),
                event.repo_id,
                event.dup_repo_name,
                event.created_at,
            )


@cache
def trailers() -> dict[str, tuple[str, ...]]:
    """Return the roles of each trailer, by its name in lower case."""
    names_by_role = tomllib.loads(files("activity.archive.rows").joinpath("trailers.toml").read_text(encoding="utf-8"))
    roles_by_name: dict[str, list[str]] = defaultdict(list)
    for role, names in names_by_role.items():
        for name in names:
            roles_by_name[name].append(role)
    return {name: tuple(roles) for name, roles in roles_by_name.items()}


def _commits(event: Event, payload: Fields) -> Iterator[Commit]:
    for commit in payload.each("commits"):
        author, distinct = commit.inner("author"), commit.flag("distinct")
        yield _commit(event, commit.text("sha", 40), author.text("name", 160), commit, "message", distinct)
    for entry in payload.each_list("shas"):
        distinct = entry.flag("4") if entry.has("4") else True
        yield _commit(event, entry.text("0", 40), entry.text("3", 160), entry, "2", distinct)


def _commit(event: Event, sha: str, author: str, source: Fields, key: str, distinct: bool) -> Commit:
    return Commit(sha, event.id, author, source.text(key, LONGEST_TEXT_BYTES), distinct, *event.copied)


def _is_incomplete(payload: Fields, size: int | None, held: int) -> bool:
    """Tell whether the push lacks commits: since October 2025 all of them, before that all after the twentieth."""
    if size is None:
        return not payload.has("commits") and not payload.has("shas")
    return size > held


def _cut(text: str) -> str:
    return text.encode()[:COLUMN_BYTES].decode(errors="ignore")
