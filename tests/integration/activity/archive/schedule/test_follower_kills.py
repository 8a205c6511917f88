"""The service killed at any moment, on an archive that fails, and started again: every hour comes, once, for all."""

import gzip
import random
import signal
from contextlib import contextmanager, suppress
from shutil import copy
from subprocess import TimeoutExpired
from time import monotonic

import psycopg2
import pytest
from activity.archive.simulate.hour_files import make_hour
from activity.database.hour_ledger import apply_empty_hours
from activity.hour import parse_hour

from tests.support.faulty_server import faulty
from tests.support.waiting import HANG, until

PROJECTS = ("apache", "rust-lang", "cachethq")
FIRST = parse_hour("2026-01-05-9")
HOURS = [FIRST.shift(number) for number in range(8)]
SILENT = HOURS[3]
FAULTS = ("404", "500", "cut", "short", None, None, None, None, None, None)
KILLS, LONG_KILLS = 4, 30
READ = "select count(*) from archive_hours where state = 'read'"


@pytest.fixture
def folder(platform, tmp_path):
    """Hours of three projects, one of them without an event."""
    platform.template = ""
    platform.follow(*PROJECTS, start="2026-01-05")
    folder = tmp_path / "hours"
    folder.mkdir()
    for hour in HOURS:
        copy(make_hour(tmp_path / "made", platform.settings().projects, hour), folder)
    (folder / f"{SILENT}.json.gz").write_bytes(gzip.compress(b"\n"))
    return folder


def checksums(platform):
    settings = platform.settings()
    for project in settings.projects:
        apply_empty_hours(settings, project)
    return {project: platform.checksum(project) for project in PROJECTS}


@contextmanager
def following(platform, url):
    """The service on these hours; killed at the end if nobody did before."""
    changes = {
        "ACTIVITY_ARCHIVE_URL": url,
        "ACTIVITY_ARCHIVE_FROM": str(HOURS[0]),
        "ACTIVITY_ARCHIVE_TO": str(HOURS[-1]),
    }
    service = platform.start("ingest", **changes, ACTIVITY_ARCHIVE_RETRY="0s")
    try:
        yield service
    finally:
        service.kill()
        service.communicate()


def complete(platform):
    with suppress(psycopg2.Error):
        return platform.log_rows(READ) == [(len(HOURS),)]
    return False


def test_the_service_killed_at_any_moment_and_started_again_leaves_the_rows_of_an_undisturbed_one(
    platform, folder, long
):
    began = monotonic()
    with following(platform, folder.as_uri()) as service:
        until("all hours", lambda: complete(platform))
        took = monotonic() - began
        service.send_signal(signal.SIGTERM)
        assert service.wait(HANG) == 0
    expected = checksums(platform)
    assert all(platform.events(project) > 20 for project in PROJECTS)
    moments, halfway, met = random.Random(2027), 0, 0
    times = LONG_KILLS if long else KILLS
    # More rounds, each with an earlier moment, where all kills came too late.
    for seed in range(3 * times):
        if seed >= times and halfway:
            break
        platform.drop()
        platform.log_rows("truncate archive_hours, empty_hours, backfills")
        with faulty(folder, seed, FAULTS) as archive:
            with following(platform, archive.url) as service:
                # The moment is drawn; it falls into the start, the making of databases, the reading or the writing.
                with suppress(TimeoutExpired):
                    service.wait(took * moments.uniform(0.3, 1.1))
                service.kill()
                service.communicate()
                assert service.returncode == -signal.SIGKILL
            if complete(platform):
                took *= 0.8
            else:
                halfway += 1
            with following(platform, archive.url) as service:
                # Where all hours were there already, a stop could come before it is listened to.
                assert any("ingest started" in line for line in iter(service.stderr.readline, ""))
                until("all hours after a kill", lambda: complete(platform))
                service.send_signal(signal.SIGTERM)
                _, said = service.communicate(timeout=HANG)
                assert service.returncode == 0, said
                assert "Traceback" not in said
            met += archive.met.total() - archive.met["None"]
        assert checksums(platform) == expected
    assert halfway > 0
    assert met > 0
