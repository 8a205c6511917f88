"""What the keeper of backups knows of those that were made before it began, from the log database."""

import json
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from activity.backup.history import VERIFY, Recorder, recent
from activity.backup.scheduler import Scheduler
from activity.errors import BackupFailed
from activity.health import Watchdog
from activity.settings import Need

NOW = datetime.now(UTC)
RECORD = """
insert into backups (kind, project, started_at, ended_at, failed, words)
select %s, coalesce(%s, 'p' || n %% 250), ended, ended, %s, ''
from generate_series(1, %s) n, lateral (select now() - %s - n * interval '1 second') as at (ended)
"""
# Restores fail; what is there is told.
PROGRAM = """#!/bin/sh
case "$*" in *info*) cat {told} ;; *) echo 'no such luck' >&2; exit 1 ;; esac
"""


@pytest.fixture
def log(platform):
    platform.log_rows("truncate backups")
    platform.follow("apache")
    yield platform
    platform.log_rows("truncate backups")


def record(platform, kind, ago, *, failed, project=None, count=1):
    platform.log_rows(RECORD, [kind, project, failed, count, timedelta(**ago)])


def keeper(platform, monkeypatch, *ended, when):
    """A keeper that begins now, and whose repository has backups that ended then."""
    made = [
        {
            "label": f"{moment:%Y%m%d}F", "type": "full", "error": False,
            "info": {"size": 1, "repository": {"delta": 1}},
            "timestamp": {"start": moment.timestamp() - 60, "stop": moment.timestamp()},
        }
        for moment in ended
    ]  # fmt: skip
    told, program = platform.folder / "told.json", platform.folder / "bin" / "pgbackrest"
    told.write_text(json.dumps([{"name": "main", "status": {"code": 0, "message": "ok"}, "backup": made}]))
    program.parent.mkdir(exist_ok=True)
    program.write_text(PROGRAM.format(told=told))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    (platform.folder / "scratch").mkdir(exist_ok=True)
    settings = platform.settings(
        Need.POSTGRES,
        Need.OWNER,
        Need.PROJECTS,
        ACTIVITY_BACKUP_VERIFY=when,
        ACTIVITY_BACKUP_SCRATCH=str(platform.folder / "scratch"),
    )
    return Scheduler(settings, Recorder(settings), Watchdog(), Event())


def test_hundreds_of_projects_that_fail_hour_after_hour_do_not_hide_the_last_check(log):
    record(log, VERIFY, {"days": 70}, failed=False, project="")
    record(log, "dump", {"days": 2}, failed=False, count=250)
    record(log, "dump", {"hours": 1}, failed=True, count=2500)
    found = recent(log.settings())
    assert [row.failed for row in found if row.kind == VERIFY] == [False]
    assert len({row.project for row in found if row.failed}) == 250
    assert len(found) == 1 + 250 * 4


def test_a_check_that_never_succeeded_is_due_however_new_the_newest_backup_is(log, monkeypatch):
    daily = f"{(NOW - timedelta(hours=3)).minute} {(NOW - timedelta(hours=3)).hour} * * *"
    begun = keeper(log, monkeypatch, NOW - timedelta(days=8), NOW - timedelta(hours=1), when=daily)
    with pytest.raises(BackupFailed, match="no such luck"):
        begun._verify_step()(NOW)


def test_a_check_that_failed_is_owed_by_the_next_keeper_until_one_succeeds(log, monkeypatch):
    monthly = "0 0 1 1 *" if NOW.month > 1 else "0 0 1 7 *"
    made = NOW - timedelta(minutes=2)
    record(log, VERIFY, {"minutes": 1}, failed=True, project="")
    owing = keeper(log, monkeypatch, made, when=monthly)
    owing._remember()
    with pytest.raises(BackupFailed, match="no such luck"):
        owing._verify_step()(NOW)
    record(log, VERIFY, {"seconds": 0}, failed=False, project="")
    log.log_rows("update backups set ended_at = clock_timestamp() where not failed")
    well = keeper(log, monkeypatch, made, when=monthly)
    well._remember()
    assert well._verify_step()(NOW)
