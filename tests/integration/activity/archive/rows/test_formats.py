"""Events of every type and year become rows in every table that they touch; the values are read off the samples."""

import gzip
import json
from collections import Counter
from datetime import datetime

import pytest
from activity.archive.rows.event_ids import RESTARTED, devstats_hash

EVERYTHING = ["*"]
OLD, NEWER, NEWEST = "2014-06-10-19", "2022-04-06-17", "2025-11-01-10"
TYPES_OF_2022 = 15


def sample(shared_data, name):
    text = gzip.decompress((shared_data / "gharchive" / name).read_bytes())
    return json.loads(text) if text.startswith(b"[") else [json.loads(line) for line in text.splitlines()]


def write(folder, hour, events):
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    (folder / f"{hour}.json.gz").write_bytes(gzip.compress(lines))


def read(platform, archive, hour, events):
    write(archive.folder, hour, events)
    platform.follow_projects({"all": EVERYTHING}, start="2011-02-12")
    done = platform.ingest(hour, hour)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def of_2022(platform, web_archive, shared_data):
    read(platform, web_archive, NEWER, sample(shared_data, "2022-04-06.sample.json.gz"))
    return platform


def test_every_type_of_2022_is_loaded(of_2022, shared_data):
    expected = Counter(event["type"] for event in sample(shared_data, "2022-04-06.sample.json.gz"))
    types = dict(of_2022.rows("all", "select type, count(*) from gha_events group by type"))
    assert types == expected
    assert len(types) == TYPES_OF_2022
    assert of_2022.counts("all")["gha_payloads"] == 22


def test_a_review_says_who_said_what_about_which_commit(of_2022):
    assert of_2022.rows(
        "all",
        "select event_id, user_id, dup_user_login, commit_id, submitted_at, author_association, state, body, "
        "dup_actor_login, dup_repo_name, dup_type, dup_created_at from gha_reviews where id = 933836463",
    ) == [
        (
            21148417383,
            49207409,
            "tomastigera",
            "251189ba611134a7ef702a0ae563854a63ffb07f",
            datetime(2022, 4, 6, 17, 27, 39),
            "CONTRIBUTOR",
            "commented",
            "LGTM, but I have one question",
            "tomastigera",
            "projectcalico/calico",
            "PullRequestReviewEvent",
            datetime(2022, 4, 6, 17, 27, 40),
        )
    ]
    assert of_2022.rows("all", "select body, created_at from gha_texts where body like 'LGTM, but%'") == [
        ("LGTM, but I have one question", datetime(2022, 4, 6, 17, 27, 39))
    ]
    assert of_2022.rows("all", "select dup_user_login, title from gha_pull_requests where id = 900858045") == [
        ("mazdakn", "felix/bpf: Control IPIP behaviour using Global variables")
    ]


def test_a_release_has_its_files(of_2022):
    assert of_2022.rows(
        "all",
        "select event_id, tag_name, target_commitish, name, draft, author_id, prerelease, published_at, "
        "dup_author_login from gha_releases where id = 63777287",
    ) == [
        (21148369170, "v0.2.1", "main", "v0.2.1", False, 7349341, False, datetime(2022, 4, 6, 17, 24, 52), "joe-bell")
    ]
    assert of_2022.rows(
        "all",
        "select name, label, content_type, state, size, download_count, dup_uploader_login "
        "from gha_assets where id = 61749357",
    ) == [("soos.py", "", "application/octet-stream", "uploaded", 65108, 0, "github-actions[bot]")]
    assert of_2022.rows("all", "select count(*) from gha_releases_assets where release_id = 63779993") == [(4,)]


def test_a_fork_shows_the_new_repository(of_2022):
    assert of_2022.rows(
        "all",
        "select id, name, full_name, owner_id, updated_at, stargazers_count, dup_repo_name "
        "from gha_forkees where event_id = 21149008983",
    ) == [
        (
            478671349,
            "website-1",
            "mac-chaffee/website-1",
            7581860,
            datetime(2022, 3, 30, 13, 8, 41),
            0,
            "goharbor/website",
        )
    ]
    assert of_2022.rows("all", "select forkee_id from gha_payloads where event_id = 21149008983") == [(478671349,)]


def test_comments_know_their_place(of_2022):
    assert of_2022.rows(
        "all",
        "select path, position, line, pull_request_review_id, original_commit_id, dup_type "
        "from gha_comments where id in (844189567, 70637648) order by id",
    ) == [
        (None, None, None, None, None, "CommitCommentEvent"),
        (
            "charts/newrelic-infrastructure/values.yaml",
            137,
            425,
            933748000,
            "d58adc600ad6c71629a0d61a45c79cdbf220a57e",
            "PullRequestReviewCommentEvent",
        ),
    ]


def test_an_issue_has_its_labels_and_one_that_is_a_pull_request_says_so(of_2022):
    assert of_2022.rows(
        "all",
        "select number, is_pull_request, comments, assignee_id from gha_issues "
        "where id in (1194861766, 1193693009) order by number",
    ) == [(2009, True, 0, None), (9597, False, 24, 19672699)]
    assert of_2022.rows("all", "select id, color, is_default from gha_labels where id = 2339520244") == [
        (2339520244, "000000", True)
    ]
    labels = (
        "select label_id, label_name, actor_login from gha_issues_events_labels where issue_id = 1193693009 order by 1"
    )
    assert of_2022.rows("all", labels) == [(2339520244, "bug", "rchiodo"), (3153690172, "needs-triage", "rchiodo")]


def test_pages_and_members_are_kept(of_2022):
    assert of_2022.rows("all", "select action, left(title, 20), sha, dup_actor_login from gha_pages") == [
        ("edited", "Acceptance Test 4.11", "2a8a23e836688747a0ff601c42a0648678ea5fb6", "sapirani")
    ]
    assert of_2022.rows("all", "select member_id from gha_payloads where member_id is not null") == [(100944057,)]
    assert of_2022.rows("all", "select login from gha_actors where id = 100944057") == [("calebandra",)]


def test_every_event_of_2019_is_loaded(platform, web_archive, shared_data):
    events = sample(shared_data, "2019-11-27-3.first100.json.gz")
    read(platform, web_archive, "2019-11-27-3", events)
    assert platform.events("all") == 100
    pushed = [commit["sha"] for event in events for commit in event["payload"].get("commits", ())]
    assert platform.counts("all")["gha_commits"] == len(pushed) > 0


@pytest.fixture
def of_2014(platform, web_archive, shared_data):
    read(platform, web_archive, OLD, sample(shared_data, "pre-2015.sample.json.gz"))
    return platform


def test_every_type_of_before_2015_is_loaded_under_negative_ids(of_2014, shared_data):
    expected = Counter(event["type"] for event in sample(shared_data, "pre-2015.sample.json.gz"))
    assert dict(of_2014.rows("all", "select type, count(*) from gha_events group by type")) == expected
    assert len(expected) == 15
    assert of_2014.rows("all", "select count(*) from gha_events where id >= 0") == [(0,)]
    assert of_2014.rows("all", "select count(*) from event_origins where digest is null") == [(0,)]


def test_an_event_of_before_2015_keeps_its_wall_clock_and_bare_names(of_2014):
    assert of_2014.rows(
        "all",
        "select id, actor_id, repo_id, created_at, org_id, dup_repo_name from gha_events "
        "where dup_actor_login = 'dirtyhub'",
    ) == [
        (
            devstats_hash("WatchEventdirtyhubandroid_guides2014-06-10 19:16:27"),
            devstats_hash("dirtyhub"),
            10788737,
            datetime(2014, 6, 10, 19, 16, 27),
            devstats_hash("thecodepath"),
            "android_guides",
        )
    ]
    assert of_2014.rows(
        "all",
        "select name, full_name, owner_id, updated_at, stargazers_count, forks, open_issues, watchers "
        "from gha_forkees where id = 10788737",
    ) == [
        (
            "android_guides",
            "android_guides",
            devstats_hash("thecodepath"),
            datetime(2013, 6, 19, 3, 24, 45),
            2892,
            356,
            23,
            2892,
        )
    ]
    assert of_2014.rows("all", "select org_login from gha_repos where id = 10788737") == [("thecodepath",)]


def test_teams_issues_comments_and_commits_of_before_2015_are_kept(of_2014):
    assert of_2014.rows("all", "select id, name, slug, permission, dup_actor_login from gha_teams") == [
        (866260, "Codey.io", "codey-io", "push", "mistengine")
    ]
    assert of_2014.rows("all", "select team_id, repository_id from gha_teams_repositories") == [(866260, 20705736)]
    ids = "select issue_id, comment_id, number, commit from gha_payloads where dup_actor_login = any(%s)"
    assert set(of_2014.rows("all", ids, [["sorah", "thomanil", "K-Be"]])) == {
        (35445651, 45695799, None, None),
        (35446439, None, 9, None),
        (None, 6626710, None, "08c5c312ee05d30bcf38e4135bed08460b8c314e"),
    }
    commits = "select author_name, is_distinct, left(message, 27) from gha_commits where sha = %s"
    assert of_2014.rows("all", commits, ["70acc16097509630601e6770f8cea55b95628cea"]) == [
        ("Jenkins", True, "Updated openstack/openstack")
    ]


def test_a_pull_request_of_before_2015_has_an_issue_made_up_for_it(of_2014):
    made = (
        "select issue.number, issue.title = pull.title, issue.is_pull_request, issue.event_id = pull.event_id "
        "from gha_issues issue join gha_pull_requests pull on pull.id = -issue.id and pull.event_id = issue.event_id "
        "where issue.dup_repo_name = 'partner'"
    )
    assert of_2014.rows("all", made) == [(1, True, True, True)]
    pairs = "select issue_id = -pull_request_id from gha_issues_pull_requests where repo_name = 'partner'"
    assert of_2014.rows("all", pairs) == [(True,)]


def test_names_of_before_2015_mean_accounts_that_are_known_by_then(platform, web_archive, shared_data):
    known = {
        "id": "1",
        "type": "WatchEvent",
        "actor": {"id": 77, "login": "dirtyhub"},
        "repo": {"id": 5, "name": "some/thing"},
        "org": {"id": 88, "login": "thecodepath"},
        "payload": {},
        "created_at": "2015-01-01T00:00:00Z",
    }
    read(platform, web_archive, "2015-01-01-0", [known])
    read(platform, web_archive, OLD, sample(shared_data, "pre-2015.sample.json.gz"))
    assert platform.rows(
        "all", "select actor_id, org_id from gha_events where dup_actor_login = 'dirtyhub' and id < 0"
    ) == [(77, 88)]
    assert platform.rows("all", "select id from gha_orgs where login = 'thecodepath'") == [(88,)]


def test_two_events_of_before_2015_in_one_second_are_both_kept_and_one_twice_is_one(platform, web_archive, shared_data):
    first = next(
        event for event in sample(shared_data, "pre-2015.sample.json.gz") if event["type"] == "IssueCommentEvent"
    )
    second = {**first, "payload": {"comment_id": 7, "issue_id": 8}}
    read(platform, web_archive, OLD, [first, second, first])
    comments = "select comment_id from gha_payloads join gha_events on id = event_id where event_id < 0 order by 1"
    assert platform.rows("all", comments) == [(7,), (45695799,)]
    before = platform.checksum("all")

    write(web_archive.folder, OLD, [second, first])
    again = platform.run("ingest", "--from", OLD, "--to", OLD, "--force")

    assert again.returncode == 0, again.stderr
    assert platform.events("all") == 2
    assert platform.rows("all", comments) == [(7,), (45695799,)]
    assert platform.checksum("all") == before


def test_pushes_since_october_2025_are_kept_and_their_commits_noted_as_missing(platform, web_archive, shared_data):
    events = sample(shared_data, "push_events_after_oct_2025.json.gz")
    read(platform, web_archive, NEWEST, events)
    assert platform.events("all") == len(events) == 13
    assert platform.rows(
        "all",
        "select event.id, origin.original_id, missing.repo_name, missing.ref, missing.befor, missing.head, "
        "missing.expected, missing.held, missing.filled_at from gha_events as event "
        "join event_origins as origin on origin.event_id = event.id "
        "join missing_commits as missing on missing.event_id = event.id order by event.id",
    ) == [
        (
            RESTARTED + int(event["id"]),
            int(event["id"]),
            event["repo"]["name"],
            event["payload"]["ref"],
            event["payload"]["before"],
            event["payload"]["head"],
            None,
            0,
            None,
        )
        for event in sorted(events, key=lambda event: int(event["id"]))
    ]


@pytest.mark.parametrize("hours", [("2017-04-19-10", NEWEST), (NEWEST, "2017-04-19-10")])
def test_ids_that_github_gives_again_lose_no_event_in_any_order_of_hours(platform, web_archive, shared_data, hours):
    newest = sample(shared_data, "push_events_after_oct_2025.json.gz")
    earlier = [{**event, "created_at": "2017-04-19T10:00:00Z", "type": "WatchEvent", "payload": {}} for event in newest]
    both = {NEWEST: newest, "2017-04-19-10": earlier}
    for hour in hours:
        read(platform, web_archive, hour, both[hour])
    ids = sorted(int(event["id"]) for event in newest)
    stored = platform.rows("all", "select id, type from gha_events order by id")
    assert stored == [(i, "WatchEvent") for i in ids] + [(RESTARTED + i, "PushEvent") for i in ids]
    assert platform.counts("all")["gha_payloads"] == 26


def test_events_that_devstats_itself_stored_since_october_2025_are_not_stored_again(platform, web_archive, shared_data):
    newest = sample(shared_data, "push_events_after_oct_2025.json.gz")
    read(platform, web_archive, "2017-04-19-10", [{"type": "nothing"}])
    for event in newest[:5]:
        platform.rows(
            "all",
            "insert into gha_events (id, type, actor_id, repo_id, created_at, dup_actor_login, dup_repo_name) "
            "values (%s, %s, 1, 2, %s, 'x', %s)",
            [event["id"], event["type"], event["created_at"], event["repo"]["name"]],
        )
    read(platform, web_archive, NEWEST, newest)
    assert platform.events("all") == 13
    assert platform.counts("all")["gha_payloads"] == 8


def test_trailers_are_resolved_by_address_name_and_login_whenever_the_account_is_first_seen(platform, web_archive):
    def push(number, at, message, **changes):
        commit = {"sha": f"{number:040d}", "author": {"name": "A"}, "message": message, "distinct": True}
        return {
            "id": str(number),
            "type": "PushEvent",
            "actor": {"id": 1, "login": "pusher"},
            "repo": {"id": 2, "name": "some/thing"},
            "payload": {"size": 1, "commits": [commit]},
            "created_at": at,
            **changes,
        }

    message = (
        "Fix\r\n\r\nCo-Authored-By: ada <ada@x.org>\r\nSigned-off-by:  Bob <bob@x.org>\n"
        "Tested-and-reported-by: cyd <c@x>\n"
        "Reviewed-by: nobody\nNot-a-trailer: x <y@z>\n acked-by: pusher <p@x.org> (for now)"
    )
    read(platform, web_archive, "2015-01-01-0", [push(1, "2015-01-01T00:00:00Z", message)])
    roles = (
        "select role, actor_name, actor_email, actor_id, actor_login from gha_commits_roles order by role, actor_name"
    )
    assert platform.rows("all", roles) == [
        ("Co-authored-by", "ada", "ada@x.org", 0, ""),
        ("Reported-by", "cyd", "c@x", 0, ""),
        ("Reviewed-by", "pusher", "p@x.org", 1, "pusher"),
        ("Signed-off-by", "Bob", "bob@x.org", 0, ""),
        ("Tested-by", "cyd", "c@x", 0, ""),
    ]
    platform.rows("all", "insert into gha_actors (id, login) values (9, 'b')")
    platform.rows("all", "insert into gha_actors_emails (actor_id, email) values (9, 'bob@x.org')")
    by_ada = push(2, "2015-01-01T01:00:00Z", "Signed-off-by: Bob <bob@x.org>", actor={"id": 5, "login": "ada"})
    read(platform, web_archive, "2015-01-01-1", [by_ada])
    assert [row[3:] for row in platform.rows("all", roles)] == [
        (5, "ada"),
        (0, ""),
        (1, "pusher"),
        (9, "b"),
        (9, "b"),
        (0, ""),
    ]


def test_issues_and_pull_requests_of_one_number_are_paired_in_any_order_of_hours(platform, web_archive):
    def event(number, at, payload):
        return {
            "id": str(number),
            "type": "PullRequestEvent",
            "actor": {"id": 1, "login": "a"},
            "repo": {"id": 2, "name": "some/thing"},
            "payload": payload,
            "created_at": at,
        }

    pull = {"pull_request": {"id": 70, "number": 4, "created_at": "2014-12-31T00:00:00Z"}}
    issue = {"issue": {"id": 90, "number": 4, "pull_request": {}}}
    read(platform, web_archive, "2015-01-01-0", [event(1, "2015-01-01T00:00:00Z", pull)])
    read(platform, web_archive, "2015-01-01-1", [event(2, "2015-01-01T01:00:00Z", issue)])
    read(platform, web_archive, "2015-01-01-2", [event(3, "2015-01-01T02:00:00Z", {**pull, **issue})])
    assert platform.rows("all", "select * from gha_issues_pull_requests") == [
        (90, 70, 4, 2, "some/thing", datetime(2014, 12, 31))
    ]
