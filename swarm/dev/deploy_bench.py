"""How quick the stack manager is: measured on a swarm of its own, side by side with Docker's client alone."""

import os
import shlex
import shutil
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import yaml

from swarm.deploy import changeset
from swarm.engine.client import Engine
from swarm.errors import NodeFailed, StackFailed
from swarm.host import facts, prerequisites
from swarm.live import services
from swarm.nodes import lifecycle, manager
from swarm.report import Report
from swarm.settings import environment
from swarm.settings.environment import ROOT, Environment
from swarm.shell import Argv, Shell
from swarm.stacks import stack, targets
from swarm.stacks.targets import PROJECT, Target
from swarm.wait import until

# The environment is made in a folder of its own: no name, port, network or stack of the operator's is in it.
FOLDER = ROOT / ".swarmstats" / "bench"
NAME = "bench-manager"
FEW = 3
# How long services may take until there is nothing left to do, seconds.
REST, POLL = 120.0, 0.2
COLUMNS = ("WHAT", "RUNS", "MIN", "MEDIAN", "MAX", "GOAL", "VERDICT")
SECONDS, SHARE, TIMES, BYTES = "seconds", "share", "times", "bytes"
# Every service is there; the projects' have no tasks, and nothing but what is measured works meanwhile.
ENV = """\
domain: bench.localhost
registry: 127.0.0.1:{registry}/swarmstats
driver: lab
lab: {{subnet: 10.213.0.0/24, pool: 10.213.128.0/17, http_port: {http}}}
nodes:
  - {{name: node-1, role: manager, labels: {{database: "true", metrics: "true"}}}}
archive: {{url: "file:///data/archive", simulate: always}}
sizes: {{project.sync: {{replicas: 0}}, archive.ingest: {{replicas: 0}}}}
"""


@dataclass(frozen=True)
class Figure:
    """What was measured, how often, and the most (or with `at_least` the least) that its median may be."""

    what: str
    values: tuple[float, ...]
    goal: float | None = None
    unit: str = SECONDS
    at_least: bool = False

    @property
    def median(self) -> float:
        """The middle of what was measured."""
        return statistics.median(self.values)

    @property
    def missed(self) -> bool:
        """Whether there is a goal and the median is beyond it."""
        if self.goal is None:
            return False
        return self.median < self.goal if self.at_least else self.median > self.goal

    def cells(self) -> tuple[str, ...]:
        """The figure as a row under COLUMNS."""
        goal = "" if self.goal is None else f"{'≥' if self.at_least else '≤'} {self._text(self.goal)}"
        verdict = "" if self.goal is None else "missed" if self.missed else "met"
        values = (min(self.values), self.median, max(self.values))
        return (self.what, str(len(self.values)), *map(self._text, values), goal, verdict)

    def _text(self, value: float) -> str:
        match self.unit:
            case "seconds":
                return f"{value:.2f} s"
            case "times":
                return f"{value:.2f} x"
            case "bytes":
                return f"{value / 2**20:.0f} MiB"
        # A part of a per cent is worth telling where the goal is one per cent.
        return f"{value:.0%}" if self.goal is None or self.goal >= 0.1 else f"{value:.2%}"


def deploys(projects: int, runs: int, keep: bool, shell: Shell, report: Report) -> list[Figure]:
    """Measure on a lab that is made for it and removed afterwards; with `keep` it stays for the next time."""
    prerequisites.ensure_engine(shell, report)
    with _lab(projects, keep, report) as environment:
        bench = Bench(environment, runs, shell, report)
        try:
            with report.step("a swarm of its own"):
                bench.run("swarm.init")
            with report.step(f"{len(bench.targets)} stacks on it"):
                bench.run("deliver", "all", "--no-tests")
            engine = manager.connect(environment, shell)
            return bench.figures(engine.argv, partial(rest, engine))
        finally:
            if not keep:
                with report.step("the swarm removed"):
                    bench.run("swarm.clean", "--yes")


def rest(engine: Engine) -> None:
    """Let jobs end that Docker's client has run again: a deploy waits for them; raises StackFailed when they do not."""

    def busy() -> list[str]:
        return [service.name for service in services.services(engine) if not service.healthy]

    if not until(lambda: not busy(), REST, every=POLL):
        raise StackFailed(f"{', '.join(busy()[:5])} not healthy, so nothing can be measured.")


def rendered() -> None:
    """Render and validate the stacks of all projects: what is timed, as a process of its own."""
    known, shell = environment.load(), Shell()
    changeset.render(known, targets.select(known, PROJECT), prerequisites.client(shell), shell)


def table(figures: Iterable[Figure]) -> str:
    """The figures as docs/measurements.md holds them."""
    head = [f"| {' | '.join(name.capitalize() for name in COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    return "\n".join([*head, *(f"| {' | '.join(figure.cells())} |" for figure in figures)])


def circumstances(words: str) -> str:
    """When, what and where: the line above a table of figures."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{datetime.now(UTC):%Y-%m-%d}, `./run {words}`, {facts.describe()}, load {load}."


@dataclass(frozen=True)
class Bench:
    """The benchmark's environment, how often to measure, and what with."""

    environment: Environment
    runs: int
    shell: Shell
    report: Report

    @property
    def targets(self) -> tuple[Target, ...]:
        """All stacks."""
        return targets.select(self.environment, "all")

    @property
    def few(self) -> tuple[Target, ...]:
        """The stacks of a small platform: few projects."""
        projects = [target for target in self.targets if target.project]
        return tuple(target for target in self.targets if target not in projects[FEW:])

    def figures(self, docker: Argv, rest: Callable[[], None]) -> list[Figure]:
        """All that is measured, in order; `docker` begins a command for the manager, `rest` waits for nothing to do."""
        scripts = {len(some): (some, self._script(some, docker)) for some in (self.few, self.targets)}
        with self.report.step("once without measuring"):
            # Docker's client turns tags into digests; after that neither side finds anything to change.
            self._timed(("sh", "-e", str(scripts[len(self.targets)][1])))
            self.run("deploy", "all", "--no-tests")
            self.run("plan", "all")
        count = len(self.environment.projects)
        rendering = (sys.executable, "-c", "from swarm.dev import deploy_bench; deploy_bench.rendered()")
        found = [
            self._figure(f"{count} project stacks rendered and validated", rendering, 2.0),
            self._figure(f"plan of {count} unchanged project stacks", self._verb("plan", PROJECT), 5.0),
        ]
        for number, (some, script) in scripts.items():
            words = ",".join(target.name for target in some) if some == self.few else "all"
            goal = 0.2 if some == self.targets else None
            found += self._pairs(number, (self._verb("deploy", words), ("sh", "-e", str(script))), goal, rest)
        self.run("plan", "all")
        return found

    def run(self, *words: str) -> None:
        """One verb in the benchmark's environment; raises CommandFailed with its last lines."""
        self._timed(self._verb(*words))

    def _figure(self, what: str, argv: Argv, goal: float) -> Figure:
        with self.report.step(what) as step:
            values = tuple(self._timed(argv) for _ in range(self.runs))
            step.detail = f"{statistics.median(values):.2f} s"
        return Figure(what, values, goal)

    def _pairs(
        self, number: int, both: tuple[Argv, Argv], goal: float | None, rest: Callable[[], None]
    ) -> Iterator[Figure]:
        """Ours and Docker's in turn, so that both meet the same machine; the last figure is the share pair by pair."""
        ours, theirs = both
        pairs: list[tuple[float, float]] = []
        with self.report.step(f"{number} stacks unchanged") as step:
            for _ in range(self.runs):
                rest()
                pairs.append((self._timed(ours), self._timed(theirs)))
            shares = tuple(mine / other for mine, other in pairs)
            step.detail = f"{statistics.median(shares):.0%} of docker stack deploy"
        yield Figure(f"deploy of {number} unchanged stacks", tuple(mine for mine, _ in pairs))
        yield Figure(f"docker stack deploy of the same {number} files", tuple(other for _, other in pairs))
        yield Figure(f"deploy of {number} against docker stack deploy", shares, goal, SHARE)

    def _script(self, some: Sequence[Target], docker: Argv) -> Path:
        """Docker's client alone, with its defaults: one stack file after the other."""
        folder = self.environment.directory / "stacks"
        folder.mkdir(exist_ok=True)
        lines = []
        for target in some:
            file = folder / f"{target.name}.yml"
            file.write_text(stack.render(self.environment, target).text())
            lines.append(shlex.join((*docker, "stack", "deploy", "--compose-file", str(file), target.name)))
        script = folder / f"{len(some)}.sh"
        script.write_text("\n".join(lines) + "\n")
        return script

    def _timed(self, argv: Argv) -> float:
        """The wall time of a whole process, its start included."""
        chosen = {"SWARMSTATS_ENVS": str(FOLDER), "SWARMSTATS_ENV": NAME}
        began = time.perf_counter()
        self.shell.run(argv, environment=chosen, directory=str(ROOT))
        return time.perf_counter() - began

    def _verb(self, *words: str) -> Argv:
        return (str(ROOT / "run"), *words)


@contextmanager
def _lab(projects: int, keep: bool, report: Report) -> Iterator[Environment]:
    """The environment, made or found again; raises NodeFailed where a lab of its name was made by something else."""
    folder = FOLDER / NAME
    found = (folder / "env.yaml").exists()
    folder.mkdir(parents=True, exist_ok=True)
    if not found:
        (folder / "env.yaml").write_text(ENV.format(registry=_free_port(), http=_free_port()))
    known = {f"project-{number:03}": {"organisations": [f"organisation-{number}"]} for number in range(projects)}
    (folder / "projects.yaml").write_text(yaml.safe_dump({"projects": known}))
    loaded = environment.load(NAME, {"SWARMSTATS_ENVS": str(FOLDER)})
    if not found and lifecycle.holdings(loaded):
        shutil.rmtree(folder)
        raise NodeFailed(f"A lab {loaded.lab_name} is there that another checkout made.", hint="docker ps shows it.")
    try:
        yield loaded
    finally:
        if keep:
            report.line(f"Kept: SWARMSTATS_ENVS={FOLDER} ./run status --env {NAME}")
        elif not lifecycle.holdings(loaded):
            shutil.rmtree(folder)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
