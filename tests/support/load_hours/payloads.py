"""The payload of each type of event, in the shape before October 2025 (fat) and since then (slim)."""

from collections.abc import Callable

from activity.archive.simulate.events import Json

from tests.support.load_hours.discussion_payloads import issue_comments, issues, pulls, review_comments, reviews
from tests.support.load_hours.event_factory import EventFactory, Shape
from tests.support.load_hours.github_objects import person, reactions, repository


def _push(make: EventFactory) -> Json:
    head, before, number = make.population.sha(), make.population.sha(), make.random.getrandbits(34)
    ref = "refs/heads/main" if make.random.random() < 0.7 else f"refs/heads/topic-{make.number()}"
    if make.shape is Shape.SLIM:
        return {"repository_id": make.repository.id, "push_id": number, "ref": ref, "head": head, "before": before}
    size = make.random.choice((1, 1, 1, 1, 1, 2, 2, 3, 6))
    commits = [_commit(make, head if place == size - 1 else make.population.sha()) for place in range(size)]
    return {
        "repository_id": make.repository.id,
        "push_id": number,
        "size": size,
        "distinct_size": size,
        "ref": ref,
        "head": head,
        "before": before,
        "commits": commits,
    }


def _commit(make: EventFactory, sha: str) -> Json:
    login, number = make.population.person()
    return {
        "sha": sha,
        "author": {"email": f"{number}+{login}@users.noreply.github.com", "name": login},
        "message": make.population.words(make.random.choice((4, 8, 12, 30))),
        "distinct": True,
        "url": f"{make.api}/commits/{sha}",
    }


def _branch(make: EventFactory) -> Json:
    return {
        "ref": f"topic-{make.number()}",
        "ref_type": make.random.choice(("branch", "branch", "tag")),
        "master_branch": "main",
        "description": make.population.words(7),
        "pusher_type": "user",
    }


def _deleted(make: EventFactory) -> Json:
    return {"ref": f"topic-{make.number()}", "ref_type": "branch", "pusher_type": "user"}


def _started(_: EventFactory) -> Json:
    return {"action": "started"}


def _fork(make: EventFactory) -> Json:
    login, number = make.population.person()
    name = f"{login}/{make.repository.name.partition('/')[2]}"
    made = repository(name, make.object_id(), person(login, number), make.at, make.population.words(8))
    return {"forkee": {**made, "fork": True, "public": True}}


def _release(make: EventFactory) -> Json:
    number, tag = make.object_id(), f"v{make.number(30)}.{make.number(20)}.{make.number(20)}"
    author = make.person()
    assets = [_asset(make, author, tag) for _ in range(make.random.choice((0, 1, 3, 5)))]
    return {
        "action": "published",
        "release": {
            "url": f"{make.api}/releases/{number}",
            "assets_url": f"{make.api}/releases/{number}/assets",
            "upload_url": f"https://uploads.github.com/repos/{make.repository.name}/releases/{number}/assets{{?name,label}}",
            "html_url": f"{make.web}/releases/tag/{tag}",
            "id": number,
            "author": author,
            "node_id": f"RE_kwDO{number:08X}",
            "tag_name": tag,
            "target_commitish": "main",
            "name": tag,
            "draft": False,
            "prerelease": False,
            "created_at": make.at,
            "published_at": make.at,
            "assets": assets,
            "tarball_url": f"{make.api}/tarball/{tag}",
            "zipball_url": f"{make.api}/zipball/{tag}",
            "body": make.population.words(250),
            "short_description_html": "",
            "is_short_description_html_truncated": False,
        },
    }


def _asset(make: EventFactory, uploader: Json, tag: str) -> Json:
    number, name = make.object_id(), f"{make.population.words(1).strip()}-{tag}.tar.gz"
    return {
        "url": f"{make.api}/releases/assets/{number}",
        "id": number,
        "node_id": f"RA_kwDO{number:08X}",
        "name": name,
        "label": None,
        "uploader": uploader,
        "content_type": "application/gzip",
        "state": "uploaded",
        "size": number % 90_000_000,
        "download_count": number % 40,
        "created_at": make.at,
        "updated_at": make.at,
        "browser_download_url": f"{make.web}/releases/download/{tag}/{name}",
    }


def _pages(make: EventFactory) -> Json:
    name = make.population.words(1).strip()
    page = {"page_name": name, "title": name, "summary": None, "action": "edited", "sha": make.population.sha()}
    return {"pages": [{**page, "html_url": f"{make.web}/wiki/{name}"}]}


def _member(make: EventFactory) -> Json:
    return {"member": make.person(), "action": "added"}


def _commit_comment(make: EventFactory) -> Json:
    number = make.object_id()
    url = f"{make.api}/comments/{number}"
    return {
        "action": "created",
        "comment": {
            "url": url,
            "html_url": f"{make.web}/commit/{make.population.sha()}#commitcomment-{number}",
            "id": number,
            "node_id": f"CC_kwDO{number:08X}",
            "user": make.person(),
            "position": None,
            "line": None,
            "path": None,
            "commit_id": make.population.sha(),
            "created_at": make.at,
            "updated_at": make.at,
            "author_association": "NONE",
            "body": make.population.words(40),
            "reactions": reactions(url),
        },
    }


def _public(_: EventFactory) -> Json:
    return {}


PAYLOADS: dict[str, Callable[[EventFactory], Json]] = {
    "PushEvent": _push,
    "CreateEvent": _branch,
    "PullRequestEvent": pulls,
    "WatchEvent": _started,
    "IssueCommentEvent": issue_comments,
    "DeleteEvent": _deleted,
    "IssuesEvent": issues,
    "PullRequestReviewEvent": reviews,
    "ForkEvent": _fork,
    "PullRequestReviewCommentEvent": review_comments,
    "ReleaseEvent": _release,
    "GollumEvent": _pages,
    "MemberEvent": _member,
    "CommitCommentEvent": _commit_comment,
    "PublicEvent": _public,
}
