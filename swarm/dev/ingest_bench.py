"""How quick the ingest is: each figure against only gunzipping the same hour, side by side, in fresh processes."""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarm.dev.deploy_bench import BYTES, SHARE, TIMES, Figure
from swarm.report import Report
from swarm.settings.environment import ROOT
from swarm.shell import Shell

# Hours are made once and kept: an hour of this size takes a minute.
FOLDER = ROOT / ".swarmstats" / "bench" / "hours"
DISTRIBUTION = ROOT / "images" / "activity"
# Before 2025-10-08 the archive had all fields of an event, since then little of pushes and pull requests.
HOURS = {"fat": "2024-05-14-15", "slim": "2026-05-14-15"}
EVENTS = {"fat": 200_000, "slim": 250_000}
OWNERS, REPOSITORIES, MORE = 100, 60, 4_000
PROJECTS = 250
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Measured:
    """What one process took: seconds of processor and clock for the work itself, and its peak memory in bytes."""

    processor: float
    clock: float
    peak: int
    lines: int
    events: int


@dataclass(frozen=True)
class Bench:
    """How often to measure, how large the hours are (a share of full ones), and what with."""

    runs: int
    size: float
    shell: Shell
    report: Report

    def hour(self, shape: str) -> Path:
        """An hour of a shape, with 1 % of its events at the repositories of the usual project."""
        count = max(int(EVENTS[shape] * self.size), 1)
        folder = FOLDER / f"{shape}-{count}"
        path = folder / f"{HOURS[shape]}.json.gz"
        if not path.exists():
            with self.report.step(f"{shape} hour of {count} events made"):
                options = ("--from", HOURS[shape], "--to", HOURS[shape], "--shape", shape, "--events", str(count))
                self.python("tests.bench.make_hour", str(folder), str(self.projects("usual", usual())), *options)
        return path

    def projects(self, name: str, entries: list[dict[str, Any]]) -> Path:
        """A projects.json with these projects."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        path = FOLDER / f"{name}.json"
        path.write_text(json.dumps({"projects": entries}))
        return path

    def measure(self, what: str, *arguments: Path) -> Measured:
        """One thing done once by a fresh process."""
        return Measured(**json.loads(self.python("tests.bench.read_hour", what, *map(str, arguments))))

    def python(self, module: str, *arguments: str) -> str:
        """Run a module of the benchmarks; returns its output."""
        argv = (sys.executable, "-m", module, *arguments)
        return self.shell.run(argv, environment={"PYTHONPATH": f"{ROOT}:{DISTRIBUTION}"}).stdout

    def pairs(self, first: Callable[[], Measured], second: Callable[[], Measured]) -> list[tuple[Measured, Measured]]:
        """Two things in turn, so that both meet the same machine; once before that without measuring."""
        first(), second()
        return [(first(), second()) for _ in range(self.runs)]

    def against_gunzip(self, what: str, hour: Path, *arguments: Path) -> list[tuple[Measured, Measured]]:
        """Something done with an hour and the hour only gunzipped, in turn."""
        return self.pairs(lambda: self.measure(what, hour, *arguments), lambda: self.measure("gunzip", hour))


def ingest(runs: int, size: float, shell: Shell, report: Report) -> list[Figure]:
    """Measure everything, case by case."""
    bench = Bench(runs, size, shell, report)
    return [figure for case in CASES for figure in case(bench)]


def usual() -> list[dict[str, Any]]:
    """One project that names organisations and repositories as projects do."""
    repositories = [f"owner-{number}/tracked" for number in range(REPOSITORIES)]
    return [project("usual", [f"organisation-{number}" for number in range(OWNERS)], repositories)]


def project(name: str, organisations: list[str], repositories: list[str] | None = None) -> dict[str, Any]:
    """A project as projects.json has it."""
    return {"name": name, "organisations": organisations, "repositories": repositories or [], "start": "2015-01-01"}


def reading(bench: Bench) -> Iterator[Figure]:
    """Reading and filtering against only gunzipping, for both shapes; and what memory that takes."""
    projects = bench.projects("usual", usual())
    peaks: list[float] = []
    for shape, goal in (("fat", 2.0), ("slim", 2.8)):
        hour = bench.hour(shape)
        with bench.report.step(f"{shape} hour read") as step:
            pairs = bench.against_gunzip("read", hour, projects)
            figure = Figure(f"{shape} hour read against only gunzipped", _ratios(pairs), goal, TIMES)
            step.detail = f"{figure.median:.2f}"
        peaks += [ours.peak for ours, _ in pairs]
        yield figure
    yield Figure("peak memory of a reader", tuple(peaks), 64 * MEGABYTE, BYTES)


def patterns(bench: Bench) -> Iterator[Figure]:
    """The same with globs and regular expressions, which have to look at every name once."""
    rules = [*usual(), project("patterns", ["kube*", "regexp:^(cncf|etcd)-(io|labs)$"], ["*/helm-charts"])]
    projects = bench.projects("patterns", rules)
    for shape in HOURS:
        hour = bench.hour(shape)
        with bench.report.step(f"{shape} hour read with patterns"):
            pairs = bench.against_gunzip("read", hour, projects)
        yield Figure(
            f"{shape} hour read with globs and expressions against only gunzipped", _ratios(pairs), None, TIMES
        )


def names(bench: Bench) -> Iterator[Figure]:
    """What more names and more projects cost that have no event in the hour."""
    hour, few = bench.hour("fat"), bench.projects("usual", usual())
    more = [f"unseen-{number}" for number in range(MORE)]
    many = bench.projects("names", [*usual(), project("more", more)])
    with bench.report.step(f"{MORE} more names"):
        pairs = bench.pairs(lambda: bench.measure("read", hour, many), lambda: bench.measure("read", hour, few))
    yield Figure(f"{MORE} more names", tuple(share - 1 for share in _ratios(pairs)), 0.05, SHARE)
    others = [project(f"project-{number}", [f"unseen-{number}"]) for number in range(PROJECTS - 1)]
    crowd = bench.projects("projects", [*usual(), *others])
    with bench.report.step(f"{PROJECTS} projects"):
        pairs = bench.pairs(lambda: bench.measure("read", hour, crowd), lambda: bench.measure("read", hour, few))
    each = tuple((share - 1) / (PROJECTS - 1) for share in _ratios(pairs))
    yield Figure(f"each of {PROJECTS - 1} more projects without events", each, 0.01, SHARE)


def processes(bench: Bench) -> Iterator[Figure]:
    """Two processes on an hour each against one: by the clock, their start included."""
    hour, projects = bench.hour("fat"), bench.projects("usual", usual())

    def timed(count: int) -> float:
        began = time.perf_counter()
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(lambda _: bench.measure("read", hour, projects), range(count)))
        return time.perf_counter() - began

    with bench.report.step("two processes") as step:
        timed(2)
        gains = tuple(2 * timed(1) / timed(2) for _ in range(bench.runs))
        step.detail = f"{statistics.median(gains):.2f}"
    yield Figure("hours that two processes read while one reads one", gains, 1.8, TIMES, at_least=True)


def loading(bench: Bench) -> Iterator[Figure]:
    """From the file into Postgres, against only gunzipping it and against a statement for each row, as gha2db does."""
    hour, projects = bench.hour("fat"), bench.projects("usual", usual())
    with bench.report.step("fat hour into Postgres, also as gha2db does it") as step:
        printed = bench.python("tests.bench.load", str(hour), str(projects), "--rounds", str(bench.runs), "--json")
        rounds = json.loads(printed.splitlines()[-1])["rounds"]
        over = tuple(one["ours"] / one["gunzip"] for one in rounds)
        under = tuple(one["gha2db"] / one["ours"] for one in rounds)
        step.detail = f"{statistics.median(over):.2f}, {statistics.median(under):.1f}"
    yield Figure("fat hour into Postgres against only gunzipped", over, 3.0, TIMES)
    yield Figure("gha2db's way into Postgres against this", under, 10.0, TIMES, at_least=True)


def _ratios(pairs: list[tuple[Measured, Measured]]) -> tuple[float, ...]:
    return tuple(ours.processor / theirs.processor for ours, theirs in pairs)


# Each is measured alone; more of them may be added.
CASES: tuple[Callable[[Bench], Iterator[Figure]], ...] = (reading, patterns, names, processes, loading)
