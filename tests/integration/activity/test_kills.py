"""Whatever dies at whatever moment: read again, every table has the rows of a run that nothing disturbed."""

import gzip
import json
import random
import signal
from contextlib import suppress
from shutil import copy
from subprocess import TimeoutExpired
from time import monotonic

import psycopg2
import pytest
from activity.archive.events import repository_name

from tests.waiting import until

HOURS = ("2015-01-01-0", "2015-01-01-1", "2015-01-01-2")
REAL = HOURS[:2]
SAMPLES = ("pre-2015.sample", "2022-04-06.sample", "push_events_after_oct_2025")
EIGHT = ["apache", "rust-lang", "cachethq", "mozilla", "square", "Homebrew", "tgstation", "docker"]
KILLS = {"ingest": 4, "postgres": 2}
LONG_KILLS = 50
# A backend that dies of SIGKILL takes all of Postgres down with it, into recovery from its log.
CRASH = """
copy (
    select pid from pg_stat_activity where datname like 'test\\_%' and application_name = 'activity'
    union all
    select pg_backend_pid()
    limit 1
) to program 'kill -9 $(cat)'
"""


def sampled(shared_data):
    for name in SAMPLES:
        text = gzip.decompress((shared_data / "gharchive" / f"{name}.json.gz").read_bytes())
        yield from json.loads(text) if text.startswith(b"[") else map(json.loads, text.splitlines())


@pytest.fixture
def following(platform, web_archive, shared_data):
    """Two projects over the two real hours and one with events of all formats, which fill every table."""
    for hour in REAL:
        copy(shared_data / "gharchive" / f"{hour}.json.gz", web_archive.folder)
    events = list(sampled(shared_data))
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    (web_archive.folder / f"{HOURS[2]}.json.gz").write_bytes(gzip.compress(lines))
    owners = sorted({repository_name(event).partition("/")[0].lower() for event in events})
    platform.follow_projects({"eight": EIGHT, "samples": owners})
    return platform


def checksums(platform):
    return {project: platform.checksum(project) for project in ("eight", "samples")}


def read(platform):
    done = platform.ingest(HOURS[0], HOURS[-1])
    assert done.returncode == 0, done.stderr


def undisturbed(platform):
    """Return what an undisturbed run leaves, and how long it took."""
    began = monotonic()
    read(platform)
    took = monotonic() - began
    filled = platform.counts("samples") | platform.counts("eight")
    assert sum(table.startswith("gha_") for table in filled) >= 28, filled
    return checksums(platform), took


def test_killing_the_ingest_at_any_moment_and_running_it_again_gives_the_same_rows(following, long):
    expected, took = undisturbed(following)
    moments, ends = random.Random(2015), []
    for _ in range(LONG_KILLS if long else KILLS["ingest"]):
        following.drop()
        running = following.start("ingest", "--from", HOURS[0], "--to", HOURS[-1])
        # The moment is drawn; it falls into the start, the making of databases, the reading or the writing.
        with suppress(TimeoutExpired):
            running.wait(took * moments.uniform(0.3, 1.0))
        running.send_signal(signal.SIGKILL)
        running.communicate()
        ends.append(running.returncode)

        read(following)

        assert checksums(following) == expected
    assert -signal.SIGKILL in ends


def test_killing_postgres_at_any_moment_and_running_again_gives_the_same_rows(following, long, postgres_server):
    expected, took = undisturbed(following)
    moments, ends = random.Random(2025), []
    for _ in range(LONG_KILLS if long else KILLS["postgres"]):
        following.drop()
        running = following.start("ingest", "--from", HOURS[0], "--to", HOURS[-1])
        with suppress(TimeoutExpired):
            running.wait(took * moments.uniform(0.3, 1.0))
        crash(following)
        running.communicate()
        ends.append(running.returncode)
        until("Postgres", postgres_server.answers, deadline=60)

        read(following)

        assert checksums(following) == expected
    assert any(ends)


def crash(platform):
    """End Postgres by SIGKILL in the midst of the ingest."""
    connection = platform.connect("postgres")
    with suppress(psycopg2.OperationalError, psycopg2.InterfaceError), connection.cursor() as cursor:
        cursor.execute(CRASH)
    connection.close()
