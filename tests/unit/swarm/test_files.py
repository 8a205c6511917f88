import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from swarm.files import write_atomically


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_made_with_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", "text")
    assert (tmp_path / "a").read_text() == "text"
    assert permissions(tmp_path / "a") == 0o640


@pytest.mark.parametrize("mode", [0o600, 0o755])
def test_the_permissions_that_were_asked_for_are_given_whatever_the_umask_and_the_old_file(
    tmp_path: Path, mode: int
) -> None:
    (tmp_path / "a").write_text("old")
    write_atomically(tmp_path / "a", b"new", mode)
    assert (tmp_path / "a").read_bytes() == b"new"
    assert permissions(tmp_path / "a") == mode


def test_a_draft_is_never_open_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode)))
    os.umask(0)
    write_atomically(tmp_path / "a", "secret", 0o600)
    assert seen == [0o600]


def test_where_writing_fails_the_file_is_as_it_was_and_nothing_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError("no space left on device")

    (tmp_path / "a").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        write_atomically(tmp_path / "a", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_draft_of_a_secret_is_named_so_that_git_ignores_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = []
    monkeypatch.setattr(os, "fsync", lambda _: drafts.extend(path.name for path in tmp_path.iterdir()))
    write_atomically(tmp_path / "portal-db.secret", "text", 0o600)
    assert len(drafts) == 1
    assert drafts[0].endswith(".secret")
