"""What events about issues and pull requests carry: these, their reviews, and comments on them."""

from activity.archive.simulate.event_factory import Maker, Shape
from activity.archive.simulate.github_objects import Json, label, links, milestone, person, reactions


def pulls(make: Maker) -> Json:
    """A pull request is opened, closed, reopened, or has new commits."""
    number = make.number()
    action = make.random.choice(("opened", "closed", "closed", "synchronize", "reopened"))
    return {"action": action, "number": number, "pull_request": _pull_request(make, number, action == "closed")}


def reviews(make: Maker) -> Json:
    """Somebody reviews a pull request."""
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


def review_comments(make: Maker) -> Json:
    """Somebody comments on a line of a pull request."""
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


def issues(make: Maker) -> Json:
    """An issue is opened, closed or reopened."""
    action = make.random.choice(("opened", "opened", "closed", "reopened"))
    return {"action": action, "issue": _issue(make, action == "closed")}


def issue_comments(make: Maker) -> Json:
    """Somebody comments on an issue."""
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


def _labels(make: Maker) -> list[Json]:
    names = ("bug", "documentation", "size/XS", "lgtm", "dependencies", "good first issue")
    chosen = make.random.sample(range(len(names)), make.random.choice((0, 0, 0, 1, 2, 3)))
    return [label(make.place.name, 1_000_000 + number * 1009, names[number]) for number in chosen]
