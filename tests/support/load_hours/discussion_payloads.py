"""The payloads of events about issues and pull requests, their reviews and comments."""

from activity.archive.simulate.events import Json

from tests.support.load_hours.event_factory import EventFactory, Shape
from tests.support.load_hours.github_objects import label, links, milestone, person, reactions


def pulls(make: EventFactory) -> Json:
    """Return a pull request that is opened, closed, reopened, or has new commits."""
    number = make.number()
    action = make.random.choice(("opened", "closed", "closed", "synchronize", "reopened"))
    return {"action": action, "number": number, "pull_request": _pull_request(make, number, action == "closed")}


def reviews(make: EventFactory) -> Json:
    """Return a review of a pull request."""
    pull, number = _pull_request(make, make.number()), make.object_id()
    return {
        "action": "created",
        "review": {
            "id": number,
            "node_id": f"PRR_kwDO{number:08X}",
            "user": make.person(),
            "body": make.population.words(make.random.choice((0, 0, 20))) or None,
            "commit_id": make.population.sha(),
            "submitted_at": make.at,
            "state": make.random.choice(("approved", "commented", "changes_requested")),
            "html_url": f"{make.web}/pull/{pull['number']}#pullrequestreview-{number}",
            "pull_request_url": pull["url"],
            "author_association": "MEMBER",
            "_links": {"html": {"href": make.web}, "pull_request": {"href": pull["url"]}},
        },
        "pull_request": pull,
    }


def review_comments(make: EventFactory) -> Json:
    """Return a comment on a line of a pull request."""
    pull, number = _pull_request(make, make.number()), make.object_id()
    url = f"{make.api}/pulls/comments/{number}"
    return {
        "action": "created",
        "comment": {
            "url": url,
            "pull_request_review_id": make.object_id(),
            "id": number,
            "node_id": f"PRRC_kwDO{number:08X}",
            "diff_hunk": f"@@ -{number % 90},7 +{number % 90},7 @@ {make.population.words(60)}",
            "path": f"{make.population.words(1)}/{make.population.words(1)}.py",
            "position": number % 50,
            "original_position": number % 50,
            "commit_id": make.population.sha(),
            "original_commit_id": make.population.sha(),
            "user": make.person(),
            "body": make.population.words(25),
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


def issues(make: EventFactory) -> Json:
    """Return an issue that is opened, closed or reopened."""
    action = make.random.choice(("opened", "opened", "closed", "reopened"))
    return {"action": action, "issue": _issue(make, action == "closed")}


def issue_comments(make: EventFactory) -> Json:
    """Return a comment on an issue."""
    issue, number = _issue(make), make.object_id()
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
            "user": make.person(),
            "created_at": make.at,
            "updated_at": make.at,
            "author_association": "MEMBER",
            "body": make.population.words(make.random.choice((5, 40, 150, 300))),
            "reactions": reactions(url),
            "performed_via_github_app": None,
        },
    }


def _pull_request(make: EventFactory, number: int, closed: bool = False) -> Json:
    url, web = f"{make.api}/pulls/{number}", f"{make.web}/pull/{number}"
    if make.shape is Shape.SLIM:
        return {
            "url": url,
            "id": make.object_id(),
            "number": number,
            "head": _slim_tip(make, f"topic-{number}"),
            "base": _slim_tip(make, "main"),
        }
    author = make.person()
    merged = closed and make.random.random() < 0.7
    assignees = [make.person()] if make.random.random() < 0.15 else []
    reviewers = [make.person() for _ in range(make.random.choice((0, 0, 0, 1, 2)))]
    planned = make.random.random() < 0.1
    return {
        "url": url,
        "id": make.object_id(),
        "node_id": f"PR_kwDO{number:08X}",
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "issue_url": f"{make.api}/issues/{number}",
        "number": number,
        "state": "closed" if closed else "open",
        "locked": False,
        "title": make.population.words(7),
        "user": author,
        "body": make.population.words(make.random.choice((0, 30, 120, 500))) or None,
        "created_at": make.at,
        "updated_at": make.at,
        "closed_at": make.at if closed else None,
        "merged_at": make.at if merged else None,
        "merge_commit_sha": make.population.sha(),
        "assignee": assignees[0] if assignees else None,
        "assignees": assignees,
        "requested_reviewers": reviewers,
        "requested_teams": [],
        "labels": _labels(make),
        "milestone": milestone(make.repository.name, make.object_id(), author, make.at) if planned else None,
        "draft": False,
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{make.api}/pulls/comments{{/number}}",
        "comments_url": f"{make.api}/issues/{number}/comments",
        "statuses_url": f"{make.api}/statuses/{make.population.sha()}",
        "head": _tip(make, author, f"topic-{number}"),
        "base": _tip(make, person(make.repository.name.partition("/")[0], make.repository.id // 2), "main"),
        "_links": links(url, web),
        "author_association": "CONTRIBUTOR",
        "auto_merge": None,
        "active_lock_reason": None,
        "merged": merged,
        "mergeable": None if closed else True,
        "rebaseable": None,
        "mergeable_state": "unknown",
        "merged_by": make.person() if merged else None,
        "comments": number % 5,
        "review_comments": number % 3,
        "maintainer_can_modify": False,
        "commits": 1 + number % 4,
        "additions": number,
        "deletions": number // 2,
        "changed_files": 1 + number % 9,
    }


def _tip(make: EventFactory, user: Json, ref: str) -> Json:
    return {
        "label": f"{user['login']}:{ref}",
        "ref": ref,
        "sha": make.population.sha(),
        "user": user,
        "repo": make.full_repository(),
    }


def _slim_tip(make: EventFactory, ref: str) -> Json:
    name = make.repository.name.partition("/")[2]
    return {"ref": ref, "sha": make.population.sha(), "repo": {"id": make.repository.id, "url": make.api, "name": name}}


def _issue(make: EventFactory, closed: bool = False) -> Json:
    number = make.number()
    url = f"{make.api}/issues/{number}"
    assignees = [make.person()] if make.random.random() < 0.2 else []
    return {
        "url": url,
        "repository_url": make.api,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": f"{make.web}/issues/{number}",
        "id": make.object_id(),
        "node_id": f"I_kwDO{number:08X}",
        "number": number,
        "title": make.population.words(7),
        "user": make.person(),
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
        "body": make.population.words(make.random.choice((20, 100, 300))),
        "reactions": reactions(url),
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": None,
        "state_reason": "completed" if closed else None,
    }


def _labels(make: EventFactory) -> list[Json]:
    names = ("bug", "documentation", "size/XS", "lgtm", "dependencies", "good first issue")
    chosen = make.random.sample(range(len(names)), make.random.choice((0, 0, 0, 1, 2, 3)))
    return [label(make.repository.name, 1_000_000 + number * 1009, names[number]) for number in chosen]
