"""Teams, which are in events before 2015 only."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from activity.archive.rows.fields import Fields
from activity.archive.rows.records import Event, Row


class Team(NamedTuple):
    """A row of gha_teams."""

    id: int
    event_id: int
    name: str
    slug: str
    permission: str
    dup_actor_id: int
    dup_actor_login: str
    dup_repo_id: int
    dup_repo_name: str
    dup_type: str
    dup_created_at: datetime


class TeamRepository(NamedTuple):
    """A row of gha_teams_repositories."""

    team_id: int
    event_id: int
    repository_id: int


def team_rows(event: Event, team: Fields, repository: Fields | None) -> Iterator[Row]:
    """Yield the rows of a team, and of the repository that was added to it."""
    team_id = team.number("id")
    yield Team(
        team_id,
        event.id,
        team.text("name", 120),
        team.text("slug", 100),
        team.text("permission", 20),
        *event.copied,
    )
    if repository is not None:
        yield TeamRepository(team_id, event.id, repository.number("id"))
