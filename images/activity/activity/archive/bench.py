"""What the benchmark times, each in a process of its own: python -m activity.archive.bench WHAT FILE [PROJECTS].

Prints one line of JSON: seconds of processor and of the clock, from opening the file to its end, without the start
of Python and its imports; peak memory of the process in bytes; lines and events that were found.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event as Signal
from time import perf_counter, process_time
from typing import IO, Any, cast

from isal import igzip

from activity.archive.read.reader import Reading
from activity.archive.route.route import Route
from activity.errors import ActivityError
from activity.projects import Project, read_projects

BLOCK = 1024 * 1024
# isal says that it is typed; this part of it is not.
open_gzip = cast(Callable[..., IO[bytes]], igzip.open)


def gunzip(path: Path, _: tuple[Project, ...]) -> tuple[int, int]:
    """Only gunzip an hour: what everything else is measured against."""
    with open_gzip(path, "rb") as file:
        while file.read(BLOCK):
            pass
    return 0, 0


def read(path: Path, projects: tuple[Project, ...]) -> tuple[int, int]:
    """Read an hour and find the events of projects, as the ingest does."""
    reading = Reading(path.absolute().as_uri(), Route(projects), Signal())
    found = sum(1 for _ in reading)
    return reading.tally.lines, found


WHATS = {"gunzip": gunzip, "read": read}


def measure(what: str, path: Path, projects: tuple[Project, ...]) -> dict[str, Any]:
    """Do it once; returns what main prints."""
    began, used = perf_counter(), process_time()
    lines, events = WHATS[what](path, projects)
    used, took = process_time() - used, perf_counter() - began
    return {"processor": used, "clock": took, "peak": _peak(), "lines": lines, "events": events}


def _peak() -> int:
    # What getrusage says may be the parent's; this begins anew with each program.
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


def main(arguments: list[str]) -> int:
    """Measure what is asked for; returns the exit code."""
    what, path, *file = arguments
    projects, mistakes = read_projects(Path(file[0])) if file else ((), [])
    if mistakes or what not in WHATS:
        sys.stderr.write("\n".join(mistakes or [f"expected one of {', '.join(WHATS)}, found {what}"]) + "\n")
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
