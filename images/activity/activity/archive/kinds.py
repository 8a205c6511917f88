"""What an event of each type carries, in the shape before October 2025 (fat) and since then (slim)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from activity.archive.crowd import Crowd, Repository
from activity.archive.objects import API, WEB, Json, label, links, milestone, person, reactions, repository


class Shape(StrEnum):
    """How much GitHub tells in an event: everything, or since 2025-10-07 little of pushes and pull requests."""

    FAT = "fat"
    SLIM = "slim"


# How often each type comes, per thousand.
MIX = {
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


@dataclass(frozen=True)
class Maker:
    """Makes the payloads of an hour at one moment and place."""

    shape: Shape
    random: Random
    crowd: Crowd
    place: Repository
    at: str

    def payload(self, kind: str) -> Json:
        """Return what an event of this type carries."""
        return PAYLOADS[kind](self)

    @property
    def api(self) -> str:
        """Where the repository is in the API."""
        return f"{API}/repos/{self.place.name}"

    @property
    def web(self) -> str:
        """Where the repository is for people."""
        return f"{WEB}/{self.place.name}"

    def number(self, below: int = 9000) -> int:
        """Return a number from 1."""
        return self.random.randrange(1, below)

    def identity(self) -> int:
        """Return an id that GitHub could have given."""
        return self.random.randrange(1_000_000_000, 3_000_000_000)

    def someone(self) -> Json:
        """Return a person with all fields."""
        return person(*self.crowd.person())

    def home(self) -> Json:
        """Return the repository with all fields."""
        login = self.place.name.partition("/")[0]
        owner = person(login, self.place.id // 2)
        return repository(self.place.name, self.place.id, owner, self.at, self.crowd.words(8))


def _push(make: Maker) -> Json:
    head, before, number = make.crowd.sha(), make.crowd.sha(), make.random.getrandbits(34)
    ref = "refs/heads/main" if make.random.random() < 0.7 else f"refs/heads/topic-{make.number()}"
    if make.shape is Shape.SLIM:
        return {"repository_id": make.place.id, "push_id": number, "ref": ref, "head": head, "before": before}
    size = make.random.choice((1, 1, 1, 1, 1, 2, 2, 3, 6))
    commits = [_commit(make, head if place == size - 1 else make.crowd.sha()) for place in range(size)]
    return {
        "repository_id": make.place.id,
        "push_id": number,
        "size": size,
        "distinct_size": size,
        "ref": ref,
        "head": head,
        "before": before,
        "commits": commits,
    }


def _commit(make: Maker, sha: str) -> Json:
    login, number = make.crowd.person()
    return {
        "sha": sha,
        "author": {"email": f"{number}+{login}@users.noreply.github.com", "name": login},
        "message": make.crowd.words(make.random.choice((4, 8, 12, 30))),
        "distinct": True,
        "url": f"{make.api}/commits/{sha}",
    }


def _branch(make: Maker) -> Json:
    return {
        "ref": f"topic-{make.number()}",
        "ref_type": make.random.choice(("branch", "branch", "tag")),
        "master_branch": "main",
        "description": make.crowd.words(7),
        "pusher_type": "user",
    }


def _deleted(make: Maker) -> Json:
    return {"ref": f"topic-{make.number()}", "ref_type": "branch", "pusher_type": "user"}


def _started(_: Maker) -> Json:
    return {"action": "started"}


def _pull(make: Maker) -> Json:
    number = make.number()
    action = make.random.choice(("opened", "closed", "closed", "synchronize", "reopened"))
    return {"action": action, "number": number, "pull_request": _pull_request(make, number, action == "closed")}


def _pull_request(make: Maker, number: int, closed: bool = False) -> Json:
    url, web = f"{make.api}/pulls/{number}", f"{make.web}/pull/{number}"
    if make.shape is Shape.SLIM:
        return {
            "url": url,
            "id": make.identity(),
            "number": number,
            "head": _slim_tip(make, f"topic-{number}"),
            "base": _slim_tip(make, "main"),
        }
    author = make.someone()
    merged = closed and make.random.random() < 0.7
    assignees = [make.someone()] if make.random.random() < 0.15 else []
    reviewers = [make.someone() for _ in range(make.random.choice((0, 0, 0, 1, 2)))]
    planned = make.random.random() < 0.1
    return {
        "url": url,
        "id": make.identity(),
        "node_id": f"PR_kwDO{number:08X}",
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "issue_url": f"{make.api}/issues/{number}",
        "number": number,
        "state": "closed" if closed else "open",
        "locked": False,
        "title": make.crowd.words(7),
        "user": author,
        "body": make.crowd.words(make.random.choice((0, 30, 120, 500))) or None,
        "created_at": make.at,
        "updated_at": make.at,
        "closed_at": make.at if closed else None,
        "merged_at": make.at if merged else None,
        "merge_commit_sha": make.crowd.sha(),
        "assignee": assignees[0] if assignees else None,
        "assignees": assignees,
        "requested_reviewers": reviewers,
        "requested_teams": [],
        "labels": _labels(make),
        "milestone": milestone(make.place.name, make.identity(), author, make.at) if planned else None,
        "draft": False,
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{make.api}/pulls/comments{{/number}}",
        "comments_url": f"{make.api}/issues/{number}/comments",
        "statuses_url": f"{make.api}/statuses/{make.crowd.sha()}",
        "head": _tip(make, author, f"topic-{number}"),
        "base": _tip(make, person(make.place.name.partition("/")[0], make.place.id // 2), "main"),
        "_links": links(url, web),
        "author_association": "CONTRIBUTOR",
        "auto_merge": None,
        "active_lock_reason": None,
        "merged": merged,
        "mergeable": None if closed else True,
        "rebaseable": None,
        "mergeable_state": "unknown",
        "merged_by": make.someone() if merged else None,
        "comments": number % 5,
        "review_comments": number % 3,
        "maintainer_can_modify": False,
        "commits": 1 + number % 4,
        "additions": number,
        "deletions": number // 2,
        "changed_files": 1 + number % 9,
    }


def _tip(make: Maker, user: Json, ref: str) -> Json:
    return {"label": f"{user['login']}:{ref}", "ref": ref, "sha": make.crowd.sha(), "user": user, "repo": make.home()}


def _slim_tip(make: Maker, ref: str) -> Json:
    name = make.place.name.partition("/")[2]
    return {"ref": ref, "sha": make.crowd.sha(), "repo": {"id": make.place.id, "url": make.api, "name": name}}


def _labels(make: Maker) -> list[Json]:
    names = ("bug", "documentation", "size/XS", "lgtm", "dependencies", "good first issue")
    chosen = make.random.sample(range(len(names)), make.random.choice((0, 0, 0, 1, 2, 3)))
    return [label(make.place.name, 1_000_000 + number * 1009, names[number]) for number in chosen]


def _issue(make: Maker, closed: bool = False) -> Json:
    number = make.number()
    url = f"{make.api}/issues/{number}"
    assignees = [make.someone()] if make.random.random() < 0.2 else []
    return {
        "url": url,
        "repository_url": make.api,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": f"{make.web}/issues/{number}",
        "id": make.identity(),
        "node_id": f"I_kwDO{number:08X}",
        "number": number,
        "title": make.crowd.words(7),
        "user": make.someone(),
        "labels": _labels(make),
        "state": "closed" if closed else "open",
        "locked": False,
        "assignee": assignees[0] if assignees else None,
        "assignees": assignees,
        "milestone": None,
        "comments": number % 20,
        "created_at": make.at,
        "updated_at": make.at,
        "closed_at": make.at if closed else None,
        "author_association": "NONE",
        "active_lock_reason": None,
        "body": make.crowd.words(make.random.choice((20, 100, 300))),
        "reactions": reactions(url),
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": None,
        "state_reason": "completed" if closed else None,
    }


def _issues(make: Maker) -> Json:
    action = make.random.choice(("opened", "opened", "closed", "reopened"))
    return {"action": action, "issue": _issue(make, action == "closed")}


def _issue_comment(make: Maker) -> Json:
    issue, number = _issue(make), make.identity()
    url = f"{make.api}/issues/comments/{number}"
    return {
        "action": "created",
        "issue": issue,
        "comment": {
            "url": url,
            "html_url": f"{issue['html_url']}#issuecomment-{number}",
            "issue_url": issue["url"],
            "id": number,
            "node_id": f"IC_kwDO{number:08X}",
            "user": make.someone(),
            "created_at": make.at,
            "updated_at": make.at,
            "author_association": "MEMBER",
            "body": make.crowd.words(make.random.choice((5, 40, 150, 300))),
            "reactions": reactions(url),
            "performed_via_github_app": None,
        },
    }


def _review(make: Maker) -> Json:
    pull, number = _pull_request(make, make.number()), make.identity()
    return {
        "action": "created",
        "review": {
            "id": number,
            "node_id": f"PRR_kwDO{number:08X}",
            "user": make.someone(),
            "body": make.crowd.words(make.random.choice((0, 0, 20))) or None,
            "commit_id": make.crowd.sha(),
            "submitted_at": make.at,
            "state": make.random.choice(("approved", "commented", "changes_requested")),
            "html_url": f"{make.web}/pull/{pull['number']}#pullrequestreview-{number}",
            "pull_request_url": pull["url"],
            "author_association": "MEMBER",
            "_links": {"html": {"href": make.web}, "pull_request": {"href": pull["url"]}},
        },
        "pull_request": pull,
    }


def _review_comment(make: Maker) -> Json:
    pull, number = _pull_request(make, make.number()), make.identity()
    url = f"{make.api}/pulls/comments/{number}"
    return {
        "action": "created",
        "comment": {
            "url": url,
            "pull_request_review_id": make.identity(),
            "id": number,
            "node_id": f"PRRC_kwDO{number:08X}",
            "diff_hunk": f"@@ -{number % 90},7 +{number % 90},7 @@ {make.crowd.words(60)}",
            "path": f"{make.crowd.words(1)}/{make.crowd.words(1)}.py",
            "position": number % 50,
            "original_position": number % 50,
            "commit_id": make.crowd.sha(),
            "original_commit_id": make.crowd.sha(),
            "user": make.someone(),
            "body": make.crowd.words(25),
            "created_at": make.at,
            "updated_at": make.at,
            "html_url": f"{make.web}/pull/{pull['number']}#discussion_r{number}",
            "pull_request_url": pull["url"],
            "author_association": "MEMBER",
            "_links": {"self": {"href": url}, "html": {"href": make.web}, "pull_request": {"href": pull["url"]}},
            "reactions": reactions(url),
            "start_line": None,
            "line": number % 400,
            "side": "RIGHT",
        },
        "pull_request": pull,
    }


def _fork(make: Maker) -> Json:
    login, number = make.crowd.person()
    name = f"{login}/{make.place.name.partition('/')[2]}"
    made = repository(name, make.identity(), person(login, number), make.at, make.crowd.words(8))
    return {"forkee": {**made, "fork": True, "public": True}}


def _release(make: Maker) -> Json:
    number, tag = make.identity(), f"v{make.number(30)}.{make.number(20)}.{make.number(20)}"
    author = make.someone()
    assets = [_asset(make, author, tag) for _ in range(make.random.choice((0, 1, 3, 5)))]
    return {
        "action": "published",
        "release": {
            "url": f"{make.api}/releases/{number}",
            "assets_url": f"{make.api}/releases/{number}/assets",
            "upload_url": f"https://uploads.github.com/repos/{make.place.name}/releases/{number}/assets{{?name,label}}",
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
            "body": make.crowd.words(250),
            "short_description_html": "",
            "is_short_description_html_truncated": False,
        },
    }


def _asset(make: Maker, uploader: Json, tag: str) -> Json:
    number, name = make.identity(), f"{make.crowd.words(1).strip()}-{tag}.tar.gz"
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


def _pages(make: Maker) -> Json:
    name = make.crowd.words(1).strip()
    page = {"page_name": name, "title": name, "summary": None, "action": "edited", "sha": make.crowd.sha()}
    return {"pages": [{**page, "html_url": f"{make.web}/wiki/{name}"}]}


def _member(make: Maker) -> Json:
    return {"member": make.someone(), "action": "added"}


def _commit_comment(make: Maker) -> Json:
    number = make.identity()
    url = f"{make.api}/comments/{number}"
    return {
        "action": "created",
        "comment": {
            "url": url,
            "html_url": f"{make.web}/commit/{make.crowd.sha()}#commitcomment-{number}",
            "id": number,
            "node_id": f"CC_kwDO{number:08X}",
            "user": make.someone(),
            "position": None,
            "line": None,
            "path": None,
            "commit_id": make.crowd.sha(),
            "created_at": make.at,
            "updated_at": make.at,
            "author_association": "NONE",
            "body": make.crowd.words(40),
            "reactions": reactions(url),
        },
    }


def _public(_: Maker) -> Json:
    return {}


PAYLOADS: dict[str, Callable[[Maker], Json]] = {
    "PushEvent": _push,
    "CreateEvent": _branch,
    "PullRequestEvent": _pull,
    "WatchEvent": _started,
    "IssueCommentEvent": _issue_comment,
    "DeleteEvent": _deleted,
    "IssuesEvent": _issues,
    "PullRequestReviewEvent": _review,
    "ForkEvent": _fork,
    "PullRequestReviewCommentEvent": _review_comment,
    "ReleaseEvent": _release,
    "GollumEvent": _pages,
    "MemberEvent": _member,
    "CommitCommentEvent": _commit_comment,
    "PublicEvent": _public,
}
