"""Simulated hours and hours of the archive never meet in one database, and what was decided stays decided."""

import gzip
import json
import threading
from shutil import rmtree

import pytest
from activity.archive.schedule.follow import Follower
from activity.health import Watchdog
from activity.hour import parse_hour
from prometheus_client import CollectorRegistry

NOWHERE = "http://127.0.0.1:9/"
HOURS = ("2026-03-02-9", "2026-03-02-11")


@pytest.fixture
def unreachable(platform):
    platform.environ |= {"ACTIVITY_ARCHIVE_URL": NOWHERE, "ACTIVITY_ARCHIVE_SIMULATE": "when-unreachable"}
    platform.follow("apache")


def publish(web_archive, *hours):
    for hour in hours:
        event = {
            "id": f"{abs(hash(hour)) % 10**9}",
            "type": "WatchEvent",
            "actor": {"id": 1, "login": "a"},
            "repo": {"id": 2, "name": "apache/spark"},
            "payload": {},
            "created_at": f"{hour[:10]}T{int(hour[11:]):02}:00:00Z",
        }
        (web_archive.folder / f"{hour}.json.gz").write_bytes(gzip.compress(json.dumps(event).encode() + b"\n"))


def sources(platform, project="apache"):
    return platform.rows(project, "select source, count(*) from hours group by source order by source")


@pytest.mark.usefixtures("unreachable")
def test_hours_are_simulated_when_the_archive_is_out_of_reach_and_stay_so(platform, web_archive):
    platform.environ["ACTIVITY_ARCHIVE_URL"] = NOWHERE
    done = platform.ingest(HOURS[0], "2026-03-02-10")
    assert done.returncode == 0, done.stderr
    assert "archive unreachable, simulating hours instead" in done.stderr
    assert sources(platform) == [("simulated", 2)]
    assert platform.events("apache") > 5

    publish(web_archive, HOURS[1])
    later = platform.ingest(HOURS[1], HOURS[1], ACTIVITY_ARCHIVE_URL=web_archive.url)

    assert later.returncode == 0, later.stderr
    assert sources(platform) == [("simulated", 3)]
    assert web_archive.requests == []


@pytest.mark.usefixtures("unreachable")
def test_a_database_of_real_hours_is_never_given_simulated_ones(platform, web_archive):
    publish(web_archive, HOURS[0])
    assert platform.ingest(HOURS[0], HOURS[0], ACTIVITY_ARCHIVE_URL=web_archive.url).returncode == 0
    assert sources(platform) == [("archive", 1)]
    before = platform.checksum("apache")
    for simulate, code in (("when-unreachable", 70), ("always", 78)):
        changes = {"ACTIVITY_ARCHIVE_URL": (platform.folder / "gone").as_uri(), "ACTIVITY_ARCHIVE_SIMULATE": simulate}
        done = platform.ingest(*HOURS, **changes)
        assert done.returncode == code, done.stderr
    assert platform.checksum("apache") == before


@pytest.mark.usefixtures("unreachable")
def test_never_refuses_a_database_of_simulated_hours_by_name(platform):
    platform.ingest(HOURS[0], HOURS[0])
    done = platform.ingest(*HOURS, ACTIVITY_ARCHIVE_SIMULATE="never")
    assert done.returncode == 78
    assert f"database {platform.database('apache')} holds simulated hours; they are never mixed" in done.stderr


@pytest.mark.usefixtures("unreachable")
def test_a_simulated_hour_comes_out_the_same_from_an_empty_cache(platform):
    assert platform.ingest(*HOURS).returncode == 0
    first = platform.checksum("apache")
    platform.renew()
    rmtree(platform.environ["ACTIVITY_ARCHIVE_CACHE"])
    assert platform.ingest(*HOURS).returncode == 0
    assert platform.checksum("apache") == first


def test_a_project_added_to_a_simulated_platform_gets_its_own_hours(platform):
    platform.environ |= {"ACTIVITY_ARCHIVE_SIMULATE": "always"}
    platform.follow("apache")
    assert platform.ingest(*HOURS).returncode == 0
    before = platform.checksum("apache")
    platform.follow("apache", "rust-lang")
    assert platform.ingest(*HOURS).returncode == 0
    assert platform.checksum("apache") == before
    assert platform.events("rust-lang") > 5


def test_the_verb_writes_hours_that_an_archive_could_serve(platform):
    platform.follow("apache")
    done = platform.run("simulate", "--from", HOURS[0], "--to", HOURS[1])
    assert done.returncode == 0, done.stderr
    folder = platform.environ["ACTIVITY_ARCHIVE_CACHE"]
    assert done.stdout.startswith("3 simulated hours, ")
    again = platform.ingest(*HOURS, ACTIVITY_ARCHIVE_URL=f"file://{folder}")
    assert again.returncode == 0, again.stderr
    assert platform.events("apache") > 10


@pytest.mark.usefixtures("unreachable")
def test_simulated_hours_may_begin_earlier_than_real_ones_would(platform):
    platform.environ |= {
        "ACTIVITY_ARCHIVE_FROM": HOURS[1],
        "ACTIVITY_ARCHIVE_TO": HOURS[1],
        "ACTIVITY_ARCHIVE_SIMULATE_FROM": HOURS[0],
    }
    follower = Follower(platform.settings(), threading.Event(), Watchdog(), CollectorRegistry())
    assert follower.run_pass(parse_hour(HOURS[1]))
    assert sources(platform) == [("simulated", 3)]
