"""An event becomes the rows that DevStats would store, in the formats of several years."""

import gzip
import json
from collections import Counter
from datetime import datetime

import pytest
from activity.archive.rows.fields import Fields
from activity.archive.rows.pull_requests import PullRequest
from activity.archive.rows.pushes import MissingCommits
from activity.archive.rows.records import Actor, Event, Org, Payload, Repo
from activity.archive.rows.since_2015 import rows_since_2015
from hypothesis import given
from hypothesis import strategies as some

EVENT = {
    "id": "2489368095",
    "type": "PushEvent",
    "actor": {"id": 66577, "login": "JakeWharton"},
    "repo": {"id": 5152285, "name": "square/okhttp"},
    "org": {"id": 82592, "login": "square"},
    "payload": {"push_id": 536740405, "size": 8, "ref": "refs/heads/main", "head": "bc9a", "before": "8590"},
    "created_at": "2015-01-01T00:00:01Z",
}


def of(kind, event):
    return [row for row in rows_since_2015(event) if isinstance(row, kind)]


def test_a_push_becomes_an_event_a_payload_a_repository_an_organisation_and_an_actor():
    moment = datetime(2015, 1, 1, 0, 0, 1)
    event, payload, repo, org, actor, missing = rows_since_2015(EVENT)
    assert event == Event(2489368095, "PushEvent", 66577, 5152285, moment, 82592, "JakeWharton", "square/okhttp")
    assert repo == Repo(5152285, "square/okhttp", 82592, "square")
    assert org == Org(82592, "square")
    assert actor == Actor(66577, "JakeWharton", "")
    assert isinstance(missing, MissingCommits)
    assert (missing.expected, missing.held, missing.befor, missing.head) == (8, 0, "8590", "bc9a")
    assert isinstance(payload, Payload)
    assert (payload.push_id, payload.size, payload.head, payload.befor) == (536740405, 8, "bc9a", "8590")
    assert (payload.dup_repo_name, payload.dup_created_at, payload.commit) == ("square/okhttp", moment, None)


def test_an_event_without_organisation_has_none():
    event = {key: value for key, value in EVENT.items() if key != "org"}
    assert of(Org, event) == []
    assert of(Event, event)[0].org_id is None
    assert of(Repo, event)[0].org_login is None


def test_what_is_missing_becomes_what_devstats_makes_of_it():
    event = {**EVENT, "actor": None, "created_at": None, "payload": {"pull_request": {"id": 7, "title": None}}}
    assert of(Event, event)[0].created_at == datetime(1, 1, 1)
    pull = of(PullRequest, event)[0]
    assert (pull.id, pull.number, pull.title, pull.state, pull.base_sha, pull.body) == (7, 0, "", "", "", None)
    assert pull.merged is None


def test_texts_lose_nul_and_are_cut_to_their_column_at_a_whole_character():
    event = {**EVENT, "payload": {"ref": "a\x00b" + "é" * 200, "head": "0" * 64}}
    payload = of(Payload, event)[0]
    assert payload.ref == "ab" + "é" * 99
    assert payload.head == "0" * 40


def test_everyone_whom_an_event_names_becomes_an_actor():
    def person(number):
        return {"id": number, "login": f"p{number}"}

    pull = {
        "id": 1,
        "user": person(2),
        "merged_by": person(3),
        "assignee": person(4),
        "assignees": [person(4), person(5)],
        "requested_reviewers": [person(6)],
        "milestone": {"creator": person(7)},
        "base": {"sha": "a", "user": person(8), "repo": {"id": 1, "owner": person(8)}},
        "head": {"sha": "b", "user": person(9), "repo": {"id": 2, "owner": person(10)}},
    }
    payload = {
        "pull_request": pull,
        "member": person(11),
        "comment": {"user": person(12)},
        "review": {"user": person(13)},
        "issue": {"user": person(14), "assignee": None, "assignees": [person(15)]},
        "forkee": {"owner": person(16)},
        "release": {"author": person(17), "assets": [{"uploader": person(18)}]},
    }
    actors = of(Actor, {**EVENT, "actor": person(1), "payload": payload})
    assert sorted({actor.id for actor in actors}) == list(range(1, 19))


def test_a_head_that_is_its_base_names_nobody():
    pull = {
        "id": 1,
        "user": {"id": 2, "login": "b"},
        "base": {"sha": "a"},
        "head": {"sha": "a", "user": {"id": 9, "login": "x"}},
    }
    assert {actor.id for actor in of(Actor, {**EVENT, "payload": {"pull_request": pull}})} == {66577, 2}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": None}, "id: expected a whole number of at most 64 bits, found None"),
        ({"id": "9" * 19}, "id: expected a whole number of at most 64 bits"),
        ({"actor": "someone"}, "actor: expected an object, found 'someone'"),
        ({"payload": {"size": 2**31}}, "payload.size: expected a whole number of at most 32 bits"),
        ({"payload": {"size": True}}, "payload.size: expected a whole number"),
        ({"payload": {"pull_request": {"merged": 1}}}, "payload.pull_request.merged: expected true or false"),
        ({"payload": {"pull_request": {"assignees": [1]}}}, r"payload.pull_request.assignees\[0\]: expected an object"),
        ({"payload": {"pull_request": {"assignees": {}}}}, "payload.pull_request.assignees: expected a list"),
        ({"payload": {"ref": 1}}, "payload.ref: expected a text, found 1"),
        ({"created_at": 1420070400}, "created_at: expected a time such as"),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(changes, words):
    with pytest.raises(ValueError, match=words):
        rows_since_2015({**EVENT, **changes})


@given(some.text(max_size=300), some.integers(1, 300))
def test_a_cut_text_fits_and_is_the_start_of_the_whole(text, width):
    cut = Fields({"words": text}).text("words", width)
    whole = text.replace("\x00", "")
    assert whole.startswith(cut)
    assert len(cut.encode()) <= width
    assert cut == whole or len(whole[: len(cut) + 1].encode()) > width


@pytest.mark.parametrize(
    ("name", "events"), [("2019-11-27-3.first100.json.gz", 100), ("2022-04-06.sample.json.gz", 22)]
)
def test_events_of_later_years_become_rows(shared_data, name, events):
    lines = gzip.decompress((shared_data / "gharchive" / name).read_bytes()).splitlines()
    read = [json.loads(line) for line in lines]
    rows = [row for event in read for row in rows_since_2015(event)]
    kinds = Counter(type(row) for row in rows)
    assert kinds[Event] == kinds[Payload] == kinds[Repo] == events
    assert kinds[PullRequest] == sum("pull_request" in event["payload"] for event in read) > 0


def test_pushes_since_october_2025_have_neither_size_nor_commits(shared_data):
    file = shared_data / "gharchive" / "push_events_after_oct_2025.json.gz"
    for event in json.loads(gzip.decompress(file.read_bytes())):
        payload = of(Payload, event)[0]
        assert payload.size is None
        assert payload.push_id
        assert payload.head
