"""The tests in their tiers; a tier that cannot run is named, and fails where CI=true."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

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
# A verb of a test that may keep no byte code would spend half its time on compiling.
PROCESS = {
    "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "images" / "activity"))),
    "PYTHONDONTWRITEBYTECODE": "",
}

Clock = Callable[[], float]


@dataclass(frozen=True)
class Tier:
    """One tier: its commands, or its lanes, which need a Docker engine (and a browser, if there may be one).

    Lanes run side by side; those of e2e each with the swarm of its name in tests/e2e/env.
    """

    name: str
    commands: tuple[Argv, ...] = ()
    lanes: Mapping[str, Argv] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What came of a tier: PASSED, FAILED, or why it could not run; and the seconds that it took."""

    tier: str
    result: str
    seconds: float


def tiers(long: bool) -> tuple[Tier, ...]:
    """All tiers, cheapest first; `long` runs faults and soaks in full."""
    pytest = (sys.executable, "-m", "pytest", *(("--long",) if long else ()))
    return (
        Tier(
            "lint",
            (
                (sys.executable, "-m", "ruff", "check", "."),
                (sys.executable, "-m", "ruff", "format", "--check", "."),
                (sys.executable, "-m", "mypy"),
                (str(ROOT / ".venv" / "bin" / "lint-imports"),),
            ),
        ),
        Tier("unit", ((*pytest, "tests/unit"),)),
        # Backups wait for servers that start, and for Postgres's own time-outs.
        Tier(
            "integration",
            lanes={
                "integration": (*pytest, "tests/integration", f"--ignore={BACKUPS}"),
                "backups": (*pytest, BACKUPS),
            },
        ),
        # Two swarms: most of a test is waiting for one.
        Tier(
            "e2e",
            lanes={
                "e2e": (*pytest, "tests/e2e", f"--ignore={DEPLOYS}"),
                "e2e-manager": (*pytest, DEPLOYS),
            },
        ),
    )


def run(
    wanted: str,
    long: bool,
    shell: Shell,
    report: Report,
    clock: Clock,
    process: Mapping[str, str] = os.environ,
) -> None:
    """Run tiers by name (`all` or a comma list); raises TestsFailed when one failed, or could not run under CI."""
    known = {tier.name: tier for tier in tiers(long)}
    names = list(known) if wanted == "all" else [name.strip() for name in wanted.split(",")]
    for name in names:
        if name not in known:
            raise UnknownName("tier", name, known)
    chosen = [tier for tier in known.values() if tier.name in names]
    outcomes = [_alone(tier, shell, report, clock) for tier in chosen if tier.commands]
    outcomes += _side_by_side([tier for tier in chosen if tier.lanes], shell, report, clock)
    rows = [(outcome.tier, outcome.result, duration(outcome.seconds)) for outcome in outcomes]
    report.table(("TIER", "RESULT", "TIME"), rows)
    failed = [outcome.tier for outcome in outcomes if outcome.result == FAILED]
    absent = [outcome.tier for outcome in outcomes if outcome.result not in (FAILED, PASSED)]
    if failed:
        raise TestsFailed(f"Failed: {', '.join(failed)}.")
    if absent and process.get("CI") == "true":
        raise TestsFailed(f"Could not run: {', '.join(absent)}; where CI=true all tiers must.")


def _alone(tier: Tier, shell: Shell, report: Report, clock: Clock) -> Outcome:
    """Run the commands of a tier one after the other."""
    report.line(f"-- {tier.name}")
    began = clock()
    codes = [shell.attach(command, environment=PROCESS) for command in tier.commands]
    return Outcome(tier.name, FAILED if any(codes) else PASSED, clock() - began)


def _side_by_side(found: Sequence[Tier], shell: Shell, report: Report, clock: Clock) -> list[Outcome]:
    """Run the lanes of all tiers side by side, at most AT_ONCE: what one waits for is time for another.

    Before each line is its lane's name, which also says whose swarm of tests/e2e/env is its own.
    """
    if not found:
        return []
    report.line(f"-- {' and '.join(tier.name for tier in found)}")
    try:
        prerequisites.ensure_engine(shell, report)
        prerequisites.ensure_browser(shell, report)
    except SwarmstatsError as error:
        report.error(error)
        reason = f"could not run: {error.message.splitlines()[0]}"
        return [Outcome(tier.name, reason, 0.0) for tier in found]

    def run(name: str, argv: Argv) -> tuple[int, float]:
        process = {**PROCESS, "SWARMSTATS_TEST_ENV": name, "PYTHONUNBUFFERED": "1"}
        began = clock()
        code = shell.follow(argv, lambda line: report.line(f"{name}: {line}"), environment=process).code
        return code, clock() - began

    with ThreadPoolExecutor(AT_ONCE) as pool:
        # The last tier takes longest, so it begins first.
        begun = {tier.name: [pool.submit(run, *lane) for lane in tier.lanes.items()] for tier in reversed(found)}
        ended = {tier.name: [lane.result() for lane in begun[tier.name]] for tier in found}
    return [
        Outcome(name, FAILED if any(code for code, _ in lanes) else PASSED, max(seconds for _, seconds in lanes))
        for name, lanes in ended.items()
    ]
