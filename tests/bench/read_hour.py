"""Read one hour, or only decompress it, and print what that took as one line of JSON.

    PYTHONPATH=.:images/activity .venv/bin/python -m tests.bench.read_hour read|gunzip FILE [PROJECTS]

Seconds of processor and of the clock, from opening the file to its end, without the start of Python and its imports;
peak memory of the process in bytes; lines, and events of projects.
"""

import json
import re
import sys
from pathlib import Path
from threading import Event as Signal
from time import perf_counter, process_time
from typing import Any

from activity.archive.read.reader import HourReader
from activity.archive.route.route import Route
from activity.errors import ActivityError
from activity.projects import Project, read_projects
from isal import igzip

BLOCK_BYTES = 1024 * 1024


def gunzip(path: Path, _: tuple[Project, ...]) -> tuple[int, int]:
    """Only decompress an hour: everything else is measured against this."""
    with igzip.open(path, "rb") as file:
        while file.read(BLOCK_BYTES):
            pass
    return 0, 0


def read(path: Path, projects: tuple[Project, ...]) -> tuple[int, int]:
    """Read an hour and select the events of projects, as the ingest does."""
    reader = HourReader(path.absolute().as_uri(), Route(projects), Signal())
    events = sum(1 for _ in reader)
    return reader.stats.lines, events


CASES = {"gunzip": gunzip, "read": read}


def measure(what: str, path: Path, projects: tuple[Project, ...]) -> dict[str, Any]:
    """Run one case once; returns what main prints."""
    began, used = perf_counter(), process_time()
    lines, events = CASES[what](path, projects)
    used, took = process_time() - used, perf_counter() - began
    return {"processor": used, "clock": took, "peak": _peak(), "lines": lines, "events": events}


def _peak() -> int:
    # The value of getrusage may be that of the parent; this one starts with the program.
    peak = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(peak[1]) * 1024 if peak else 0


def main(arguments: list[str]) -> int:
    """Measure one case; returns the exit code."""
    what, path, *file = arguments
    projects, mistakes = read_projects(Path(file[0])) if file else ((), [])
    if mistakes or what not in CASES:
        sys.stderr.write("\n".join(mistakes or [f"expected one of {', '.join(CASES)}, found {what}"]) + "\n")
        return 64
    try:
        measured = measure(what, Path(path), projects)
    except ActivityError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(json.dumps(measured) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
