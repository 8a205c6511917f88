"""An archive that fails at any moment changes nothing of what is stored in the end."""

import gzip
import threading
from shutil import copy

import pytest
from activity.archive.read.timing import Timing
from activity.archive.schedule.follow import Follower
from activity.archive.simulate.hour_files import make_hour
from activity.database.hour_ledger import apply_empty_hours
from activity.health import Watchdog
from activity.hour import parse_hour
from prometheus_client import CollectorRegistry

from tests.integration.activity.archive.test_ingest import HOURS, PROJECTS, checksums
from tests.support.faulty_server import faulty

FIRST = parse_hour("2026-01-05-9")
TEN = [FIRST.shift(number) for number in range(10)]
SPAN = (str(TEN[0]), str(TEN[-1]))
PLAIN = (None,) * 6


@pytest.mark.usefixtures("real_archive")
def test_whatever_the_archives_server_does_the_rows_are_the_same_in_the_end(platform, shared_data, tmp_path, long):
    platform.follow(*PROJECTS)
    assert platform.ingest(*HOURS).returncode == 0
    expected = checksums(platform)
    folder = tmp_path / "archive"
    folder.mkdir()
    for hour in HOURS:
        copy(shared_data / "gharchive" / f"{hour}.json.gz", folder)
    met = 0
    for seed in range(12 if long else 2):
        platform.renew()
        with faulty(folder, seed, ("429", "500", "503", "reset", "short", "whole", "404", None)) as archive:
            for _ in range(30):
                done = platform.ingest(*HOURS, ACTIVITY_ARCHIVE_URL=archive.url)
                assert done.returncode in (0, 66, 69, 70), done.stderr
                assert "Traceback" not in done.stderr
                if done.returncode == 0:
                    break
            assert done.returncode == 0, done.stderr
            met += archive.met.total() - archive.met["None"]
        assert checksums(platform) == expected
    assert met > 2


@pytest.fixture
def ten_hours(platform, tmp_path):
    """Ten hours of three projects in a folder, one of them without an event, and what they leave when all goes well."""
    platform.follow(*PROJECTS, start="2026-01-05")
    folder = tmp_path / "ten"
    folder.mkdir()
    for hour in TEN:
        copy(make_hour(tmp_path / "made", platform.settings().projects, hour), folder)
    (folder / f"{TEN[4]}.json.gz").write_bytes(gzip.compress(b"\n"))
    done = platform.ingest(*SPAN, ACTIVITY_ARCHIVE_URL=folder.as_uri())
    assert done.returncode == 0, done.stderr
    assert all(count > 20 for count in (platform.events(project) for project in PROJECTS))
    expected = checksums(platform)
    forget(platform)
    return folder, expected


def forget(platform):
    platform.renew()
    platform.log_rows("truncate archive_hours, empty_hours, backfills")


def states(platform):
    return dict(platform.log_rows("select state, count(*) from archive_hours group by state"))


def test_a_backfill_downloads_each_hour_once_ahead_of_its_processes(platform, ten_hours):
    folder, expected = ten_hours
    with faulty(folder, 0, PLAIN) as archive:
        done = platform.run(
            "ingest", "--from", SPAN[0], "--to", SPAN[1], "--jobs", "2", ACTIVITY_ARCHIVE_URL=archive.url
        )
        assert done.returncode == 0, done.stderr
        assert archive.met.total() == len(TEN)
    assert checksums(platform) == expected
    assert list((platform.folder / "simulated").glob("prefetch-*")) == []


def test_a_backfill_that_downloads_ahead_from_a_failing_archive_leaves_the_rows_of_an_undisturbed_one(
    platform, ten_hours, long
):
    folder, expected = ten_hours
    arguments = ("ingest", "--from", SPAN[0], "--to", SPAN[1], "--jobs", "2", "--newest-first")
    met, failed = set(), 0
    for seed in range(12 if long else 2):
        forget(platform)
        with faulty(folder, seed, ("404", "404", "500", "503", "cut", "cut", "short", "reset", *PLAIN)) as archive:
            for _ in range(30):
                done = platform.run(*arguments, ACTIVITY_ARCHIVE_URL=archive.url)
                assert done.returncode in (0, 66, 69, 70), done.stderr
                assert "Traceback" not in done.stderr
                if done.returncode == 0:
                    break
                failed += 1
            assert done.returncode == 0, done.stderr
            met |= set(archive.met)
        assert checksums(platform) == expected
        assert states(platform) == {"read": len(TEN)}
        assert list((platform.folder / "simulated").glob("prefetch-*")) == []
    assert {"404", "500", "cut", "short"} <= met
    assert failed


def test_the_follower_tries_again_until_every_hour_is_there_whatever_the_server_does(platform, ten_hours, long):
    folder, expected = ten_hours
    quick = Timing(connect_seconds=0.3, silence_seconds=0.3, first_retry_seconds=0.1)
    met, incomplete = set(), 0
    for seed in range(12 if long else 1):
        forget(platform)
        with faulty(
            folder, seed, ("404", "404", "500", "500", "cut", "silent", "short", "reset", None, None)
        ) as archive:
            settings = platform.settings(
                ACTIVITY_ARCHIVE_URL=archive.url, ACTIVITY_ARCHIVE_RETRY="0s", ACTIVITY_ARCHIVE_FROM=SPAN[0]
            )
            follower = Follower(settings, threading.Event(), Watchdog(), CollectorRegistry(), quick)
            for _ in range(60):
                if follower.run_pass(TEN[-1]):
                    break
                incomplete += 1
            assert states(platform) == {"read": len(TEN)}
            met |= set(archive.met)
        for project in settings.projects:
            apply_empty_hours(settings, project)
        assert checksums(platform) == expected
    assert {"404", "500", "cut", "silent"} <= met
    assert incomplete
