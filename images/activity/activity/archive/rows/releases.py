"""Releases and their assets."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from activity.archive.rows.fields import Fields
from activity.archive.rows.records import LONGEST_TEXT_BYTES, Event, Row, actor


class Release(NamedTuple):
    """A row of gha_releases."""

    id: int
    event_id: int
    tag_name: str
    target_commitish: str
    name: str | None
    draft: bool
    author_id: int
    prerelease: bool
    created_at: datetime
    published_at: datetime | None
    body: str | None
    dup_actor_id: int
    dup_actor_login: str
    dup_repo_id: int
    dup_repo_name: str
    dup_type: str
    dup_created_at: datetime
    dup_author_login: str


class Asset(NamedTuple):
    """A row of gha_assets."""

    id: int
    event_id: int
    name: str
    label: str | None
    uploader_id: int
    content_type: str
    state: str
    size: int
    download_count: int
    created_at: datetime
    updated_at: datetime
    dup_actor_id: int
    dup_actor_login: str
    dup_repo_id: int
    dup_repo_name: str
    dup_type: str
    dup_created_at: datetime
    dup_uploader_login: str


class ReleaseAsset(NamedTuple):
    """A row of gha_releases_assets."""

    release_id: int
    event_id: int
    asset_id: int


def release_rows(event: Event, release: Fields) -> Iterator[Row]:
    """Yield the rows of a release."""
    author, release_id = actor(release.inner("author")), release.number("id")
    yield author
    yield Release(
        release_id,
        event.id,
        release.text("tag_name", 200),
        release.text("target_commitish", 200),
        release.optional_text("name", 200),
        release.flag("draft"),
        author.id,
        release.flag("prerelease"),
        release.time("created_at"),
        release.optional_time("published_at"),
        release.optional_text("body", LONGEST_TEXT_BYTES),
        *event.copied,
        author.login,
    )
    for asset in release.each("assets"):
        yield from _asset(event, release_id, asset)


def _asset(event: Event, release_id: int, asset: Fields) -> Iterator[Row]:
    uploader, asset_id = actor(asset.inner("uploader")), asset.number("id")
    yield uploader
    yield Asset(
        asset_id,
        event.id,
        asset.text("name", 200),
        asset.optional_text("label", 120),
        uploader.id,
        asset.text("content_type", 80),
        asset.text("state", 20),
        _size(asset),
        asset.number("download_count", 32),
        asset.time("created_at"),
        asset.time("updated_at"),
        *event.copied,
        uploader.login,
    )
    yield ReleaseAsset(release_id, event.id, asset_id)


def _size(asset: Fields) -> int:
    """Return the size of an asset in bytes; the column of DevStats ends at 2 GiB, and larger assets exist."""
    return min(asset.number("size"), (1 << 31) - 1)
