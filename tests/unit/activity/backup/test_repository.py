"""What pgBackRest tells as JSON, and what becomes of a backup whose service ends."""

from datetime import timedelta
from threading import Event

import pytest
from activity.backup import repository
from activity.backup.repository import interpret
from activity.errors import BackupFailed, BackupRunning
from activity.settings import read_settings

BACKUP = {
    "label": "20260131-013000F", "type": "full", "error": False,
    "info": {"delta": 31, "size": 3100, "repository": {"delta": 3}},
    "timestamp": {"start": 1769823000, "stop": 1769823060},
}  # fmt: skip
WELL = {
    "name": "main", "status": {"code": 0, "message": "ok"}, "backup": [BACKUP],
    "archive": [{"id": "17-1", "min": "000000010000000000000001", "max": "000000020000000000000009"}],
}  # fmt: skip


def test_backups_and_the_archive_are_read():
    found = interpret([WELL])
    assert [(item.label, item.kind, item.bytes, item.repository_bytes) for item in found.backups] == [
        ("20260131-013000F", "full", 3100, 3)
    ]
    assert (found.archive_first[-1], found.archive_last[-1], found.problem) == ("1", "9", "")
    assert found.backups[0].ended_at.isoformat() == "2026-01-31T01:31:00+00:00"


def test_a_broken_backup_is_listed_but_is_never_the_newest():
    broken = {**BACKUP, "label": "20260201-013000F_D", "type": "diff", "error": True}
    found = interpret([{**WELL, "backup": [BACKUP, broken]}])
    assert len(found.backups) == 2
    newest = found.newest()
    assert newest
    assert newest.label == "20260131-013000F"
    assert found.newest("diff") is None
    suited = found.suited(None)
    assert suited
    assert suited.label == "20260131-013000F"


def test_a_moment_is_reached_from_a_whole_backup_that_ended_before_it():
    ended = interpret([WELL]).backups[0].ended_at
    broken = {**BACKUP, "label": "broken", "error": True, "timestamp": {"start": 1769823100, "stop": 1769823160}}
    later = {**BACKUP, "label": "later", "timestamp": {"start": 1769823200, "stop": 1769823260}}
    found = interpret([{**WELL, "backup": [BACKUP, broken, later]}])
    chosen = [found.suited(ended + timedelta(seconds=after)) for after in (0, 1, 150, 201)]
    assert [item and item.label for item in chosen] == [None, BACKUP["label"], BACKUP["label"], "later"]


def test_a_broken_backup_is_the_last_that_was_made_so_that_another_one_is_not_due_at_once():
    broken = {**BACKUP, "label": "20260207-013000F", "error": True}
    found = interpret([{**WELL, "backup": [BACKUP, broken]}])
    assert [item and item.label for item in (found.last(), found.last("full"), found.last("diff"))] == [
        "20260207-013000F", "20260207-013000F", None,
    ]  # fmt: skip


def test_a_repository_that_is_empty_or_unwell_says_why():
    assert interpret([]).problem == "no backup has been made yet"
    unhealthy = {**WELL, "status": {"code": 2, "message": "no valid backups"}, "backup": [], "archive": []}
    assert interpret([unhealthy]).problem == "no valid backups"


def test_a_backup_goes_on_without_the_service_and_is_no_failure_when_that_ends(monkeypatch):
    stop = Event()
    stop.set()
    monkeypatch.setattr(repository, "on_leader", lambda *_: [])
    with pytest.raises(BackupRunning, match="the backup continues on the leader"):
        repository._apart(read_settings({}, frozenset()), ("backup",), stop, lambda: None)


def test_a_repository_that_could_not_be_asked_is_no_empty_one_and_one_line_says_why():
    why = "[ProtocolError] HTTP request failed with 403 (Forbidden):\n*** Path/Query ***:\nGET /?list-type=2"
    silent = {
        **WELL, "status": {"code": 99, "message": "other"}, "backup": [], "archive": [],
        "repo": [{"key": 1, "status": {"code": 99, "message": why}}],
    }  # fmt: skip
    with pytest.raises(BackupFailed, match=r"^The .* correctly: HTTP request failed with 403 \(Forbidden\)\.$"):
        interpret([silent])
