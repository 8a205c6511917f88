"""The repository and the actor of an event, in both formats of the archive."""

from typing import Any

Json = dict[str, Any]


def repository_name(event: Json) -> str:
    """Return the name of an event's repository as owner/name; empty when it has none.

    Before 2015 an event has separate fields for the name, the organisation and, without an organisation, the owner.
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
    """Return the login of an event's actor; empty when there is none."""
    actor = event.get("actor")
    login = actor.get("login") if isinstance(actor, dict) else actor
    return login if isinstance(login, str) else ""


def _text(holder: Json, key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""
