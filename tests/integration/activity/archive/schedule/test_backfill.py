"""Backfills: every hour that is lacking once for all, side by side, alone on their projects, and again after a kill."""

import random
import signal
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import TimeoutExpired
from time import monotonic

import pytest
from activity.database.project_locks import lock_shared

from tests.support.waiting import HANG, until

FIRST, LAST = "2026-01-01-0", "2026-01-01-19"
HOURS = 20
PROJECTS = ("apache", "rust-lang", "cachethq")
KILLS = 3


@pytest.fixture
def simulated(platform):
    platform.environ["ACTIVITY_ARCHIVE_SIMULATE"] = "always"
    platform.follow(*PROJECTS)
    return platform


def children(process):
    """The processes that a process started; none when it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return []


def is_there(process):
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def backfill(platform, *arguments, first=FIRST, last=LAST, **changes):
    return platform.run("ingest", "--from", first, "--to", last, *arguments, **changes)


def checksums(platform):
    return {project: platform.checksum(project) for project in PROJECTS}


def test_hours_read_side_by_side_give_the_rows_of_hours_read_in_order(simulated):
    assert backfill(simulated).returncode == 0
    expected = checksums(simulated)
    simulated.renew()

    done = backfill(simulated, "--jobs", "3", "--newest-first")

    assert done.returncode == 0, done.stderr
    assert f"{HOURS} hours read" in done.stdout
    assert checksums(simulated) == expected
    assert simulated.log_rows("select count(*) from archive_hours where state = 'read'") == [(HOURS,)]
    assert simulated.log_rows(
        "select hours, done, failed, ended_at is not null from backfills order by id desc limit 1"
    ) == [(HOURS, HOURS, 0, True)]


def test_a_backfill_killed_at_any_moment_and_run_again_gives_the_same_rows_and_leaves_no_process(simulated, long):
    arguments = ("ingest", "--from", FIRST, "--to", LAST, "--jobs", "2")
    simulated.drop()
    began = monotonic()
    assert simulated.run_apart(*arguments).returncode == 0
    whole = monotonic() - began
    expected = checksums(simulated)
    moments, ends = random.Random(2026), []
    times = KILLS * 5 if long else KILLS
    while ends.count(-signal.SIGKILL) < times:
        assert len(ends) < 3 * times, f"most kills came too late: {ends}"
        simulated.drop()
        running = simulated.start(*arguments)
        with suppress(TimeoutExpired):
            running.wait(whole * moments.uniform(0.2, 0.95))
        workers = children(running.pid)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        ends.append(running.returncode)
        if not running.returncode:
            whole *= 0.8

        again = simulated.run(*arguments)

        assert again.returncode == 0, again.stderr
        assert checksums(simulated) == expected
        until("the workers of the killed one to end", lambda left=workers: not any(map(is_there, left)))


def test_a_stop_lets_the_hours_at_hand_end_and_the_next_run_goes_on(simulated):
    running = simulated.start("ingest", "--from", FIRST, "--to", LAST, "--jobs", "2")
    read = "select count(*) from archive_hours where state = 'read'"
    until("some hours", lambda: simulated.log_rows(read)[0][0] >= 3)
    running.send_signal(signal.SIGTERM)
    _, log = running.communicate(timeout=HANG)
    assert running.returncode in (0, 143), log
    before = simulated.log_rows(read)[0][0]
    again = backfill(simulated, "--jobs", "2")
    assert f"{HOURS - before} hours read" in again.stdout


def test_only_what_the_named_projects_lack_is_read(simulated):
    assert backfill(simulated, "--project", "apache", "--project", "cachethq", last="2026-01-01-1").returncode == 0
    assert simulated.rows("apache", "select count(*) from gha_parsed") == [(2,)]
    assert simulated.rows("rust-lang", "select count(*) from gha_parsed") == [(0,)]
    others = backfill(simulated, last="2026-01-01-2")
    assert "3 hours read" in others.stdout
    assert simulated.rows("apache", "select count(*) from gha_parsed") == [(3,)]
    wrong = backfill(simulated, "--project", "apach")
    assert wrong.returncode == 64
    assert "project 'apach' not found" in wrong.stderr


def test_a_project_alone_is_read_from_its_start(simulated):
    simulated.follow(*PROJECTS, start="2026-01-01")
    done = simulated.run("ingest", "--project", "apache", ACTIVITY_ARCHIVE_TO="2026-01-01-3")
    assert done.returncode == 0, done.stderr
    assert "start to 2026-01-01-3: 4 hours read" in done.stdout


def free(platform):
    settings = platform.settings()
    with lock_shared(settings, settings.projects) as found:
        return {project.name for project in found}


@contextmanager
def held_up(platform):
    """A backfill of apache that cannot go on: the table that it writes to is locked."""
    assert backfill(platform, last=FIRST).returncode == 0
    holder = platform.connect(platform.database("apache"))
    holder.autocommit = False
    with holder.cursor() as cursor:
        cursor.execute("lock table gha_events in share mode")
    running = platform.start("ingest", "--from", FIRST, "--to", LAST, "--project", "apache")
    try:
        until("the backfill to have the project for itself", lambda: "apache" not in free(platform))
        yield running
    finally:
        running.kill()
        running.communicate()
        holder.rollback()
        holder.close()


def test_a_sync_leaves_a_project_alone_that_a_backfill_works_on_and_a_killed_one_holds_nothing(simulated):
    with held_up(simulated) as running:
        assert free(simulated) == {"rust-lang", "cachethq"}
        sync = simulated.start("sync", ACTIVITY_PROJECT="apache", ACTIVITY_MINUTE="17")
        lines = iter(sync.stderr.readline, "")
        assert any("a backfill has locked the project" in line for line in lines)
        sync.send_signal(signal.SIGTERM)
        sync.communicate(timeout=HANG)
        running.send_signal(signal.SIGKILL)
        running.wait()
        until("the project to be free", lambda: "apache" in free(simulated))


def test_a_second_backfill_waits_for_the_first(simulated):
    with held_up(simulated) as running:
        second = simulated.start("ingest", "--from", FIRST, "--to", "2026-01-01-1", "--project", "apache")
        lines = iter(second.stderr.readline, "")
        assert any("waiting for the project's lock" in line for line in lines)
        running.kill()
        running.wait()
    _, log = second.communicate(timeout=HANG)
    assert second.returncode == 0, log


def test_a_backfill_whose_locks_are_lost_ends_and_says_so(simulated):
    running = simulated.start("ingest", "--from", FIRST, "--to", "2026-01-05-0")
    until("the backfill to work", lambda: free(simulated) == set())
    read = "select count(*) from archive_hours where state = 'read'"
    until("some hours", lambda: simulated.log_rows(read)[0][0] >= 1)
    simulated.log_rows(
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock'"
        " and database = (select oid from pg_database where datname = 'devstats')"
    )
    _, log = running.communicate(timeout=HANG)
    assert running.returncode == 71, log
    assert "this backfill has lost its locks" in log


INDEXES = "select count(*) from pg_indexes where schemaname = 'public' and tablename like 'gha%%'"


def test_secondary_indexes_of_an_empty_database_are_built_at_the_end_also_after_a_kill(simulated):
    arguments = ("ingest", "--from", FIRST, "--to", "2026-01-05-6", "--jobs", "2", "--project", "apache")
    assert backfill(simulated, "--project", "rust-lang", last=FIRST).returncode == 0
    ((complete,),) = simulated.rows("rust-lang", INDEXES)
    running = simulated.start(*arguments)
    read = "select count(*) from archive_hours where state = 'read'"
    until("some hours", lambda: simulated.log_rows(read)[0][0] >= 5)
    ((deferred,),) = simulated.rows("apache", INDEXES)
    running.kill()
    running.communicate()
    ((left,),) = simulated.rows("apache", "select count(*) from deferred_indexes")
    assert deferred == complete - left < complete

    again = simulated.run(*arguments)

    assert again.returncode == 0, again.stderr
    assert simulated.rows("apache", INDEXES) == [(complete,)]
    assert simulated.rows("apache", "select count(*) from deferred_indexes") == [(0,)]
