"""The tests in their tiers; a tier that cannot run is named, and fails where CI=true."""

import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from swarm import host
from swarm.environment import ROOT
from swarm.errors import SwarmstatsError, TestsFailed, UnknownName
from swarm.report import Report, duration
from swarm.shell import Argv, Shell

MANAGER = "tests/e2e/manager"
BACKUPS = "tests/integration/activity/backup"


@dataclass(frozen=True)
class Tier:
    """One tier: its commands, and whether it needs a Docker engine (and a browser, if there may be one).

    `lanes` are commands that run side by side; those of e2e each with the swarm of its name in tests/e2e/env.
    """

    name: str
    commands: tuple[Argv, ...] = ()
    engine: bool = False
    lanes: Mapping[str, Argv] = field(default_factory=dict)


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
            engine=True,
            lanes={
                "integration": (*pytest, "tests/integration", f"--ignore={BACKUPS}"),
                "backups": (*pytest, BACKUPS),
            },
        ),
        # Two swarms: most of a test is waiting for one.
        Tier(
            "e2e",
            engine=True,
            lanes={
                "e2e": (*pytest, "tests/e2e", f"--ignore={MANAGER}"),
                "e2e-manager": (*pytest, MANAGER),
            },
        ),
    )


def run(
    wanted: str,
    long: bool,
    shell: Shell,
    report: Report,
    clock: Callable[[], float],
    process: Mapping[str, str] = os.environ,
) -> None:
    """Run tiers by name (`all` or a comma list); raises TestsFailed when one failed, or could not run under CI."""
    known = {tier.name: tier for tier in tiers(long)}
    names = list(known) if wanted == "all" else [name.strip() for name in wanted.split(",")]
    for name in names:
        if name not in known:
            raise UnknownName("tier", name, known)
    rows: list[tuple[str, str, str]] = []
    for name in names:
        began = clock()
        outcome = _one(known[name], shell, report)
        rows.append((name, outcome, duration(clock() - began)))
    report.table(("TIER", "RESULT", "TIME"), rows)
    failed = [name for name, outcome, _ in rows if outcome == "failed"]
    absent = [name for name, outcome, _ in rows if outcome.startswith("could not run")]
    if failed:
        raise TestsFailed(f"Failed: {', '.join(failed)}.")
    if absent and process.get("CI") == "true":
        raise TestsFailed(f"Could not run: {', '.join(absent)}; where CI=true all tiers must.")


def _one(tier: Tier, shell: Shell, report: Report) -> str:
    report.line(f"-- {tier.name}")
    if tier.engine:
        try:
            host.ensure_engine(shell, report)
            host.ensure_browser(shell, report)
        except SwarmstatsError as error:
            report.error(error)
            return f"could not run: {error.message.splitlines()[0]}"
    path = {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "images" / "activity")))}
    codes = [shell.attach(command, environment=path) for command in tier.commands]
    codes += _side_by_side(tier.lanes, path, shell, report)
    return "failed" if any(codes) else "passed"


def _side_by_side(lanes: Mapping[str, Argv], path: Mapping[str, str], shell: Shell, report: Report) -> list[int]:
    """Run each lane, its name before each line and for whoever has a swarm of that name; returns their exit codes."""

    def run(name: str) -> int:
        process = {**path, "SWARMSTATS_TEST_ENV": name, "PYTHONUNBUFFERED": "1"}
        return shell.follow(lanes[name], lambda line: report.line(f"{name}: {line}"), environment=process).code

    if not lanes:
        return []
    with ThreadPoolExecutor(len(lanes)) as pool:
        return list(pool.map(run, lanes))
