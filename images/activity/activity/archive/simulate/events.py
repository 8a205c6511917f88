"""Simulated events in the format of the archive: how often each type occurs, and the fields that all of them have.

The simulated hours of the service and the load hours of benchmarks and tests are made of these.
"""

from datetime import datetime
from random import Random
from typing import Any

Json = dict[str, Any]

API = "https://api.github.com"
# How many of a thousand events have each type: roughly as in the archive.
EVENT_MIX = {
    "PushEvent": 550,
    "CreateEvent": 118,
    "PullRequestEvent": 61,
    "WatchEvent": 60,
    "IssueCommentEvent": 53,
    "DeleteEvent": 45,
    "IssuesEvent": 26,
    "PullRequestReviewEvent": 25,
    "ForkEvent": 20,
    "PullRequestReviewCommentEvent": 14,
    "ReleaseEvent": 8,
    "GollumEvent": 7,
    "MemberEvent": 5,
    "CommitCommentEvent": 5,
    "PublicEvent": 3,
}


def share_of(event_type: str) -> float:
    """Return the share of a type in all events."""
    return EVENT_MIX[event_type] / sum(EVENT_MIX.values())


def draw_types(random: Random, count: int) -> list[str]:
    """Draw the types of so many events."""
    return random.choices(list(EVENT_MIX), list(EVENT_MIX.values()), k=count)


def make_event(
    event_id: int,
    event_type: str,
    actor: Json,
    repository: tuple[int, str],
    payload: Json,
    created_at: str,
    organisation: Json | None,
) -> Json:
    """Return an event at a repository (id and full name); `organisation` is its owner, None for a person's."""
    repository_id, name = repository
    event = {
        "id": str(event_id),
        "type": event_type,
        "actor": actor,
        "repo": {"id": repository_id, "name": name, "url": f"{API}/repos/{name}"},
        "payload": payload,
        "public": True,
        "created_at": created_at,
    }
    if organisation is not None:
        event["org"] = organisation
    return event


def timestamp(moment: datetime) -> str:
    """Return a time as the archive writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
