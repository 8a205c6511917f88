"""Objects of GitHub with all the fields that the archive had before October 2025, in GitHub's order."""

from activity.archive.simulate.events import API, Json

WEB = "https://github.com"
AVATARS = "https://avatars.githubusercontent.com/u"
PERSON_LINKS = (
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
)
REPOSITORY_LINKS = (
    ("forks_url", "/forks"),
    ("keys_url", "/keys{/key_id}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("teams_url", "/teams"),
    ("hooks_url", "/hooks"),
    ("issue_events_url", "/issues/events{/number}"),
    ("events_url", "/events"),
    ("assignees_url", "/assignees{/user}"),
    ("branches_url", "/branches{/branch}"),
    ("tags_url", "/tags"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("trees_url", "/git/trees{/sha}"),
    ("statuses_url", "/statuses/{sha}"),
    ("languages_url", "/languages"),
    ("stargazers_url", "/stargazers"),
    ("contributors_url", "/contributors"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("commits_url", "/commits{/sha}"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("comments_url", "/comments{/number}"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("contents_url", "/contents/{+path}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("merges_url", "/merges"),
    ("archive_url", "/{archive_format}{/ref}"),
    ("downloads_url", "/downloads"),
    ("issues_url", "/issues{/number}"),
    ("pulls_url", "/pulls{/number}"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("labels_url", "/labels{/name}"),
    ("releases_url", "/releases{/id}"),
    ("deployments_url", "/deployments"),
)


def actor(login: str, object_id: int) -> Json:
    """Return the actor of an event."""
    return {
        "id": object_id,
        "login": login,
        "display_login": login,
        "gravatar_id": "",
        "url": f"{API}/users/{login}",
        "avatar_url": f"{AVATARS}/{object_id}?",
    }


def organisation(login: str, object_id: int) -> Json:
    """Return the organisation of an event."""
    return {
        "id": object_id,
        "login": login,
        "gravatar_id": "",
        "url": f"{API}/orgs/{login}",
        "avatar_url": f"{AVATARS}/{object_id}?",
    }


def person(login: str, object_id: int) -> Json:
    """Return a person or an organisation with all 18 fields."""
    return {
        "login": login,
        "id": object_id,
        "node_id": f"U_kgDO{object_id:08X}",
        "avatar_url": f"{AVATARS}/{object_id}?v=4",
        "gravatar_id": "",
        "url": f"{API}/users/{login}",
        "html_url": f"{WEB}/{login}",
        **{key: f"{API}/users/{login}{end}" for key, end in PERSON_LINKS},
        "type": "User",
        "site_admin": False,
    }


def repository(name: str, object_id: int, owner: Json, at: str, words: str) -> Json:
    """Return a repository with all its fields; `words` describe it."""
    return {
        "id": object_id,
        "node_id": f"R_kgDO{object_id:08X}",
        "name": name.partition("/")[2],
        "full_name": name,
        "private": False,
        "owner": owner,
        "html_url": f"{WEB}/{name}",
        "description": words,
        "fork": False,
        "url": f"{API}/repos/{name}",
        **{key: f"{API}/repos/{name}{end}" for key, end in REPOSITORY_LINKS},
        "created_at": at,
        "updated_at": at,
        "pushed_at": at,
        "git_url": f"git://github.com/{name}.git",
        "ssh_url": f"git@github.com:{name}.git",
        "clone_url": f"{WEB}/{name}.git",
        "svn_url": f"{WEB}/{name}",
        "homepage": None,
        "size": object_id % 100_000,
        "stargazers_count": object_id % 5_000,
        "watchers_count": object_id % 5_000,
        "language": "Python",
        "has_issues": True,
        "has_projects": True,
        "has_downloads": True,
        "has_wiki": object_id % 2 == 0,
        "has_pages": False,
        "forks_count": object_id % 300,
        "mirror_url": None,
        "archived": False,
        "disabled": False,
        "open_issues_count": object_id % 90,
        "license": {
            "key": "apache-2.0",
            "name": "Apache License 2.0",
            "spdx_id": "Apache-2.0",
            "url": f"{API}/licenses/apache-2.0",
            "node_id": "MDc6TGljZW5zZTI=",
        },
        "allow_forking": True,
        "is_template": False,
        "topics": [],
        "visibility": "public",
        "forks": object_id % 300,
        "open_issues": object_id % 90,
        "watchers": object_id % 5_000,
        "default_branch": "main",
    }


def label(repository: str, object_id: int, name: str) -> Json:
    """Return a label of a repository."""
    return {
        "id": object_id,
        "node_id": f"LA_kwDO{object_id:08X}",
        "url": f"{API}/repos/{repository}/labels/{name}",
        "name": name,
        "color": f"{object_id % 0xFFFFFF:06x}",
        "default": False,
        "description": None,
    }


def milestone(repository: str, object_id: int, creator: Json, at: str) -> Json:
    """Return a milestone of a repository."""
    number = object_id % 40
    return {
        "url": f"{API}/repos/{repository}/milestones/{number}",
        "html_url": f"{WEB}/{repository}/milestone/{number}",
        "labels_url": f"{API}/repos/{repository}/milestones/{number}/labels",
        "id": object_id,
        "node_id": f"MI_kwDO{object_id:08X}",
        "number": number,
        "title": f"v{number // 10}.{number % 10}",
        "description": "",
        "creator": creator,
        "open_issues": number,
        "closed_issues": number * 2,
        "state": "open",
        "created_at": at,
        "updated_at": at,
        "due_on": None,
        "closed_at": None,
    }


def reactions(url: str) -> Json:
    """Return the reactions to something, none of them used."""
    names = ("total_count", "+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": f"{url}/reactions", **dict.fromkeys(names, 0)}


def links(api: str, web: str) -> Json:
    """Return the _links of a pull request."""
    issue = api.replace("/pulls/", "/issues/")
    found = {
        "self": api,
        "html": web,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{api}/comments",
        "review_comment": f"{api.rpartition('/')[0]}/comments{{/number}}",
        "commits": f"{api}/commits",
        "statuses": f"{api.rpartition('/pulls/')[0]}/statuses",
    }
    return {name: {"href": url} for name, url in found.items()}
