"""What a simulated event carries, in the shape that the archive has."""

from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import Any

from activity.hour import Hour

Json = dict[str, Any]


@dataclass(frozen=True)
class Pull:
    """A simulated pull request, the same whenever its hour is looked at."""

    repository: str
    number: int
    author: str
    opened: Hour


def payload(kind: str, hour: Hour, random: Random, login: str) -> Json:
    """Return the payload of an event of a kind in which someone else takes part."""
    number = random.randrange(1, 5000)
    person = account(login)
    match kind:
        case "PushEvent":
            size = random.choice((1, 1, 1, 2, 3))
            commits = [_commit(random, person["login"]) for _ in range(size)]
            head = commits[-1]["sha"]
            return {
                "push_id": random.getrandbits(40),
                "size": size,
                "distinct_size": size,
                "ref": "refs/heads/main",
                "head": head,
                "before": f"{random.getrandbits(160):040x}",
                "commits": commits,
            }
        case "IssueCommentEvent":
            return {
                "action": "created",
                "issue": _issue(hour, number, person),
                "comment": _comment(hour, random, person),
            }
        case "IssuesEvent":
            return {"action": random.choice(("opened", "closed")), "issue": _issue(hour, number, person)}
        case "CreateEvent" | "DeleteEvent":
            return {"ref": f"topic-{number}", "ref_type": "branch", "pusher_type": "user"}
        case "ForkEvent":
            name = f"{person['login']}/fork-{number}"
            return {"forkee": {"id": identity(name), "name": f"fork-{number}", "full_name": name, "owner": person}}
        case "PullRequestReviewEvent":
            return {"action": "created", "review": {"id": random.getrandbits(40), "user": person, "state": "approved"}}
        case "ReleaseEvent":
            tag = f"v{number // 1000}.{number // 100 % 10}.{number % 100}"
            return {"action": "published", "release": {"id": random.getrandbits(40), "tag_name": tag, "author": person}}
    return {"action": "started"}


def pull_payload(pull: Pull, merged: Hour | None) -> Json:
    """Return the payload of a pull request that was just opened, or merged in an hour."""
    author = account(pull.author)
    at = f"{merged.start:%Y-%m-%dT%H:%M:%SZ}" if merged else None
    return {
        "action": "closed" if merged else "opened",
        "number": pull.number,
        "pull_request": {
            "id": identity(pull.repository, str(pull.number)),
            "number": pull.number,
            "state": "closed" if merged else "open",
            "title": f"Simulated change {pull.number}",
            "user": author,
            "body": "Simulated.",
            "created_at": f"{pull.opened.start:%Y-%m-%dT%H:%M:%SZ}",
            "updated_at": at or f"{pull.opened.start:%Y-%m-%dT%H:%M:%SZ}",
            "closed_at": at,
            "merged_at": at,
            "merged": merged is not None,
            "merged_by": author if merged else None,
            "base": {"ref": "main", "sha": _sha(pull.repository, str(pull.number), "base")},
            "head": {"ref": f"topic-{pull.number}", "sha": _sha(pull.repository, str(pull.number), "head")},
        },
    }


def _commit(random: Random, login: str) -> Json:
    author = {"name": login, "email": f"{login}@example.org"}
    return {"sha": f"{random.getrandbits(160):040x}", "author": author, "message": "Simulated.", "distinct": True}


def _issue(hour: Hour, number: int, person: Json) -> Json:
    at = f"{hour.start:%Y-%m-%dT%H:%M:%SZ}"
    return {
        "id": identity("issue", str(number)),
        "number": number,
        "title": f"Simulated issue {number}",
        "state": "open",
        "user": person,
        "created_at": at,
        "updated_at": at,
    }


def _comment(hour: Hour, random: Random, person: Json) -> Json:
    at = f"{hour.start:%Y-%m-%dT%H:%M:%SZ}"
    return {"id": random.getrandbits(40), "user": person, "body": "Simulated.", "created_at": at, "updated_at": at}


def account(login: str) -> Json:
    """Return a person or an organisation."""
    return {"id": identity("account", login), "login": login, "url": f"https://api.github.com/users/{login}"}


def identity(*words: str) -> int:
    """Return an id of 47 bits for a thing, below the ids that DevStats sets aside for its own."""
    return int.from_bytes(blake2b("|".join(words).encode(), digest_size=8).digest(), "big") >> 17


def _sha(*words: str) -> str:
    return blake2b("|".join(words).encode(), digest_size=20).hexdigest()
