"""The table of each class of rows, and its key."""

from typing import Any

from activity.archive.rows.branches import Branch, Forkee
from activity.archive.rows.comments import Comment, Review
from activity.archive.rows.issues import Issue, IssueAssignee, IssueLabel, Label
from activity.archive.rows.milestones import Milestone
from activity.archive.rows.pull_requests import PullAssignee, PullRequest, RequestedReviewer
from activity.archive.rows.pushes import Commit, CommitRole, MissingCommits
from activity.archive.rows.records import Actor, Event, Org, Origin, Payload, Repo
from activity.archive.rows.releases import Asset, Release, ReleaseAsset
from activity.archive.rows.teams import Team, TeamRepository
from activity.archive.rows.texts import Text
from activity.archive.rows.wiki_pages import Page
from activity.database.bulk_copy import Table

KEYS: dict[type[Any], tuple[str, tuple[str, ...]]] = {
    Event: ("gha_events", ("id",)),
    Origin: ("event_origins", ("event_id",)),
    Payload: ("gha_payloads", ("event_id",)),
    Commit: ("gha_commits", ("sha", "event_id")),
    CommitRole: ("gha_commits_roles", ("sha", "event_id", "role", "actor_email")),
    MissingCommits: ("missing_commits", ("event_id",)),
    Page: ("gha_pages", ("sha", "event_id", "action", "title")),
    Comment: ("gha_comments", ("id", "event_id")),
    Issue: ("gha_issues", ("id", "event_id")),
    IssueAssignee: ("gha_issues_assignees", ("issue_id", "event_id", "assignee_id")),
    IssueLabel: ("gha_issues_labels", ("issue_id", "event_id", "label_id")),
    Milestone: ("gha_milestones", ("id", "event_id")),
    Forkee: ("gha_forkees", ("id", "event_id")),
    Release: ("gha_releases", ("id", "event_id")),
    Asset: ("gha_assets", ("id", "event_id")),
    ReleaseAsset: ("gha_releases_assets", ("release_id", "event_id", "asset_id")),
    Branch: ("gha_branches", ("sha", "event_id")),
    PullRequest: ("gha_pull_requests", ("id", "event_id")),
    PullAssignee: ("gha_pull_requests_assignees", ("pull_request_id", "event_id", "assignee_id")),
    RequestedReviewer: (
        "gha_pull_requests_requested_reviewers",
        ("pull_request_id", "event_id", "requested_reviewer_id"),
    ),
    Review: ("gha_reviews", ("id", "event_id")),
    Team: ("gha_teams", ("id", "event_id")),
    TeamRepository: ("gha_teams_repositories", ("team_id", "event_id", "repository_id")),
    Text: ("gha_texts", ("event_id", "body", "created_at")),
    Actor: ("gha_actors", ("id", "login")),
    Label: ("gha_labels", ("id",)),
    Org: ("gha_orgs", ("id",)),
    Repo: ("gha_repos", ("id", "name")),
}

TABLES = {kind: Table(name, kind._fields, key) for kind, (name, key) in KEYS.items()}
