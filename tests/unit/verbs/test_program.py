"""What a command line runs: one verb with every word understood, or nothing."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from invoke import Executor

import tasks
from swarm.errors import ArgumentInvalid, UnknownName
from swarm.settings.environment import ROOT
from tests.unit.verbs.test_arguments import NAMES, needed_words, verb
from tests.unit.verbs.test_verbs import CHANGING
from verbs.program import VerbProgram

DRY = ("--dry", "-n")


class Recorder(Executor):
    """Executes nothing and remembers what it was asked for."""

    asked: list[tuple[str, dict[str, Any]]] = []

    def execute(self, *found: Any) -> dict[Any, Any]:
        self.asked += found
        return {}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command line: its exit code and what it would have executed."""
    monkeypatch.setattr(Recorder, "asked", [])

    def call(*words: str) -> tuple[int, list[tuple[str, dict[str, Any]]]]:
        program = VerbProgram(tasks.namespace)
        program.executor_class = Recorder
        try:
            program.run(["./run", *words])
        except SystemExit as ended:
            return int(ended.code or 0), list(Recorder.asked)
        return 0, list(Recorder.asked)

    return call


@pytest.mark.parametrize("name", sorted(CHANGING))
def test_dry_means_the_same_at_every_place(run: Any, name: str) -> None:
    words = needed_words(name)
    before = [(flag, name, *words) for flag in DRY]
    after = [(name, *words, flag) for flag in DRY]
    between = [(name, flag, *words) for flag in DRY]
    lines = [*before, *between, *after, ("--dry", name, *words, "-n")]
    for line in lines:
        code, asked = run(*line)
        assert code == 0, line
        called, arguments = asked[-1]
        assert (called, arguments["dry"]) == (name, True), line
    assert len(asked) == len(lines)


@pytest.mark.parametrize("name", sorted(set(NAMES) - CHANGING))
def test_a_verb_without_dry_refuses_it_at_every_place(run: Any, name: str) -> None:
    words = needed_words(name)
    for line in (("--dry", name, *words), (name, *words, "--dry"), ("-n", name, *words)):
        assert run(*line) == (ArgumentInvalid.exit_code, []), line


@pytest.mark.parametrize(
    "flags",
    [
        ["-R"], ["-d"], ["--debug"], ["-e"], ["--echo"], ["-c", "tasks"], ["--collection=tasks"], ["-r", "/"],
        ["-f", "x"],
        ["--config=x"], ["--prompt-for-sudo-password"], ["-T", "5"], ["--command-timeout=x"], ["-w"], ["--warn-only"],
        ["-p"], ["--pty"], ["-D", "1"], ["--list-depth=1"], ["--hide=out"], ["-F", "json"], ["--no-dedupe"],
        ["--write-pyc"], ["--no-such-flag"], ["--dry", "-R"], ["-nR"], ["--search-root", ".", "-R"], ["-e", "lab"],
    ],
)  # fmt: skip
def test_a_flag_of_invoke_before_a_verb_is_refused_and_nothing_runs(run: Any, flags: list[str], capsys: Any) -> None:
    assert run(*flags, "deploy", "app") == (ArgumentInvalid.exit_code, [])
    said = capsys.readouterr().err
    assert "is not allowed before a verb." in said
    assert f"Exit {ArgumentInvalid.exit_code}." in said


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"exec"}))
def test_words_after_two_dashes_are_an_error(run: Any, name: str) -> None:
    for after in (["--dry"], ["word"], []):
        assert run(name, *needed_words(name), "--", *after) == (ArgumentInvalid.exit_code, [])


def test_exec_hands_on_what_stands_after_two_dashes(run: Any) -> None:
    code, asked = run("exec", "app/nginx", "--", "ls", "--help", "--dry")
    assert code == 0
    assert [(name, arguments["service"]) for name, arguments in asked] == [("exec", "app/nginx")]
    assert run("exec", "app/nginx", "ls", "--", "x")[0] == ArgumentInvalid.exit_code


@pytest.mark.parametrize(
    "line",
    ["build app deploy app", "build app deploy app --dry", "--dry build app deploy app", "status app clean all -n"],
)
def test_several_verbs_in_one_command_are_an_error_and_none_runs(run: Any, line: str, capsys: Any) -> None:
    assert run(*line.split()) == (ArgumentInvalid.exit_code, [])
    assert "one verb per command" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("deplyo app", UnknownName.exit_code), ("--dry=no deploy app", UnknownName.exit_code),
        ("--list deploy app", UnknownName.exit_code), ("-l deploy app", UnknownName.exit_code),
        ("--help deplyo", UnknownName.exit_code), ("-- deploy app", ArgumentInvalid.exit_code),
        ("--dry -- deploy app", ArgumentInvalid.exit_code),
    ],
)  # fmt: skip
def test_what_names_no_verb_runs_nothing(run: Any, line: str, code: int) -> None:
    assert run(*line.split()) == (code, [])


def test_an_unknown_verb_gives_the_nearest_one(run: Any, capsys: Any) -> None:
    run("deplyo", "app")
    assert 'No verb "deplyo". Did you mean deploy' in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("name", NAMES)
def test_help_is_shown_wherever_it_is_asked_for(run: Any, name: str, flag: str, capsys: Any) -> None:
    lines: list[tuple[str, ...]] = [
        (name, flag),
        (flag, name),
        (name, *needed_words(name), flag),
        ("--dry", name, flag),
    ]
    for line in lines[: 4 if name in CHANGING else 3]:
        assert run(*line) == (0, []), line
        assert f"usage: {verb(name).usage(name)}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("line", ["", "--help", "-h", "--list", "-l"])
def test_without_a_verb_all_verbs_are_listed(run: Any, line: str, capsys: Any) -> None:
    assert run(*line.split()) == (0, [])
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in NAMES)


def test_a_group_of_verbs_is_listed_alone(run: Any, capsys: Any) -> None:
    assert run("--list", "lock") == (0, [])
    assert capsys.readouterr().out.split()[:2] == ["Verbs:", ".break"]


def test_invokes_own_completion_goes_on_working(run: Any, capsys: Any) -> None:
    assert run("--complete", "--", "dep") == (0, [])
    assert "deploy" in capsys.readouterr().out.split()
    assert run("--print-completion-script", "bash") == (0, [])
    assert "complete -F" in capsys.readouterr().out


def test_byte_code_is_kept_as_python_was_told_to(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for told in (False, True):
        monkeypatch.setattr(sys, "dont_write_bytecode", told)
        run("demo", "--dry")
        assert sys.dont_write_bytecode is told


ENTRIES = {
    "run": (sys.executable, str(ROOT / "tasks.py")),
    "invoke": (sys.executable, "-m", "invoke", "--search-root", str(ROOT)),
}


@pytest.mark.parametrize("entry", sorted(ENTRIES))
def test_both_entries_refuse_in_a_process_of_their_own(entry: str, tmp_path: Path) -> None:
    for words in (
        ("-R", "deploy", "app"),
        ("deploy", "app", "--", "--dry"),
        ("build", "app", "deploy", "app", "--dry"),
    ):
        done = subprocess.run(
            (*ENTRIES[entry], *words), cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, done.stdout) == (ArgumentInvalid.exit_code, ""), done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("entry", sorted(ENTRIES))
@pytest.mark.parametrize("words", [["--list"], ["rollback", "--help"]])
def test_whoever_reads_only_the_head_of_help_sees_no_complaint(entry: str, words: list[str]) -> None:
    asked = subprocess.Popen((*ENTRIES[entry], *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert asked.stdout
    asked.stdout.close()
    _, complaint = asked.communicate(timeout=60)
    assert complaint == ""


def test_a_list_or_help_waits_for_no_package_that_only_verbs_need() -> None:
    heavy = "{'docker', 'requests', 'pydantic', 'jinja2', 'yaml', 'python_on_whales', 'ruamel'}"
    asked = f"import sys, tasks; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run((sys.executable, "-c", asked), cwd=ROOT, capture_output=True, text=True, check=True)
    # Invoke brings its own copy of yaml, which takes the C parser of the real one.
    assert done.stdout.strip() in ("[]", "['yaml']")
