"""Everyone whom an event names, wherever in it: the rows of gha_actors."""

from collections.abc import Iterator

from activity.archive.fields import Fields


def people_of(top: Fields) -> Iterator[Fields]:
    """Yield the actor first, then everyone in the payload; the same person may come more than once."""
    payload = top.inner("payload")
    yield top.inner("actor")
    yield from _present(payload.optional("member"))
    for key in ("comment", "review"):
        yield from _required_user(payload.optional(key), "user")
    yield from _of_issue(payload.optional("issue"))
    yield from _required_user(payload.optional("forkee"), "owner")
    yield from _of_release(payload.optional("release"))
    yield from _of_pull_request(payload.optional("pull_request"))


def _of_issue(issue: Fields | None) -> Iterator[Fields]:
    if issue is None:
        return
    yield issue.inner("user")
    yield from _present(issue.optional("assignee"))
    yield from _of_milestone(issue)
    yield from issue.each("assignees")


def _of_release(release: Fields | None) -> Iterator[Fields]:
    if release is None:
        return
    yield release.inner("author")
    for asset in release.each("assets"):
        yield asset.inner("uploader")


def _of_pull_request(pull: Fields | None) -> Iterator[Fields]:
    if pull is None:
        return
    yield pull.inner("user")
    yield from _of_branches(pull.inner("base"), pull.inner("head"))
    for key in ("merged_by", "assignee"):
        yield from _present(pull.optional(key))
    yield from _of_milestone(pull)
    yield from pull.each("assignees")
    yield from pull.each("requested_reviewers")


def _of_branches(base: Fields, head: Fields) -> Iterator[Fields]:
    """As DevStats: a head at the same commit as its base is passed over, and so is a repository named twice."""
    yield from _present(base.optional("user"))
    yield from _required_user(base.optional("repo"), "owner")
    if base.text("sha", 40) == head.text("sha", 40):
        return
    yield from _present(head.optional("user"))
    if head.id_of("repo") != base.id_of("repo") or base.id_of("repo") is None:
        yield from _required_user(head.optional("repo"), "owner")


def _of_milestone(owner: Fields) -> Iterator[Fields]:
    milestone = owner.optional("milestone")
    if milestone is not None:
        yield from _present(milestone.optional("creator"))


def _required_user(thing: Fields | None, key: str) -> Iterator[Fields]:
    if thing is not None:
        yield thing.inner(key)


def _present(person: Fields | None) -> Iterator[Fields]:
    if person is not None:
        yield person
