import json
from collections.abc import Sequence
from typing import Any

import pytest

from swarm.containers import exec
from swarm.database import backups
from swarm.database.backups import Overview
from swarm.engine.client import Engine
from swarm.errors import BackupFailed, BackupRunning, CommandFailed, RestoreFailed
from tests.unit.swarm.conftest import Make

TOLD: dict[str, Any] = {
    "now": "2026-01-31T12:00:00Z",
    "cluster": [
        {"label": "F", "kind": "full", "ended_at": "2026-01-25T02:00:00Z", "bytes": 31_400_000, "broken": False},
        {"label": "F_D", "kind": "diff", "ended_at": "2026-01-31T02:00:00Z", "bytes": 900, "broken": False},
    ],
    "dumps": [
        {"project": "apache", "name": "apache-1.dump", "taken_at": "2026-01-31T03:30:00Z", "bytes": 5_000_000_000},
    ],
    "failures": [],
    "verified": {"ended_at": "2026-01-26T06:00:00Z"},
    "problem": "",
    "unknown": "",
    "new": False,
}
FAILURE = {
    "kind": "dump", "project": "rust-lang", "ended_at": "2026-01-31T11:00:00Z", "words": "pg_dump ended with 1:\n  why",
}  # fmt: skip


class Container:
    """Stands for the service's container: what it wrote, and how it ended."""

    def __init__(self, code: int, out: Sequence[bytes] = (), err: Sequence[bytes] = ()) -> None:
        self.code, self.out, self.err = code, out, err
        self.argv: tuple[str, ...] = ()

    def __call__(self, _e: Any, _n: Any, service: str, argv: Sequence[str], write: Any, *, complain: Any) -> int:
        self.argv = (service, *argv)
        for chunk in self.out:
            write(chunk)
        for chunk in self.err:
            complain(chunk)
        return self.code


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Any:
    def _answer(code: int, out: Sequence[bytes] = (), err: Sequence[bytes] = ()) -> Container:
        container = Container(code, out, err)
        monkeypatch.setattr(exec, "run", container)
        return container

    return _answer


def test_newest_backups_come_first_then_dumps_then_what_failed() -> None:
    rows = list(Overview({**TOLD, "failures": [FAILURE]}).rows())
    assert [(row.kind, row.name, row.state) for row in rows] == [
        ("diff", "F_D", "whole"),
        ("full", "F", "whole"),
        ("dump", "apache-1.dump", "whole"),
        ("dump", "failed", "pg_dump ended with 1:"),
    ]


def test_what_is_well_has_no_complaints_and_what_is_not_is_told_by_name() -> None:
    assert Overview(TOLD).complaints() == []
    (said,) = Overview({**TOLD, "failures": [FAILURE]}).complaints()
    assert said.startswith("dump of rust-lang failed")
    assert Overview({**TOLD, "problem": "the repository is away"}).complaints() == ["the repository is away"]
    assert Overview({**TOLD, "cluster": [], "new": True, "problem": "no backup has been made yet"}).complaints() == []
    (old,) = Overview({**TOLD, "now": "2026-02-20T12:00:00Z"}).complaints()
    assert old.startswith("the newest backup is")


def test_a_repository_that_did_not_answer_is_an_error_of_its_own_and_all_else_is_told() -> None:
    silent = Overview({**TOLD, "cluster": [], "answered": False, "problem": "The bucket kept at s3 does not answer."})
    assert silent.summary().startswith("cluster backups unknown, verified ")
    assert [row.name for row in silent.rows()] == ["apache-1.dump"]
    with pytest.raises(BackupFailed, match=r"^The bucket kept at s3 does not answer\.$"):
        backups.require_answer(silent)
    # What a service of an earlier release does not tell is no failure.
    backups.require_answer(Overview(TOLD))


def test_lines_are_handed_on_whole_however_they_come(make: Make, answer: Any) -> None:
    container, said = answer(0, [b"one\ntw", b"o\nthree"]), list[str]()
    assert backups.ask(make(), Engine(), "dump", "apache", say=said.append) == ["one", "two", "three"]
    assert said == ["one", "two", "three"]
    assert container.argv == ("db_backups", "python", "-m", "activity", "backup", "dump", "apache")


def test_a_failure_has_the_service_s_words_without_its_log_s(make: Make, answer: Any) -> None:
    answer(72, err=[b"2026-01-31T12:00:00Z error the disk is full exit=72\n"])
    with pytest.raises(BackupFailed, match=r"^the disk is full$"):
        backups.ask(make(), Engine(), "cluster")
    answer(75, err=[b"2026-01-31T12:00:00Z error under way exit=75\n"])
    with pytest.raises(BackupRunning, match=r"^under way$"):
        backups.ask(make(), Engine(), "cluster")


def test_a_service_that_does_not_run_is_told_with_what_starts_it(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> int:
        raise CommandFailed("db_backups has no running task.")

    monkeypatch.setattr(exec, "run", gone)
    with pytest.raises(BackupFailed, match="is not running") as caught:
        backups.overview(make(), Engine())
    assert caught.value.hint == "./run deploy db"


def test_a_restore_asks_for_the_newest_dump_and_its_failure_is_one_of_a_restore(make: Make, answer: Any) -> None:
    answer(0, [json.dumps({"name": "apache-1.dump"}).encode() + b"\n"])
    assert backups.dump(make(), Engine(), "apache", None) == "apache-1.dump"
    answer(72, err=[b"2026-01-31T12:00:00Z error damaged exit=72\n"])
    with pytest.raises(RestoreFailed, match="damaged"):
        backups.restore(make(), Engine(), "apache", None, print, print)


def test_what_went_well_but_not_as_it_should_is_told_and_what_is_only_told_is_not(make: Make, answer: Any) -> None:
    said = list[str]()
    answer(0, [b"done\n"], [b"2026-01-31T12:00:00Z warning a replica lags\n2026-01-31T12:00:00Z info all is well\n"])
    assert backups.restore(make(), Engine(), "apache", None, print, said.append) == "done"
    assert said == ["a replica lags"]
