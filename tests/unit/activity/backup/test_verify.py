"""A backup is verified by everything that can look at it, and fails when one of them finds something."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from activity.backup import verify as verifying
from activity.errors import BackupFailed

TOOLS = ("pg_amcheck", "pg_checksums")


class Instance:
    """Takes down what happens to the restored server, and with what the tools of Postgres are called."""

    def __init__(self, broken: str = "") -> None:
        self.happened: list[str] = []
        self.calls: dict[str, tuple[str, ...]] = {}
        self.broken = broken

    def run(self, argv: Sequence[str]) -> str:
        self.happened.append(argv[0])
        self.calls[argv[0]] = tuple(argv)
        if argv[0] == self.broken:
            raise BackupFailed(f"{argv[0]} exited with 1:")
        return ""

    @contextmanager
    def running(self, *_: Any, **__: Any) -> Iterator[None]:
        self.happened.append("started")
        yield
        self.happened.append("stopped")


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A backup that restores and whose rows can be read; a tool may find something."""

    def _restored(broken: str = "") -> Instance:
        instance = Instance(broken)
        repository = type("Repository", (), {"newest": lambda self: type("Backup", (), {"label": "newest"})()})
        monkeypatch.setattr(verifying, "read", repository)
        monkeypatch.setattr(verifying, "restore_files", lambda *_, **__: None)
        monkeypatch.setattr(verifying, "running", instance.running)
        monkeypatch.setattr(verifying, "_read_all", lambda _: (datetime(2026, 1, 1, tzinfo=UTC), {"apache": {"t": 7}}))
        monkeypatch.setattr(verifying.process, "run", instance.run)
        return instance

    return _restored


def test_indexes_are_checked_while_the_server_runs_and_checksums_once_it_has_stopped(restored, tmp_path):
    instance = restored()
    found = verifying.verify(tmp_path)
    assert (found.databases, found.tables, found.rows) == (1, 1, 7)
    assert instance.happened == ["started", "pg_amcheck", "stopped", "pg_checksums"]
    assert instance.calls["pg_checksums"][1:] == ("--check", f"--pgdata={tmp_path / 'data'}")
    assert "--all" in instance.calls["pg_amcheck"]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_backup_in_which_a_tool_finds_damage_does_not_verify_and_leaves_nothing(restored, tmp_path, tool):
    restored(tool)
    (tmp_path / "data").mkdir()
    with pytest.raises(BackupFailed, match=f"{tool} exited with 1"):
        verifying.verify(tmp_path)
    assert list(tmp_path.iterdir()) == []
