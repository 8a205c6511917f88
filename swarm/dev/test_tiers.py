"""The tests in their tiers; a tier that cannot run is named, and fails where CI=true."""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from swarm.errors import SwarmstatsError, TestsFailed, UnknownName
from swarm.host import prerequisites
from swarm.report import Report, duration
from swarm.settings.environment import ROOT
from swarm.shell import Argv, Shell

DEPLOYS = "tests/e2e/deploys"
BACKUPS = "tests/integration/activity/backup"
PASSED, FAILED = "passed", "failed"
# The two swarms at least; with more lanes than processors, health checks and limits fail for want of processors.
AT_ONCE = max(2, os.cpu_count() or 1)
# How many of a tier's cases `durations` shows.
SLOWEST = 25
DURATION = re.compile(r"(\d+\.\d+)s (call|setup|teardown) +(\S.*)")
# A verb of a test that may keep no byte code would spend half its time on compiling.
PROCESS = {
    "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "images" / "activity"))),
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONUNBUFFERED": "1",
}

Clock = Callable[[], float]


@dataclass(frozen=True)
class Lane:
    """Commands that run in sequence, in parallel to other lanes; those of e2e have the swarm of its name."""

    name: str
    commands: tuple[Argv, ...]


@dataclass(frozen=True)
class Tier:
    """One tier and its lanes; `engine` says whether they need a Docker engine (and a browser, if there may be one)."""

    name: str
    lanes: tuple[Lane, ...]
    engine: bool = False


@dataclass(frozen=True)
class Slow:
    """How long a case took, or its setup or teardown (`phase`), in seconds."""

    seconds: float
    phase: str
    case: str


@dataclass(frozen=True)
class Outcome:
    """The result of a lane: PASSED, FAILED, or why it could not run; its seconds, and its slowest cases."""

    tier: str
    lane: str
    result: str
    seconds: float = 0.0
    slow: tuple[Slow, ...] = ()

    @property
    def name(self) -> str:
        """The tier, with the lane where it is one of several."""
        return self.tier if self.lane == self.tier else f"{self.tier} ({self.lane})"


def tiers(long: bool, durations: bool = False) -> tuple[Tier, ...]:
    """All tiers, cheapest first; `long` runs faults and soaks in full, `durations` has the slowest cases reported."""
    options = (*(("--long",) if long else ()), *((f"--durations={SLOWEST}",) if durations else ()))
    python = (sys.executable, "-m")
    pytest = (*python, "pytest", *options)
    lint = (
        (*python, "ruff", "check", "."),
        (*python, "ruff", "format", "--check", "."),
        (*python, "mypy"),
        (str(ROOT / ".venv" / "bin" / "lint-imports"),),
    )
    integration = (
        # Backups wait for servers that start, and for Postgres's own time-outs.
        Lane("integration", ((*pytest, "tests/integration", f"--ignore={BACKUPS}"),)),
        Lane("backups", ((*pytest, BACKUPS),)),
    )
    e2e = (
        # Two swarms: most of a test is waiting for one.
        Lane("e2e", ((*pytest, "tests/e2e", f"--ignore={DEPLOYS}"),)),
        Lane("e2e-manager", ((*pytest, DEPLOYS),)),
    )
    return (
        Tier("lint", (Lane("lint", lint),)),
        Tier("unit", (Lane("unit", ((*pytest, "tests/unit"),)),)),
        Tier("integration", integration, engine=True),
        Tier("e2e", e2e, engine=True),
    )


def run(
    wanted: str,
    long: bool,
    shell: Shell,
    report: Report,
    clock: Clock,
    process: Mapping[str, str] = os.environ,
    *,
    durations: bool = False,
) -> None:
    """Run tiers by name (`all` or a comma list); raises TestsFailed when one failed, or could not run under CI.

    With `durations` the slowest cases of each tier are shown at the end.
    """
    chosen = _chosen(wanted, tiers(long, durations))
    accept_interrupts()
    missing = _missing(chosen, shell, report)
    ready = [tier for tier in chosen if not (tier.engine and missing)]
    lanes = sum(len(tier.lanes) for tier in ready)
    alone = lanes == 1 and not durations
    ended = _attached(ready[0], shell, clock) if alone else _side_by_side(ready, shell, report, clock)
    absent = [Outcome(tier.name, lane.name, missing) for tier in chosen if tier not in ready for lane in tier.lanes]
    outcomes = [*ended, *absent]
    if durations:
        for tier in chosen:
            _show_slowest(tier.name, outcomes, report)
    rows = [(outcome.tier, outcome.lane, outcome.result, duration(outcome.seconds)) for outcome in outcomes]
    report.table(("TIER", "LANE", "RESULT", "TIME"), rows)
    _judge(outcomes, process)


def accept_interrupts() -> None:
    """Let processes of tests be interrupted, though a shell in the background starts its own with SIGINT ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _chosen(wanted: str, known: Sequence[Tier]) -> list[Tier]:
    by_name = {tier.name: tier for tier in known}
    names = list(by_name) if wanted == "all" else [name.strip() for name in wanted.split(",")]
    for name in names:
        if name not in by_name:
            raise UnknownName("tier", name, by_name)
    return [tier for tier in known if tier.name in names]


def _missing(chosen: Iterable[Tier], shell: Shell, report: Report) -> str:
    """Why tiers that need an engine cannot run; empty when they can, or none of them was asked for."""
    if not any(tier.engine for tier in chosen):
        return ""
    try:
        prerequisites.ensure_engine(shell, report)
        prerequisites.ensure_browser(shell, report)
        prerequisites.ensure_test_programs(shell, report)
    except SwarmstatsError as error:
        report.error(error)
        return f"could not run: {error.message.splitlines()[0]}"
    return ""


def _attached(tier: Tier, shell: Shell, clock: Clock) -> list[Outcome]:
    """Run the one lane of a tier on this terminal."""
    (lane,) = tier.lanes
    began = clock()
    codes = [shell.attach(command, environment=PROCESS) for command in lane.commands]
    return [Outcome(tier.name, lane.name, FAILED if any(codes) else PASSED, clock() - began)]


def _side_by_side(found: Sequence[Tier], shell: Shell, report: Report, clock: Clock) -> list[Outcome]:
    """Run the lanes of all tiers side by side, at most AT_ONCE: what one waits for is time for another.

    First those that need no engine, as they fail in seconds. Of the others the last tier takes longest and begins
    first, so that no processor waits for it in the end. Before each line is its lane's name.
    """
    begin = [tier for tier in found if not tier.engine] + [tier for tier in reversed(found) if tier.engine]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = dict[str, list[Future[Outcome]]]()
        for tier in begin:
            begun[tier.name] = [pool.submit(_follow, tier.name, lane, shell, report, clock) for lane in tier.lanes]
        return [lane.result() for tier in found for lane in begun[tier.name]]


def _follow(tier: str, lane: Lane, shell: Shell, report: Report, clock: Clock) -> Outcome:
    """Run the commands of a lane; its name also says whose swarm of tests/e2e/env is its own."""
    slow: list[Slow] = []

    def line(text: str) -> None:
        report.line(f"{lane.name}: {text}")
        if found := DURATION.fullmatch(text):
            slow.append(Slow(float(found[1]), found[2], found[3]))

    environment = {**PROCESS, "SWARMSTATS_TEST_ENV": lane.name}
    began = clock()
    codes = [shell.follow(command, line, environment=environment).code for command in lane.commands]
    return Outcome(tier, lane.name, FAILED if any(codes) else PASSED, clock() - began, tuple(slow))


def _show_slowest(tier: str, outcomes: Iterable[Outcome], report: Report) -> None:
    """Show the slowest cases of all lanes of a tier, which ran side by side."""
    slow = [item for outcome in outcomes if outcome.tier == tier for item in outcome.slow]
    slow.sort(key=lambda item: item.seconds, reverse=True)
    if slow:
        rows = [(duration(item.seconds), item.phase, item.case) for item in slow[:SLOWEST]]
        report.table(("TIME", "PHASE", f"SLOWEST OF {tier.upper()}"), rows)
        report.line("")


def _judge(outcomes: Sequence[Outcome], process: Mapping[str, str]) -> None:
    failed = [outcome.name for outcome in outcomes if outcome.result == FAILED]
    if failed:
        raise TestsFailed(f"Failed: {', '.join(failed)}.")
    absent = [outcome.tier for outcome in outcomes if outcome.result != PASSED]
    if absent and process.get("CI") == "true":
        raise TestsFailed(f"Could not run: {', '.join(dict.fromkeys(absent))}; where CI=true all tiers must.")
