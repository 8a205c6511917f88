"""Series say what the events say, only what was touched is computed, and no mark is lost."""

import gzip
import json
from collections import Counter, defaultdict

import pytest
from activity.database.advisory_locks import lock_for_transaction
from activity.database.connect import transaction
from activity.database.watermarks import mark_periods
from activity.hour import parse_hour
from activity.series.compute import compute, pending

from tests.support.waiting import HANG, until

HOURS = ("2015-01-01-0", "2015-01-01-1")


def series(platform, project, metric, period):
    rows = platform.rows(
        project,
        "select time::text, series, value from series where metric = %s and period = %s",
        [metric, period],
    )
    return {(time, name): value for time, name, value in rows}


def counted(folder, organisation):
    """Count from the raw files, with nothing of the service in it."""
    events, people, opened, merged = Counter(), defaultdict(set), defaultdict(set), defaultdict(set)
    for hour in HOURS:
        for line in gzip.decompress((folder / f"{hour}.json.gz").read_bytes()).splitlines():
            event = json.loads(line)
            if event["repo"]["name"].split("/")[0].lower() != organisation:
                continue
            for start in (f"{event['created_at'][:10]} {event['created_at'][11:13]}:00:00", "2015-01-01 00:00:00 day"):
                events[start, event["type"]] += 1
                people[start].add(event["actor"]["id"])
                payload = event["payload"]
                if event["type"] == "PullRequestEvent" and payload["action"] == "opened":
                    opened[start].add(payload["pull_request"]["id"])
                if event["type"] == "PullRequestEvent" and payload["pull_request"]["merged"]:
                    merged[start].add(payload["pull_request"]["id"])
    return {
        "events": dict(events),
        "contributors": {(start, "all"): len(found) for start, found in people.items()},
        "pull_requests": {
            (start, name): len(found)
            for name, told in (("opened", opened), ("merged", merged))
            for start, found in told.items()
        },
    }


@pytest.mark.parametrize("organisation", ["apache", "rust-lang", "cachethq"])
def test_the_values_are_those_counted_from_the_raw_hours(platform, real_archive, organisation):
    platform.follow(organisation)
    assert platform.ingest(*HOURS).returncode == 0
    done = platform.run("series", "--project", organisation)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{organisation}: 3 periods computed, ")
    for metric, expected in counted(real_archive, organisation).items():
        hours = {key: value for key, value in expected.items() if not key[0].endswith("day")}
        days = {(key[0].removesuffix(" day"), key[1]): n for key, n in expected.items() if key[0].endswith("day")}
        assert series(platform, organisation, metric, "h") == hours
        assert series(platform, organisation, metric, "d") == days


@pytest.mark.usefixtures("real_archive")
def test_only_touched_periods_are_computed_and_everything_gives_the_same(platform):
    platform.follow("apache")
    platform.ingest(HOURS[0], HOURS[0])
    assert "apache: 2 periods computed" in platform.run("series").stdout
    platform.ingest(HOURS[1], HOURS[1])
    assert "apache: 2 periods computed" in platform.run("series").stdout
    assert "apache: 0 periods computed, 0 points written" in platform.run("series").stdout
    before = platform.rows("apache", "select * from series order by 1, 2, 3, 4")
    assert "apache: 3 periods computed, 0 points written, 0 removed" in platform.run("series", "--all-periods").stdout
    assert platform.rows("apache", "select * from series order by 1, 2, 3, 4") == before
    state = "select distinct period, computed_to::text from series_state order by 1"
    assert platform.rows("apache", state) == [("d", "2015-01-02 00:00:00"), ("h", "2015-01-01 02:00:00")]


@pytest.mark.usefixtures("real_archive")
def test_a_wrong_or_leftover_point_is_put_right_when_its_period_is_computed(platform):
    platform.follow("apache")
    platform.ingest(*HOURS)
    platform.run("series")
    before = platform.rows("apache", "select * from series order by 1, 2, 3, 4")
    platform.rows("apache", "update series set value = value + 1 where series = 'PushEvent'")
    platform.rows("apache", "insert into series values ('events', 'h', '2015-01-01 00:00', 'NoSuchEvent', 3)")
    platform.rows("apache", "insert into series values ('events', 'd', '2014-01-01', 'PushEvent', 3)")
    assert "3 points written, 2 removed" in platform.run("series", "--all-periods").stdout
    assert platform.rows("apache", "select * from series order by 1, 2, 3, 4") == before


@pytest.mark.usefixtures("real_archive")
def test_a_mark_made_during_a_computation_is_left_for_the_next(platform):
    platform.follow("apache")
    platform.ingest(*HOURS)
    settings = platform.settings()
    (project,) = settings.projects
    hour = parse_hour(HOURS[0])
    with transaction(settings, project.database) as ingest:
        mark_periods(ingest, [hour.stamp])
        # The marks of this hour and its day are being written: the computation passes them over, it does not wait.
        assert compute(settings, project).periods == 1
    assert pending(settings, project) == 2
    assert compute(settings, project).periods == 2
    assert pending(settings, project) == 0


@pytest.mark.usefixtures("real_archive")
def test_a_mark_made_again_while_it_is_worked_off_comes_back(platform):
    platform.follow("apache")
    platform.ingest(HOURS[0], HOURS[0])
    settings = platform.settings()
    (project,) = settings.projects
    connection = platform.connect(project.database)
    connection.autocommit = False
    with connection.cursor() as computing:
        computing.execute("delete from series_pending")
        ingest = platform.start("ingest", "--from", HOURS[1], "--to", HOURS[1])
        waiting = "select count(*) from pg_stat_activity where datname = %s and wait_event_type = 'Lock'"
        until("the ingest to come to the mark", lambda: platform.rows("apache", waiting, [project.database])[0][0])
        connection.commit()
    connection.close()
    assert ingest.wait(HANG) == 0, ingest.communicate()
    ingest.communicate()
    marks = "select period, start::text from series_pending order by 1, 2"
    assert platform.rows("apache", marks) == [("d", "2015-01-01 00:00:00"), ("h", "2015-01-01 01:00:00")]


@pytest.mark.usefixtures("real_archive")
def test_two_computations_of_a_project_exclude_each_other(platform):
    platform.follow("apache")
    platform.ingest(*HOURS)
    settings = platform.settings()
    (project,) = settings.projects
    with transaction(settings, project.database) as computing:
        lock_for_transaction(computing, "series")
        second = platform.start("series")
        waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'advisory'"
        until("the second to wait", lambda: platform.rows("apache", waiting)[0][0])
        assert pending(settings, project) == 3
    output, problems = second.communicate(timeout=HANG)
    assert "3 periods computed" in output, problems


def test_a_merge_told_in_either_way_counts_once(platform, web_archive):
    def pull(number, action, **changes):
        return {
            "id": str(number),
            "type": "PullRequestEvent",
            "actor": {"id": 1, "login": "a"},
            "repo": {"id": 2, "name": "apache/spark"},
            "created_at": "2026-01-01T00:00:01Z",
            "payload": {"action": action, "number": 7, "pull_request": {"id": 70, "number": 7, **changes}},
        }

    lines = [
        pull(1, "opened"),
        pull(2, "closed"),
        pull(3, "reopened"),
        pull(4, "closed", merged_at="2026-01-01T00:00:01Z"),
        pull(5, "merged"),
    ]
    hour = gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    (web_archive.folder / "2026-01-01-0.json.gz").write_bytes(hour)
    platform.follow("apache")
    assert platform.ingest("2026-01-01-0", "2026-01-01-0").returncode == 0
    platform.run("series")
    start = "2026-01-01 00:00:00"
    assert series(platform, "apache", "pull_requests", "h") == {(start, "opened"): 1, (start, "merged"): 1}


def test_series_of_an_unknown_project_is_a_wrong_command_line(platform):
    platform.follow("apache")
    done = platform.run("series", "--project", "apachee")
    assert done.returncode == 64
    assert "project 'apachee' not found. Projects: apache." in done.stderr
