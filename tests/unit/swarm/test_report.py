"""Asking before something is destroyed: by name at a terminal, not at all where there is none."""

import io
import os
import pty
import sys
from collections.abc import Iterator

import pytest

from swarm.errors import NotConfirmed
from swarm.report import Report

DOOMED = "This removes 1 stack from lab:\n  app: 1 service (nginx)"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The end of a terminal on which an operator types; what is typed there is standard input."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        yield ours
    os.close(ours)


def test_the_name_that_is_asked_for_confirms(typed: int, capsys: pytest.CaptureFixture[str]) -> None:
    os.write(typed, b"app\n")
    Report().confirm(DOOMED, "app")
    assert capsys.readouterr().out == f"{DOOMED}\nType app to continue: "


@pytest.mark.parametrize("answer", [b"ap\n", b"\n", b"yes\n", b"\x04"])
def test_anything_else_does_not(typed: int, answer: bytes) -> None:
    os.write(typed, answer)
    with pytest.raises(NotConfirmed, match=r"Not confirmed; nothing was changed\."):
        Report().confirm(DOOMED, "app")


def test_where_standard_input_is_not_a_terminal_nothing_can_be_confirmed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("app\n"))
    with pytest.raises(NotConfirmed) as caught:
        Report().confirm(DOOMED, "app")
    assert caught.value.message == "Cannot ask for confirmation: standard input is not a terminal."
    assert caught.value.hint == "Use --yes to skip the prompt."
    assert caught.value.exit_code == 76
    assert capsys.readouterr().out == f"{DOOMED}\n"


def test_markup_in_a_name_is_typed_as_it_is_shown(typed: int, capsys: pytest.CaptureFixture[str]) -> None:
    os.write(typed, b"[bold]\n")
    Report().confirm("This removes [bold].", "[bold]")
    assert capsys.readouterr().out == "This removes [bold].\nType [bold] to continue: "
