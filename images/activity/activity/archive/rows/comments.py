"""Comments on issues, pull requests and commits, and reviews."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from activity.archive.rows.fields import Fields
from activity.archive.rows.records import LONGEST_TEXT_BYTES, Event, Row, actor


class Comment(NamedTuple):
    """A row of gha_comments."""

    id: int
    event_id: int
    body: str
    created_at: datetime
    updated_at: datetime
    user_id: int
    commit_id: str | None
    original_commit_id: str | None
    position: int | None
    original_position: int | None
    path: str | None
    pull_request_review_id: int | None
    line: int | None
    dup_actor_id: int
    dup_actor_login: str
    dup_repo_id: int
    dup_repo_name: str
    dup_type: str
    dup_created_at: datetime
    dup_user_login: str


class Review(NamedTuple):
    """A row of gha_reviews."""

    id: int
    event_id: int
    user_id: int
    commit_id: str
    submitted_at: datetime
    author_association: str
    state: str
    body: str | None
    dup_actor_id: int
    dup_actor_login: str
    dup_repo_id: int
    dup_repo_name: str
    dup_type: str
    dup_created_at: datetime
    dup_user_login: str


def comment_rows(event: Event, comment: Fields) -> Iterator[Row]:
    """Yield the rows of a comment."""
    user = actor(comment.inner("user"))
    yield user
    yield Comment(
        comment.number("id"),
        event.id,
        comment.text("body", LONGEST_TEXT_BYTES),
        comment.time("created_at"),
        comment.time("updated_at"),
        user.id,
        comment.optional_text("commit_id", 40),
        comment.optional_text("original_commit_id", 40),
        comment.optional_number("position", 32),
        comment.optional_number("original_position", 32),
        comment.optional_text("path"),
        comment.optional_number("pull_request_review_id"),
        comment.optional_number("line", 32),
        *event.copied,
        user.login,
    )


def review_rows(event: Event, review: Fields) -> Iterator[Row]:
    """Yield the rows of a review."""
    user = actor(review.inner("user"))
    yield user
    yield Review(
        review.number("id"),
        event.id,
        user.id,
        review.text("commit_id", 40),
        review.time("submitted_at"),
        review.text("author_association"),
        review.text("state"),
        review.optional_text("body", LONGEST_TEXT_BYTES),
        *event.copied,
        user.login,
    )
