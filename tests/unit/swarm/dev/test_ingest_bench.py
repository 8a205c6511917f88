import json
from pathlib import Path

import pytest

from swarm.dev import ingest_bench
from swarm.dev.deploy_bench import BYTES, SHARE, TIMES, Figure
from swarm.dev.ingest_bench import Bench
from swarm.report import Report
from swarm.shell import Argv, RecordingShell, Result

NUMBERS = {"gunzip": 1.0, "read": 1.5}


class TimedShell(RecordingShell):
    """Answers as measured processes do: gunzip takes a second, reading one and a half."""

    def _answer(self, argv: Argv) -> Result:
        if argv[2] == "tests.bench.load":
            rounds = [{"gunzip": 1.0, "ours": 2.5, "gha2db": 30.0, "rows": 9}] * int(argv[argv.index("--rounds") + 1])
            return Result(argv, 0, json.dumps({"rounds": rounds}))
        what = argv[3] if argv[2] == "tests.bench.read_hour" else ""
        told = {"processor": NUMBERS.get(what, 0), "clock": 1.0, "peak": 40 * 2**20, "lines": 9, "events": 1}
        return Result(argv, 0, json.dumps(told))


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TimedShell:
    monkeypatch.setattr(ingest_bench, "FOLDER", tmp_path)
    return TimedShell()


def test_reading_is_measured_in_turn_with_gunzipping_after_one_round_that_does_not_count(shell: TimedShell) -> None:
    figures = list(ingest_bench.reading(Bench(2, 0.01, shell, Report())))
    assert [argv[3] for argv in shell.ran if argv[2] == "tests.bench.read_hour"] == ["read", "gunzip"] * 6
    assert [(figure.values, figure.goal, figure.unit) for figure in figures] == [
        ((1.5, 1.5), 2.0, TIMES),
        ((1.5, 1.5), 2.8, TIMES),
        ((40.0 * 2**20,) * 4, 64.0 * 2**20, BYTES),
    ]
    assert not any(figure.missed for figure in figures)


def test_hours_are_made_at_the_size_that_was_asked_for(shell: TimedShell, tmp_path: Path) -> None:
    Bench(1, 0.5, shell, Report()).hour("slim")
    assert shell.ran[0][1:] == (
        "-m", "tests.bench.make_hour", str(tmp_path / "slim-125000"), str(tmp_path / "usual.json"),
        "--from", "2026-05-14-15", "--to", "2026-05-14-15", "--shape", "slim", "--events", "125000",
    )  # fmt: skip


def test_what_names_cost_is_a_share_and_each_project_has_its_part_of_it(shell: TimedShell, tmp_path: Path) -> None:
    more, each = ingest_bench.names(Bench(2, 0.01, shell, Report()))
    assert (more.values, more.goal, more.unit) == ((0.0, 0.0), 0.05, SHARE)
    assert (each.values, each.goal) == ((0.0, 0.0), 0.01)
    assert len(json.loads((tmp_path / "projects.json").read_text())["projects"]) == 250
    assert len(json.loads((tmp_path / "names.json").read_text())["projects"][1]["organisations"]) == 4000


def test_loading_is_held_against_gunzip_and_against_a_statement_for_each_row(shell: TimedShell) -> None:
    over, under = ingest_bench.loading(Bench(3, 0.01, shell, Report()))
    assert (over.values, over.goal, over.missed) == ((2.5,) * 3, 3.0, False)
    assert (under.values, under.goal, under.missed) == ((12.0,) * 3, 10.0, False)
    assert Figure("slow", (9.9,), under.goal, under.unit, at_least=under.at_least).missed


def test_every_case_gives_figures_with_what_they_are_about(shell: TimedShell) -> None:
    figures = ingest_bench.ingest(1, 0.01, shell, Report())
    assert len({figure.what for figure in figures}) == len(figures) >= 8


def test_a_goal_can_be_the_least() -> None:
    assert Figure("gain", (1.7, 1.9, 1.7), 1.8, TIMES, at_least=True).missed
    assert not Figure("gain", (1.9,), 1.8, TIMES, at_least=True).missed
    assert Figure("gain", (1.9,), 1.8, TIMES, at_least=True).cells()[4:] == ("1.90 x", "≥ 1.80 x", "met")
    assert Figure("memory", (70 * 2.0**20,), 64 * 2.0**20, BYTES).cells()[3:] == (
        "70 MiB",
        "70 MiB",
        "≤ 64 MiB",
        "missed",
    )
    assert Figure("more", (0.0123,), 0.05, SHARE).cells()[3] == "1.23%"
