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
from activity.archive.read.ownership import repository_name

from tests.support.waiting import until

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
    platform.template = ""
    platform.follow_projects({"eight": EIGHT, "samples": owners})
    return platform


def checksums(platform):
    return {project: platform.checksum(project) for project in ("eight", "samples")}


def read(platform):
    done = platform.run_apart("ingest", "--from", HOURS[0], "--to", HOURS[-1])
    assert done.returncode == 0, done.stderr


def undisturbed(platform):
    """Return what an undisturbed run leaves, and how long it took."""
    began = monotonic()
    read(platform)
    took = monotonic() - began
    filled = platform.counts("samples") | platform.counts("eight")
    assert sum(table.startswith("gha_") for table in filled) >= 28, filled
    return checksums(platform), took


def kill_at_drawn_moments(platform, kill, times, seed):
    """Kill until so many kills have ended an ingest; after each one, killed or not, reading again gives the same rows.

    A moment falls into the start, the making of databases, the reading or the writing. An ingest that was done before
    its moment came (the machine has become faster since it was timed), or that outlived it, brings the next one nearer.
    """
    expected, took = undisturbed(platform)
    moments, ends = random.Random(seed), []
    while sum(map(bool, ends)) < times:
        assert len(ends) < 3 * times + 3, f"most kills hit nothing: {ends}"
        platform.drop()
        running = platform.start("ingest", "--from", HOURS[0], "--to", HOURS[-1])
        with suppress(TimeoutExpired):
            running.wait(took * moments.uniform(0.3, 1.0))
        kill(running)
        running.communicate()
        ends.append(running.returncode)
        if not running.returncode:
            took *= 0.8
        until("Postgres", platform.server.answers)

        read(platform)

        assert checksums(platform) == expected
    return ends


def test_killing_the_ingest_at_any_moment_and_running_it_again_gives_the_same_rows(following, long):
    times = LONG_KILLS if long else KILLS["ingest"]

    ends = kill_at_drawn_moments(following, lambda ingest: ingest.send_signal(signal.SIGKILL), times, seed=2015)

    assert set(ends) <= {0, -signal.SIGKILL}


def test_killing_postgres_at_any_moment_and_running_again_gives_the_same_rows(following, long):
    times = LONG_KILLS if long else KILLS["postgres"]

    kill_at_drawn_moments(following, lambda _: crash(following), times, seed=2025)


def crash(platform):
    """End Postgres by SIGKILL in the midst of the ingest."""

    def crashed():
        connection = platform.connect("postgres")
        try:
            with connection.cursor() as cursor:
                cursor.execute(CRASH)
        except psycopg2.errors.ExternalRoutineException:
            # The backend that was found had ended by itself meanwhile.
            return False
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            # It ended before it could answer.
            return True
        finally:
            connection.close()
        return True

    until("Postgres's end", crashed, every=0.01)
