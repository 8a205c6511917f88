"""Write hours of any size in the shapes that the archive has had, damaged on demand: for benchmarks and tests of load.

    PYTHONPATH=.:images/activity .venv/bin/python -m tests.bench.make_hour FOLDER PROJECTS \
        --from 2024-05-14-15 --to 2024-05-14-15 --shape fat [--events 200000] [--hits 0.01] [--seed 7] [--damage cut]

A share of the events, `--hits`, is at repositories of the projects in PROJECTS, a projects.json. The same arguments
give the same bytes. fat is the shape before October 2025 (3.5 KB an event), slim the one since then (1.3 KB).
"""

import argparse
import sys
from pathlib import Path

from activity.archive.simulate.hour_files import repositories_of
from activity.hour import Hour, parse_hour
from activity.projects import read_projects

from tests.support.load_hours.damage import Damage, DamageKind
from tests.support.load_hours.event_factory import Shape
from tests.support.load_hours.hours import Volume, write_volume


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; a wrong one ends the process with a message."""
    kinds = ", ".join(DamageKind)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("projects", type=Path, metavar="PROJECTS")
    parser.add_argument("--from", dest="first", type=_hour, required=True, metavar="HOUR")
    parser.add_argument("--to", dest="last", type=_hour, required=True, metavar="HOUR")
    parser.add_argument("--shape", type=Shape, choices=list(Shape), required=True)
    parser.add_argument("--events", type=_count, default=10_000, metavar="NUMBER")
    parser.add_argument("--hits", type=_share, default=0.01, metavar="SHARE")
    parser.add_argument("--seed", type=int, default=0, metavar="NUMBER")
    parser.add_argument("--damage", type=_damage, default=frozenset(), metavar="KINDS", help=kinds)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Write the hours; returns the exit code."""
    options = parse(arguments)
    projects, mistakes = read_projects(options.projects)
    if mistakes:
        print("\n".join(mistakes), file=sys.stderr)
        return 78
    options.folder.mkdir(parents=True, exist_ok=True)
    names = tuple(name for project in projects for name in repositories_of(project))
    volume = Volume(options.shape, options.events, options.seed, names, options.hits)
    for hour in options.first.until(options.last):
        path = options.folder / f"{hour}.json.gz"
        events = write_volume(path, volume, hour, Damage(options.damage))
        print(f"{events} events in {path}")
    return 0


def _hour(text: str) -> Hour:
    try:
        return parse_hour(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000_000:
        raise argparse.ArgumentTypeError(f"expected a number 1..10000000, found {text!r}")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"expected a number 0..1 such as 0.01, found {text!r}")
    return share


def _damage(text: str) -> frozenset[DamageKind]:
    try:
        return frozenset(DamageKind(kind) for kind in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(DamageKind)}, found {text!r}") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
