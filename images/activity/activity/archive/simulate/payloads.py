"""The payloads of simulated events: in the format of the archive, with only the fields that are stored."""

from dataclasses import dataclass
from hashlib import blake2b
from random import Random

from activity.archive.simulate.events import API, Json, timestamp
from activity.hour import Hour


@dataclass(frozen=True)
class Pull:
    """A simulated pull request, the same in every hour in which it has an event."""

    repository: str
    number: int
    author: str
    opened: Hour


def make_payload(event_type: str, hour: Hour, random: Random, login: str) -> Json:
    """Return the payload of an event in which a person besides the actor takes part."""
    number = random.randrange(1, 5000)
    person = account(login)
    match event_type:
        case "PushEvent":
            return _push(random, person["login"])
        case "IssueCommentEvent":
            issue = _issue(hour, number, person)
            return {"action": "created", "issue": issue, "comment": _comment(hour, random, person)}
        case "CommitCommentEvent":
            return {
                "action": "created",
                "comment": {**_comment(hour, random, person), "commit_id": _random_sha(random)},
            }
        case "PullRequestReviewCommentEvent":
            return {"action": "created", "comment": _comment(hour, random, person)}
        case "IssuesEvent":
            return {"action": random.choice(("opened", "closed")), "issue": _issue(hour, number, person)}
        case "CreateEvent" | "DeleteEvent":
            return {"ref": f"topic-{number}", "ref_type": "branch", "pusher_type": "user"}
        case "ForkEvent":
            name = f"{person['login']}/fork-{number}"
            return {"forkee": {"id": object_id(name), "name": f"fork-{number}", "full_name": name, "owner": person}}
        case "PullRequestReviewEvent":
            return {"action": "created", "review": {"id": random.getrandbits(40), "user": person, "state": "approved"}}
        case "ReleaseEvent":
            tag = f"v{number // 1000}.{number // 100 % 10}.{number % 100}"
            return {"action": "published", "release": {"id": random.getrandbits(40), "tag_name": tag, "author": person}}
        case "GollumEvent":
            return {"pages": [{"title": f"Page {number}", "action": "edited", "sha": _random_sha(random)}]}
        case "MemberEvent":
            return {"action": "added", "member": person}
        case "PublicEvent":
            return {}
        case "WatchEvent":
            return {"action": "started"}
    raise ValueError(f"no payload for {event_type}")


def pull_payload(pull: Pull, merged: Hour | None) -> Json:
    """Return the payload of a pull request that is opened, or merged in an hour."""
    author = account(pull.author)
    opened_at = timestamp(pull.opened.start)
    merged_at = timestamp(merged.start) if merged else None
    return {
        "action": "closed" if merged else "opened",
        "number": pull.number,
        "pull_request": {
            "id": object_id(pull.repository, str(pull.number)),
            "number": pull.number,
            "state": "closed" if merged else "open",
            "title": f"Simulated change {pull.number}",
            "user": author,
            "body": "Simulated.",
            "created_at": opened_at,
            "updated_at": merged_at or opened_at,
            "closed_at": merged_at,
            "merged_at": merged_at,
            "merged": merged is not None,
            "merged_by": author if merged else None,
            "base": {"ref": "main", "sha": _sha(pull.repository, str(pull.number), "base")},
            "head": {"ref": f"topic-{pull.number}", "sha": _sha(pull.repository, str(pull.number), "head")},
        },
    }


def account(login: str) -> Json:
    """Return a person or an organisation."""
    return {"id": object_id("account", login), "login": login, "url": f"{API}/users/{login}"}


def object_id(*words: str) -> int:
    """Return the id of 47 bits for what the words name, below the ids that DevStats reserves for its own events."""
    return int.from_bytes(blake2b("|".join(words).encode(), digest_size=8).digest(), "big") >> 17


def _push(random: Random, login: str) -> Json:
    commit_count = random.choice((1, 1, 1, 2, 3))
    commits = [_commit(random, login) for _ in range(commit_count)]
    return {
        "push_id": random.getrandbits(40),
        "size": commit_count,
        "distinct_size": commit_count,
        "ref": "refs/heads/main",
        "head": commits[-1]["sha"],
        "before": _random_sha(random),
        "commits": commits,
    }


def _commit(random: Random, login: str) -> Json:
    author = {"name": login, "email": f"{login}@example.org"}
    return {"sha": _random_sha(random), "author": author, "message": "Simulated.", "distinct": True}


def _issue(hour: Hour, number: int, person: Json) -> Json:
    created_at = timestamp(hour.start)
    return {
        "id": object_id("issue", str(number)),
        "number": number,
        "title": f"Simulated issue {number}",
        "state": "open",
        "user": person,
        "created_at": created_at,
        "updated_at": created_at,
    }


def _comment(hour: Hour, random: Random, person: Json) -> Json:
    created_at = timestamp(hour.start)
    return {
        "id": random.getrandbits(40),
        "user": person,
        "body": "Simulated.",
        "created_at": created_at,
        "updated_at": created_at,
    }


def _random_sha(random: Random) -> str:
    return f"{random.getrandbits(160):040x}"


def _sha(*words: str) -> str:
    return blake2b("|".join(words).encode(), digest_size=20).hexdigest()
