"""Simulated hours are the same each time, look like the archive's, and follow day and week."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime

from activity.archive.route.route import Route
from activity.archive.rows.pull_requests import PullRequest
from activity.archive.rows.since_2015 import rows_since_2015
from activity.archive.simulate.events import EVENT_MIX
from activity.archive.simulate.hour_files import make_hour, scenes_of, write_hour
from activity.hour import parse_hour
from activity.projects import Project


def project(name, *organisations, repositories=()):
    return Project(name, name, "", organisations, tuple(repositories), (), datetime(2015, 1, 1, tzinfo=UTC), name)


APACHE = project("apache", "apache")
RUST = project("rust", "rust-lang")
NOON = parse_hour("2026-03-04-13")


def events(path):
    return [json.loads(line) for line in gzip.open(path)]


def of(project, path):
    route = Route([project])
    return [event for event in events(path) if route.projects_of(event["repo"]["name"])]


def size(folder, hour):
    return len(of(APACHE, make_hour(folder, (APACHE,), hour)))


def test_the_same_hour_is_the_same_to_the_byte(tmp_path):
    first, second = tmp_path / "first.json.gz", tmp_path / "second.json.gz"
    assert write_hour(first, scenes_of((APACHE,)), NOON) == write_hour(second, scenes_of((APACHE,)), NOON) > 50
    assert first.read_bytes() == second.read_bytes()


def test_a_project_beside_it_changes_nothing_for_a_project(tmp_path):
    alone, together = make_hour(tmp_path, (APACHE,), NOON), make_hour(tmp_path, (APACHE, RUST), NOON)
    assert alone != together
    assert of(APACHE, alone) == of(APACHE, together)
    assert of(RUST, alone) == []
    assert len(of(RUST, together)) > 5


def test_a_file_is_named_as_in_the_archive_and_there_is_no_half_one(tmp_path):
    path = make_hour(tmp_path, (APACHE,), parse_hour("2026-03-04-05"))
    assert path.name == "2026-03-04-5.json.gz"
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    before = path.stat().st_mtime_ns
    assert make_hour(tmp_path, (APACHE,), parse_hour("2026-03-04-5")).stat().st_mtime_ns == before


def test_events_have_their_hour_distinct_ids_and_become_rows(tmp_path):
    found = events(make_hour(tmp_path, (APACHE, RUST), NOON))
    assert all(event["created_at"].startswith("2026-03-04T13:") for event in found)
    assert len({event["id"] for event in found}) == len(found)
    assert all(rows_since_2015(event) for event in found)
    assert found == sorted(found, key=lambda event: (event["created_at"], event["id"]))


def test_there_is_less_at_night_and_at_weekends(tmp_path):
    week = [size(tmp_path, parse_hour(f"2026-03-0{day}-13")) for day in range(2, 9)]
    nights = [size(tmp_path, parse_hour(f"2026-03-0{day}-2")) for day in range(2, 9)]
    assert sum(nights) < sum(week) / 2
    assert sum(week[5:]) / 2 < 0.8 * sum(week[:5]) / 5


def test_the_mix_is_that_of_the_archive_roughly(tmp_path):
    hours = [parse_hour(f"2026-03-04-{hour}") for hour in range(24)]
    kinds = Counter(event["type"] for hour in hours for event in events(make_hour(tmp_path, (APACHE,), hour)))
    assert kinds.keys() == EVENT_MIX.keys()
    assert 0.4 < kinds["PushEvent"] / kinds.total() < 0.6
    assert kinds["PullRequestEvent"] > 20


def test_a_merged_pull_request_was_opened_before_under_the_same_number(tmp_path):
    opened, merged = {}, {}
    for hour in parse_hour("2026-03-02-0").until(parse_hour("2026-03-06-23")):
        for event in of(APACHE, make_hour(tmp_path, (APACHE,), hour)):
            pull = event["payload"].get("pull_request")
            if pull:
                (merged if pull["merged"] else opened)[pull["id"]] = (pull["number"], event["repo"]["name"])
                assert any(isinstance(row, PullRequest) for row in rows_since_2015(event))
    late = set(merged) & set(opened)
    assert len(late) > 10
    assert all(merged[identity] == opened[identity] for identity in late)
    assert len(merged) < len(opened)


def test_a_project_of_globs_has_events_too(tmp_path):
    globs = project("globs", "kube*", repositories=["foo/b*", "bar/exact"])
    path = make_hour(tmp_path, (globs,), NOON)
    owners = {event["repo"]["name"].split("/")[0] for event in of(globs, path)}
    assert {"kube-alpha", "foo", "bar"} & owners
