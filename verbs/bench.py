"""bench.*: benchmarks and their goals."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from invoke import Context, Exit

from swarm.report import Report
from verbs.base import JSON, REPORT, SHELL, verb

if TYPE_CHECKING:
    from swarm.dev.deploy_bench import Figure


@verb(
    help={
        "projects": "number of projects on the measured platform",
        "runs": "number of runs of each measurement",
        "keep": "keep the swarm for the next run",
        "json": JSON,
        "markdown": "print a table for docs/measurements.md",
    },
)
def manager(
    _: Context, projects: int = 250, runs: int = 5, keep: bool = False, json: bool = False, markdown: bool = False
) -> None:
    """Measure render, plan and deploy with many projects. Exit code 1: a goal was missed."""
    from swarm.dev import deploy_bench

    figures = deploy_bench.deploys(projects, runs, keep, SHELL, _beside(json or markdown))
    _tell(figures, f"bench.manager --projects {projects} --runs {runs}", json, markdown)


@verb(
    help={
        "runs": "number of runs of each measurement",
        "size": "size of the hours, as a fraction of full ones",
        "json": JSON,
        "markdown": "print a table for docs/measurements.md",
    },
)
def ingest(_: Context, runs: int = 5, size: float = 1.0, json: bool = False, markdown: bool = False) -> None:
    """Measure the ingest against plain decompression. Exit code 1: a goal was missed."""
    from swarm.dev import ingest_bench

    figures = ingest_bench.ingest(runs, size, SHELL, _beside(json or markdown))
    _tell(figures, f"bench.ingest --runs {runs} --size {size:g}", json, markdown)


def _beside(machine: bool) -> Report:
    """Where progress goes while something is measured: not into what a machine reads."""
    progress = Report()
    if machine:
        progress.console = progress.errors
    return progress


def _tell(figures: Sequence["Figure"], words: str, json: bool, markdown: bool) -> None:
    from swarm.dev import deploy_bench

    where = deploy_bench.circumstances(words)
    if json:
        REPORT.data({"circumstances": where, "figures": [asdict(figure) for figure in figures]})
    elif markdown:
        REPORT.text(f"{where}\n\n{deploy_bench.table(figures)}")
    else:
        REPORT.line(where)
        REPORT.table(deploy_bench.COLUMNS, (figure.cells() for figure in figures))
    if any(figure.missed for figure in figures):
        raise Exit(code=1)
