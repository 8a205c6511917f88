"""What an event tells about whose it is, in both formats that the archive has had."""

from typing import Any

Json = dict[str, Any]


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
