"""Hours that are late, away, broken or empty: none is forgotten, none is read twice, and everybody sees them."""

import gzip
import json
import threading

import pytest
from activity.archive.schedule.follow import Follower
from activity.database.hour_ledger import apply_empty_hours
from activity.health import Watchdog
from activity.hour import parse_hour
from prometheus_client import CollectorRegistry

from tests.support import web_server

HOURS = ("2015-01-01-0", "2015-01-01-1", "2015-01-01-2")
LAST = parse_hour(HOURS[-1])


def events(hour, *repositories, start=0):
    number = int(hour.rpartition("-")[2])
    lines = [
        {
            "id": str(100 * number + start + place),
            "type": "WatchEvent",
            "actor": {"id": 1, "login": "someone"},
            "repo": {"id": 2, "name": repository},
            "payload": {"action": "started"},
            "created_at": f"2015-01-01T0{number}:00:01Z",
        }
        for place, repository in enumerate(repositories)
    ]
    return gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines))


@pytest.fixture
def archive(platform):
    """An archive over HTTP whose answers a test decides: bytes, or a status."""
    answers, asked = {}, []

    class Handler(web_server.Handler):
        def do_GET(self):
            hour = self.path.strip("/").removesuffix(".json.gz")
            asked.append(hour)
            answer = answers.get(hour, 404)
            if isinstance(answer, int):
                self.answer(answer, b"")
            else:
                self.answer(200, answer)

    with web_server.serving(Handler) as address:
        platform.environ |= {"ACTIVITY_ARCHIVE_URL": f"http://{address}", "ACTIVITY_ARCHIVE_RETRY": "0s"}
        yield answers, asked


def follower(platform, **changes):
    registry = CollectorRegistry()
    made = Follower(platform.settings(**changes), threading.Event(), Watchdog(), registry)
    made.value = registry.get_sample_value
    return made


def states(platform):
    return dict(platform.log_rows("select extract(hour from dt)::int, state from archive_hours order by dt"))


def held(platform, project="apache"):
    apply_empty_hours(platform.settings(), next(p for p in platform.settings().projects if p.name == project))
    return platform.rows(project, "select extract(hour from dt)::int, events from hours order by dt")


def test_hours_that_are_away_fail_or_are_damaged_come_in_the_end_and_the_rows_are_those_of_an_undisturbed_run(
    platform, archive
):
    answers, asked = archive
    good = {hour: events(hour, "apache/a", "apache/b", "else/c") for hour in HOURS}
    answers.update(good)
    platform.follow("apache")
    assert follower(platform).run_pass(LAST)
    expected = platform.checksum("apache")
    platform.renew()
    platform.log_rows("truncate archive_hours, empty_hours")
    answers.update({HOURS[0]: 403, HOURS[1]: good[HOURS[1]][:-20], HOURS[2]: 404})
    disturbed = follower(platform)

    assert not disturbed.run_pass(LAST)

    assert states(platform) == {0: "failing", 1: "failing", 2: "missing"}
    assert disturbed.value("activity_holes", {"state": "failing"}) == 2
    assert disturbed.value("activity_holes", {"state": "missing"}) == 1
    problem = platform.log_rows("select problem, error, attempts from archive_hours order by dt limit 1")[0]
    assert "answered with status 403" in problem[0]
    assert problem[1:] == ("ArchiveUnreachable", 1)
    for hour in reversed(HOURS):
        answers[hour] = good[hour]
        disturbed.run_pass(LAST)
    assert states(platform) == {0: "read", 1: "read", 2: "read"}
    assert disturbed.value("activity_holes", {"state": "failing"}) == 0
    assert platform.checksum("apache") == expected
    asked.clear()
    assert disturbed.run_pass(LAST)
    assert asked == []


def test_an_hour_is_not_tried_before_its_wait_is_over_also_by_a_new_process(platform, archive):
    answers, asked = archive
    answers.update({hour: events(hour, "apache/a") for hour in HOURS[:2]})
    platform.follow("apache")
    assert not follower(platform, ACTIVITY_ARCHIVE_RETRY="1h").run_pass(LAST)
    asked.clear()
    answers[HOURS[2]] = events(HOURS[2], "apache/a")
    assert not follower(platform, ACTIVITY_ARCHIVE_RETRY="1h").run_pass(LAST)
    assert asked == []
    platform.log_rows("update archive_hours set next_try_at = now() where state = 'missing'")
    assert follower(platform).run_pass(LAST)
    assert asked == [HOURS[2]]


def test_a_hole_is_given_up_after_its_time_stays_visible_and_can_be_read_by_hand(platform, archive):
    answers, asked = archive
    answers.update({hour: events(hour, "apache/a") for hour in (HOURS[0], HOURS[2])})
    platform.follow("apache")
    first = follower(platform, ACTIVITY_ARCHIVE_GIVE_UP="0s")
    assert not first.run_pass(LAST)
    assert states(platform) == {0: "read", 1: "given up", 2: "read"}
    assert first.value("activity_holes", {"state": "given up"}) == 1
    asked.clear()
    assert not first.run_pass(LAST)
    assert asked == []
    assert held(platform) == [(0, 1), (2, 1)]

    answers[HOURS[1]] = events(HOURS[1], "apache/a")
    assert platform.ingest(HOURS[1], HOURS[1]).returncode == 0
    assert states(platform) == {0: "read", 1: "read", 2: "read"}
    assert held(platform) == [(0, 1), (1, 1), (2, 1)]


def test_a_damaged_hour_is_tried_again_and_salvaged_when_it_would_be_given_up(platform, archive):
    answers, _ = archive
    answers.update({hour: events(hour, *["apache/a"] * 500) for hour in HOURS})
    answers[HOURS[1]] = answers[HOURS[1]][:-20]
    platform.follow("apache")
    assert not follower(platform).run_pass(LAST)
    assert states(platform) == {0: "read", 1: "failing", 2: "read"}
    assert held(platform) == [(0, 500), (2, 500)]

    last = follower(platform, ACTIVITY_ARCHIVE_GIVE_UP="0s")
    assert last.run_pass(LAST)
    assert states(platform) == {0: "read", 1: "salvaged", 2: "read"}
    stored = dict(held(platform))[1]
    assert 300 < stored < 500
    assert last.value("activity_quarantined_total", {"reason": "gzip"}) == 1
    kept = platform.log_rows("select count(*) from quarantine where reason = 'gzip' and hour = '2015-01-01 01:00'")
    assert kept == [(1,)]

    answers[HOURS[1]] = events(HOURS[1], *["apache/a"] * 500)
    assert platform.run("ingest", "--from", HOURS[1], "--to", HOURS[1], "--force").returncode == 0
    assert dict(held(platform))[1] == 500
    assert platform.log_rows("select count(*) from quarantine where hour = '2015-01-01 01:00'") == [(0,)]


def test_what_is_no_hour_at_all_is_given_up(platform, archive):
    answers, _ = archive
    answers.update({hour: events(hour, "apache/a") for hour in HOURS})
    answers[HOURS[1]] = b"<html>not here</html>"
    platform.follow("apache")
    last = follower(platform, ACTIVITY_ARCHIVE_GIVE_UP="0s")
    assert not last.run_pass(LAST)
    assert not last.run_pass(LAST)
    assert states(platform) == {0: "read", 1: "given up", 2: "read"}


def test_an_archive_that_is_away_as_a_whole_makes_nothing_be_given_up(platform, archive):
    answers, asked = archive
    answers.update(dict.fromkeys(HOURS, 403))
    platform.follow("apache")
    assert not follower(platform, ACTIVITY_ARCHIVE_GIVE_UP="0s").run_pass(LAST)
    assert len(asked) == 3
    assert set(states(platform).values()) == {"failing"}


def test_the_newest_hours_come_first(platform, archive):
    answers, asked = archive
    answers.update({hour: events(hour, "apache/a") for hour in HOURS})
    platform.follow("apache")
    assert follower(platform).run_pass(LAST)
    assert asked == [*reversed(HOURS)]


def test_an_hour_published_again_is_merged_and_its_periods_are_computed_anew(platform, archive):
    answers, _ = archive
    answers.update({hour: events(hour, "apache/a") for hour in HOURS})
    platform.follow("apache", "rust-lang")
    assert platform.ingest(HOURS[0], HOURS[2]).returncode == 0
    platform.rows("apache", "truncate series_pending")
    answers[HOURS[1]] = events(HOURS[1], "apache/a", "apache/late", "rust-lang/rust")

    again = platform.ingest(HOURS[1], HOURS[1])
    assert "0 hours read" in again.stdout
    forced = platform.run("ingest", "--from", HOURS[1], "--to", HOURS[1], "--force")
    assert forced.returncode == 0, forced.stderr

    assert held(platform) == [(0, 1), (1, 2), (2, 1)]
    assert held(platform, "rust-lang") == [(0, 0), (1, 1), (2, 0)]
    assert platform.events("apache") == 4
    pending = platform.rows("apache", "select start::text from series_pending where period = 'h'")
    assert pending == [("2015-01-01 01:00:00",)]
    before = platform.checksum("apache")
    assert platform.run("ingest", "--from", HOURS[1], "--to", HOURS[1], "--force").returncode == 0
    assert platform.checksum("apache") == before


def test_hours_to_skip_count_as_read_and_are_never_asked_for(platform, archive):
    answers, asked = archive
    answers.update({hour: events(hour, "apache/a") for hour in HOURS})
    platform.follow("apache")
    assert follower(platform, ACTIVITY_ARCHIVE_SKIP=f"{HOURS[1]}, 2021-09-11-9").run_pass(LAST)
    assert asked == [HOURS[2], HOURS[0]]
    assert states(platform) == {0: "read", 1: "skipped", 2: "read"}
    assert held(platform) == [(0, 1), (1, 0), (2, 1)]
    assert platform.rows("apache", "select count(*) from gha_parsed") == [(3,)]


def test_an_hour_touches_no_database_of_a_project_that_has_nothing_in_it(platform, archive):
    answers, _ = archive
    names = ["apache", *(f"idle-{number}" for number in range(8))]
    answers[HOURS[0]] = events(HOURS[0], "apache/a")
    platform.follow(*names)
    following = follower(platform)
    following.run_pass(parse_hour(HOURS[0]))
    sessions = "select sessions from pg_stat_database where datname = %s"
    before = {name: platform.log_rows(sessions, [platform.database(name)]) for name in names}
    answers.update({hour: events(hour, "apache/a") for hour in HOURS[1:]})

    assert following.run_pass(LAST)

    assert {name: platform.log_rows(sessions, [platform.database(name)]) for name in names[1:]} == {
        name: before[name] for name in names[1:]
    }
    assert held(platform, "idle-7") == [(0, 0), (1, 0), (2, 0)]
    assert platform.rows("idle-7", "select max(dt)::text from gha_parsed") == [("2015-01-01 02:00:00",)]
    assert platform.log_rows("select count(*) from empty_hours where database = %s", [platform.database("idle-7")]) == [
        (0,)
    ]


def test_an_hour_whose_reader_was_killed_before_it_could_say_so_is_recorded_and_no_hole(platform, archive):
    answers, asked = archive
    answers.update({hour: events(hour, "apache/a", "rust-lang/b", "apache/c") for hour in HOURS})
    platform.follow("apache", "rust-lang")
    assert follower(platform).run_pass(LAST)
    seen = "select dt, state, projects, events from archive_hours order by dt"
    before = platform.log_rows(seen)
    asked.clear()
    # All projects had it, its record was not made; where it had failed before, it still counted as a hole.
    platform.log_rows(f"delete from archive_hours where dt = '{LAST.stamp}'")
    platform.log_rows("update archive_hours set state = 'failing', next_try_at = now() where dt = '2015-01-01 00:00'")
    again = follower(platform)
    assert again.run_pass(LAST)
    assert platform.log_rows(seen) == before
    assert asked == []


def test_an_hour_that_one_project_lacks_is_not_recorded_as_read(platform, archive):
    answers, _ = archive
    answers.update({hour: events(hour, "apache/a", "rust-lang/b") for hour in HOURS})
    platform.follow("apache", "rust-lang")
    assert follower(platform).run_pass(LAST)
    platform.log_rows("delete from archive_hours where dt = '2015-01-01 01:00'")
    for table in ("hours", "gha_parsed"):
        platform.rows("rust-lang", f"delete from {table} where dt = '2015-01-01 01:00'")
    answers[HOURS[1]] = 404
    assert not follower(platform).run_pass(LAST)
    assert states(platform) == {0: "read", 1: "missing", 2: "read"}


def test_an_hour_that_devstats_had_is_neither_a_hole_nor_recorded_as_read(platform, archive):
    answers, asked = archive
    answers.update({hour: events(hour, "apache/a") for hour in HOURS})
    platform.follow("apache")
    assert follower(platform).run_pass(LAST)
    asked.clear()
    # DevStats knows which hours it parsed, and nothing more of them.
    platform.log_rows("delete from archive_hours where dt = '2015-01-01 01:00'")
    platform.rows("apache", "delete from hours where dt = '2015-01-01 01:00'")
    assert follower(platform).run_pass(LAST)
    assert states(platform) == {0: "read", 2: "read"}
    assert asked == []
