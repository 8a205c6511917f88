import contextlib
import itertools
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from swarm.dev import test_tiers
from swarm.errors import TestsFailed, UnknownName
from swarm.report import Report
from swarm.settings.environment import ROOT
from swarm.shell import Argv, RecordingShell, Result

CLOCK = itertools.count().__next__


PYTHON = sys.executable


def run(wanted: str, shell: RecordingShell, ci: str = "false", **options: bool) -> None:
    long = options.pop("long", False)
    test_tiers.run(wanted, long, shell, Report(), lambda: float(CLOCK()), {"CI": ci}, **options)


def lanes(tier: str) -> dict[str, Argv]:
    """The command of each lane of a tier by the lane's name."""
    (found,) = [item for item in test_tiers.tiers(False) if item.name == tier]
    return {lane.name: lane.commands[0] for lane in found.lanes}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with all that tiers need."""
    monkeypatch.setattr(test_tiers.prerequisites, "ensure_engine", lambda *_: None)
    monkeypatch.setattr(test_tiers.prerequisites, "ensure_browser", lambda *_: None)
    monkeypatch.setattr(test_tiers.prerequisites, "ensure_test_programs", lambda *_: None)


def test_the_lint_tier_runs_every_checker() -> None:
    shell = RecordingShell()
    run("lint", shell)
    assert [argv[-1].rsplit("/", 1)[-1] for argv in shell.ran] == [".", ".", "mypy", "lint-imports"]


def test_long_reaches_pytest() -> None:
    shell = RecordingShell()
    run("unit", shell, long=True)
    assert shell.ran[0][-2:] == ("--long", "tests/unit")


def test_a_failing_command_fails_its_tier_by_name_and_the_others_still_run() -> None:
    shell = RecordingShell(answers={(PYTHON, "-m", "ruff"): Result((), 1)})
    with pytest.raises(TestsFailed, match=r"Failed: lint\."):
        run("lint,unit", shell)
    assert "tests/unit" in {argv[-1] for argv in shell.ran}
    assert "lint-imports" in {argv[-1].rsplit("/", 1)[-1] for argv in shell.ran}


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(("tier", "apart"), [("e2e", test_tiers.DEPLOYS), ("integration", test_tiers.BACKUPS)])
def test_every_case_of_a_tier_runs_in_exactly_one_lane(tier: str, apart: str) -> None:
    shell = RecordingShell()
    run(tier, shell)
    rest, own = sorted((argv[3:] for argv in shell.ran), key=len, reverse=True)
    assert own == (apart,)
    assert rest == (f"tests/{tier}", f"--ignore={apart}")
    assert list((ROOT / apart).glob("test_*.py"))
    assert {argv[0] for argv in shell.ran} == {PYTHON}


@pytest.mark.usefixtures("engine")
def test_lanes_of_several_tiers_run_at_once_and_each_has_its_own_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = [*lanes("integration").values(), *lanes("e2e").values()]
    monkeypatch.setattr(test_tiers, "AT_ONCE", len(commands))
    gathered = threading.Barrier(len(commands), timeout=10)

    class Together(RecordingShell):
        def follow(self, argv: Argv, line: Callable[[str], None], **named: Any) -> Result:
            gathered.wait()
            return super().follow(argv, line, **named)

    shell = Together(answers={lanes("integration")["backups"]: Result((), 1)})
    with pytest.raises(TestsFailed, match=r"Failed: integration \(backups\)\."):
        run("integration,e2e", shell)
    assert sorted(shell.ran) == sorted(commands)
    said = capsys.readouterr().out
    assert re.search(r"^integration +backups +failed", said, re.M)
    assert re.search(r"^integration +integration +passed", said, re.M)
    assert re.search(r"^e2e +e2e-manager +passed", said, re.M)


@pytest.mark.usefixtures("engine")
def test_no_more_lanes_run_at_once_than_the_processors_bear_cheap_ones_and_then_the_longest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(test_tiers, "AT_ONCE", 2)
    began: list[Argv] = []
    crowded: list[Argv] = []
    third = threading.Barrier(3)

    class Watching(RecordingShell):
        def follow(self, argv: Argv, line: Callable[[str], None], **named: Any) -> Result:
            began.append(argv)
            with contextlib.suppress(threading.BrokenBarrierError):
                third.wait(timeout=0.2)
                crowded.append(argv)
            return super().follow(argv, line, **named)

    run("unit,integration,e2e", Watching())
    assert crowded == []
    order = [argv[-1].removeprefix("--ignore=") for argv in began]
    assert sorted(order[:2]) == sorted(["tests/unit", test_tiers.DEPLOYS])
    assert order[2] == test_tiers.DEPLOYS
    assert sorted(order[3:]) == [test_tiers.BACKUPS, test_tiers.BACKUPS]


def test_each_lane_end_to_end_has_a_swarm_of_its_name() -> None:
    assert all((ROOT / "tests" / "e2e" / "env" / name).is_dir() for name in lanes("e2e"))


@pytest.mark.usefixtures("engine")
def test_a_failing_lane_fails_its_tier() -> None:
    with pytest.raises(TestsFailed, match=r"Failed: e2e \(e2e-manager\)\."):
        run("e2e", RecordingShell(answers={lanes("e2e")["e2e-manager"]: Result((), 1)}))


def test_durations_of_all_lanes_of_a_tier_are_one_table_slowest_first(capsys: pytest.CaptureFixture[str]) -> None:
    class Timed(RecordingShell):
        def follow(self, argv: Argv, line: Callable[[str], None], **named: Any) -> Result:
            assert argv[-2:] == (f"--durations={test_tiers.SLOWEST}", "tests/unit")
            for said in ("2.50s call     tests/unit/a.py::test_one[x y]", "61.20s setup    b.py::test_two", "passed"):
                line(said)
            return super().follow(argv, line, **named)

    run("unit", Timed(), durations=True)
    said = capsys.readouterr().out
    table = said[said.index("SLOWEST OF UNIT") :]
    assert re.search(
        r"^1m 01\.2s +setup +b\.py::test_two *\n2\.5s +call +tests/unit/a\.py::test_one\[x y\]", table, re.M
    )
    assert re.search(r"^unit +unit +passed", table, re.M)


def test_an_unknown_tier_is_named() -> None:
    with pytest.raises(UnknownName, match=r'No tier "units"\. Did you mean unit\?'):
        run("units", RecordingShell())


def test_a_tier_that_cannot_run_fails_where_ci_is_true_and_the_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object) -> None:
        raise test_tiers.SwarmstatsError("No Docker engine answers.")

    monkeypatch.setattr(test_tiers.prerequisites, "ensure_engine", absent)
    monkeypatch.setattr(test_tiers.prerequisites, "ensure_browser", absent)
    shell = RecordingShell()
    run("unit,e2e", shell, ci="false")
    assert [argv[-1] for argv in shell.ran] == ["tests/unit"]
    with pytest.raises(TestsFailed, match="Could not run: e2e;"):
        run("e2e", RecordingShell(), ci="true")


INTERRUPTED = """
import subprocess, sys
from swarm.dev import test_tiers
test_tiers.accept_interrupts()
argv = (sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGINT)")
sys.exit(subprocess.run(argv, stderr=subprocess.DEVNULL).returncode == 0)
"""


def test_processes_of_tests_can_be_interrupted_also_where_a_shell_ignores_it() -> None:
    command = ("sh", "-c", 'trap "" INT; exec "$0" -c "$1"', PYTHON, INTERRUPTED)
    assert subprocess.run(command, check=False, cwd=ROOT).returncode == 0
