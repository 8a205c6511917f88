import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from swarm.settings import hash_cache as memory
from swarm.settings.hash_cache import cached


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setattr(memory, "HOME", tmp_path_factory.mktemp("state") / "remembered")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As a process sees it that begins a minute from now."""
    monkeypatch.setattr(memory, "STARTED", memory.time.time_ns() + 60_000_000_000)
    yield


class Slow:
    """Counts how often it is asked."""

    def __init__(self, answer: str) -> None:
        self.answer, self.times = answer, 0

    def __call__(self) -> str:
        self.times += 1
        return self.answer


def ask(files: list[Path], answer: str) -> tuple[str, int]:
    slow = Slow(answer)
    return cached("how long", files, slow), slow.times


def written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


@pytest.mark.usefixtures("later")
def test_an_answer_is_remembered_while_its_files_stay_as_they_are(tmp_path: Path) -> None:
    files = [written(tmp_path / "one", "a"), written(tmp_path / "other", "b")]
    assert [ask(files, "yes"), ask(files, "no")] == [("yes", 1), ("yes", 0)]


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("change", ["content", "size kept and time set back", "replaced"])
def test_an_answer_is_asked_for_again_when_a_file_has_changed(change: str, tmp_path: Path) -> None:
    one, other = written(tmp_path / "one", "a"), written(tmp_path / "other", "b")
    assert ask([one, other], "yes") == ("yes", 1)
    before = other.stat()
    if change == "replaced":
        written(tmp_path / "new", "b").replace(other)
    else:
        other.write_text("bb" if change == "content" else "c")
        os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert ask([one, other], "no") == ("no", 1)


def test_nothing_is_remembered_of_a_file_that_changed_while_this_process_ran(tmp_path: Path) -> None:
    file = written(tmp_path / "one", "a")
    assert [ask([file], "yes"), ask([file], "no")] == [("yes", 1), ("no", 1)]
    assert not memory.memory(tmp_path).exists()


@pytest.mark.usefixtures("later")
def test_a_file_that_is_not_there_has_no_remembered_answers(tmp_path: Path) -> None:
    assert ask([tmp_path / "one"], "yes") == ("yes", 1)
    assert not memory.memory(tmp_path).exists()


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("damage", ["", "{", "[]", '{"how long": 3}', '{"how long": []}'])
def test_a_damaged_memory_is_no_memory(damage: str, tmp_path: Path) -> None:
    file = written(tmp_path / "one", "a")
    memory.HOME.mkdir()
    memory.memory(tmp_path).write_text(damage)
    assert ask([file], "yes") == ("yes", 1)
    assert ask([file], "no") == ("yes", 0)


@pytest.mark.usefixtures("later")
def test_what_is_remembered_is_for_the_owner_alone_and_holds_answers_only(tmp_path: Path) -> None:
    ask([written(tmp_path / "one", "hunter2")], "yes")
    assert memory.memory(tmp_path).stat().st_mode & 0o777 == 0o600
    assert "hunter2" not in memory.memory(tmp_path).read_text()
    assert list(json.loads(memory.memory(tmp_path).read_text())) == ["how long"]
    assert len(list(memory.HOME.iterdir())) == 1
