import pytest

from swarm.errors import CommandFailed, ToolMissing
from swarm.shell import RecordingShell, Result, Shell


def test_a_command_that_fails_says_what_it_said() -> None:
    with pytest.raises(CommandFailed, match="exited with 3:\nbroken"):
        Shell().run(("sh", "-c", "echo broken >&2; exit 3"))


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ToolMissing, match="`no-such-program` is not installed on this machine"):
        Shell().run(("no-such-program",))


def test_input_goes_by_stdin() -> None:
    assert Shell().run(("cat",), stdin="secret").stdout == "secret"


def test_following_hands_over_lines_as_they_come() -> None:
    lines: list[str] = []
    assert Shell().follow(("sh", "-c", "echo one; echo two >&2"), lines.append).code == 0
    assert lines == ["one", "two"]


def test_the_recording_shell_answers_by_the_longest_prefix_and_runs_nothing() -> None:
    shell = RecordingShell(answers={("docker",): Result(("docker",), 1), ("docker", "info"): Result((), 0, "fine")})
    assert shell.run(("docker", "info", "-f", "x")).stdout == "fine"
    with pytest.raises(CommandFailed):
        shell.run(("docker", "ps"))
    assert shell.ran == [("docker", "info", "-f", "x"), ("docker", "ps")]
