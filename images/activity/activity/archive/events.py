"""A line of an hour, read as an event."""

from typing import Any

import orjson

from activity.errors import BrokenLine

Json = dict[str, Any]


def parse_event(url: str, number: int, line: bytes) -> Json | None:
    """Return the event of a line, None for a blank one; BrokenLine names the place."""
    if line.isspace():
        return None
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BrokenLine(url, number, f"not JSON: {error}") from error
    if not isinstance(event, dict):
        raise BrokenLine(url, number, f"expected an object, found {type(event).__name__}")
    return event


def repository_name(event: Json) -> str:
    """Return the name that decides whose an event is: organisation/name; empty when it has none.

    Before 2015 an event says the two by themselves, and the owner where there is no organisation.
    """
    repository = event.get("repo")
    if isinstance(repository, dict):
        return _text(repository, "name")
    repository = event.get("repository")
    if not isinstance(repository, dict):
        return ""
    owner, name = _text(repository, "organization") or _text(repository, "owner"), _text(repository, "name")
    return f"{owner}/{name}" if owner and name else ""


def actor_login(event: Json) -> str:
    """Return the login of who did it; empty when there is none."""
    actor = event.get("actor")
    login = actor.get("login") if isinstance(actor, dict) else actor
    return login if isinstance(login, str) else ""


def _text(holder: Json, key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""
