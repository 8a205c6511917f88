import contextlib
import itertools
import re
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


def run(wanted: str, shell: RecordingShell, ci: str = "false", long: bool = False) -> None:
    test_tiers.run(wanted, long, shell, Report(), lambda: float(CLOCK()), {"CI": ci})


def test_the_lint_tier_runs_every_checker() -> None:
    shell = RecordingShell()
    run("lint", shell)
    assert [argv[-1].rsplit("/", 1)[-1] for argv in shell.ran] == [".", ".", "mypy", "lint-imports"]


def test_long_reaches_pytest() -> None:
    shell = RecordingShell()
    run("unit", shell, long=True)
    assert shell.ran[0][-2:] == ("--long", "tests/unit")


def test_a_failing_command_fails_its_tier_by_name_and_the_others_still_run() -> None:
    python = test_tiers.tiers(False)[0].commands[0][0]
    shell = RecordingShell(answers={(python, "-m", "ruff"): Result((), 1)})
    with pytest.raises(TestsFailed, match=r"Failed: lint\."):
        run("lint,unit", shell)
    assert shell.ran[-1][-1] == "tests/unit"


@pytest.mark.parametrize(("tier", "apart"), [("e2e", test_tiers.DEPLOYS), ("integration", test_tiers.BACKUPS)])
def test_every_case_of_a_tier_runs_in_exactly_one_lane(monkeypatch: pytest.MonkeyPatch, tier: str, apart: str) -> None:
    monkeypatch.setattr(test_tiers.prerequisites, "ensure_engine", lambda *_: None)
    monkeypatch.setattr(test_tiers.prerequisites, "ensure_browser", lambda *_: None)
    shell = RecordingShell()
    run(tier, shell)
    rest, own = sorted((argv[3:] for argv in shell.ran), key=len, reverse=True)
    assert own == (apart,)
    assert rest == (f"tests/{tier}", f"--ignore={apart}")
    assert list((ROOT / apart).glob("test_*.py"))
    assert {argv[0] for argv in shell.ran} == {sys.executable}


def test_lanes_of_several_tiers_run_at_once_and_each_tier_has_its_own_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(test_tiers.prerequisites, "ensure_engine", lambda *_: None)
    monkeypatch.setattr(test_tiers.prerequisites, "ensure_browser", lambda *_: None)
    lanes = [lane for tier in test_tiers.tiers(False) for lane in tier.lanes.values()]
    monkeypatch.setattr(test_tiers, "AT_ONCE", len(lanes))
    gathered = threading.Barrier(len(lanes), timeout=10)

    class Together(RecordingShell):
        def follow(self, argv: Argv, line: Callable[[str], None], **named: Any) -> Result:
            gathered.wait()
            return super().follow(argv, line, **named)

    shell = Together(answers={test_tiers.tiers(False)[2].lanes["backups"]: Result((), 1)})
    with pytest.raises(TestsFailed, match=r"Failed: integration\."):
        run("integration,e2e", shell)
    assert sorted(shell.ran) == sorted(lanes)
    said = capsys.readouterr().out
    assert re.search(r"^integration +failed", said, re.M)
    assert re.search(r"^e2e +passed", said, re.M)


def test_no_more_lanes_run_at_once_than_the_processors_bear_and_the_longest_begin_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(test_tiers.prerequisites, "ensure_engine", lambda *_: None)
    monkeypatch.setattr(test_tiers.prerequisites, "ensure_browser", lambda *_: None)
    monkeypatch.setattr(test_tiers, "AT_ONCE", 2)
    began: list[Argv] = []
    crowded: list[Argv] = []
    third = threading.Barrier(3)

    class Watching(RecordingShell):
        def follow(self, argv: Argv, line: Callable[[str], None], **named: Any) -> Result:
            began.append(argv)
            with contextlib.suppress(threading.BrokenBarrierError):
                third.wait(timeout=0.5)
                crowded.append(argv)
            return super().follow(argv, line, **named)

    run("integration,e2e", Watching())
    assert crowded == []
    assert len(began) == 4
    assert sorted(began[:2]) == sorted(test_tiers.tiers(False)[-1].lanes.values())


def test_each_lane_end_to_end_has_a_swarm_of_its_name() -> None:
    assert all((ROOT / "tests" / "e2e" / "env" / name).is_dir() for name in test_tiers.tiers(False)[-1].lanes)


def test_a_failing_lane_fails_its_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_tiers.prerequisites, "ensure_engine", lambda *_: None)
    monkeypatch.setattr(test_tiers.prerequisites, "ensure_browser", lambda *_: None)
    lane = test_tiers.tiers(False)[-1].lanes["e2e-manager"]
    with pytest.raises(TestsFailed, match=r"Failed: e2e\."):
        run("e2e", RecordingShell(answers={lane: Result((), 1)}))


def test_an_unknown_tier_is_named() -> None:
    with pytest.raises(UnknownName, match=r'No tier "units"\. Did you mean unit\?'):
        run("units", RecordingShell())


def test_a_tier_that_cannot_run_fails_where_ci_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object) -> None:
        raise test_tiers.SwarmstatsError("No Docker engine answers.")

    monkeypatch.setattr(test_tiers.prerequisites, "ensure_engine", absent)
    monkeypatch.setattr(test_tiers.prerequisites, "ensure_browser", absent)
    run("e2e", RecordingShell(), ci="false")
    with pytest.raises(TestsFailed, match="Could not run: e2e"):
        run("e2e", RecordingShell(), ci="true")
