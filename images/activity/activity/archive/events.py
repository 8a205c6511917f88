"""A line of an hour, read as an event."""

from typing import Any

import orjson

from activity.errors import BrokenLine, OldFormat

Json = dict[str, Any]


def parse_event(url: str, number: int, line: bytes) -> Json | None:
    """Return the event of a line, None for a blank one; BrokenLine or OldFormat names the place."""
    if line.isspace():
        return None
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BrokenLine(url, number, f"not JSON: {error}") from error
    if not isinstance(event, dict):
        raise BrokenLine(url, number, f"expected an object, found {type(event).__name__}")
    if "repo" not in event and ("repository" in event or isinstance(event.get("actor"), str)):
        raise OldFormat(url, number)
    return event


def repository_name(event: Json) -> str:
    """Return the name that decides whose an event is: organisation/name; empty when it has none."""
    repository = event.get("repo")
    name = repository.get("name") if isinstance(repository, dict) else None
    return name if isinstance(name, str) else ""


def actor_login(event: Json) -> str:
    """Return the login of who did it; empty when there is none."""
    actor = event.get("actor")
    login = actor.get("login") if isinstance(actor, dict) else actor
    return login if isinstance(login, str) else ""
