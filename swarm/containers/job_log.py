"""What the tasks of a job write, read piece by piece through the managers, whichever nodes they run on."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from swarm.engine import timestamps
from swarm.engine.client import Engine
from swarm.engine.logs import STDERR, split

FINISH_SECONDS = 10.0
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Line:
    """One line that a task wrote, when (as Docker writes times), and whether to its standard error."""

    task: str
    moment: str
    text: str
    error: bool


class JobLog:
    """Hands over each line once, in the order of each task."""

    def __init__(self, engine: Engine, say: Callable[[Line], None]) -> None:
        self.lines: list[Line] = []
        self._engine = engine
        self._say = say
        self._read: dict[str, Counter[Line]] = {}

    def read(self, tasks: Iterable[str]) -> int:
        """Read what is new of some tasks; returns how many lines. A log that cannot be read yet has none."""
        fresh = [line for task in tasks for line in self._new(task)]
        self.lines += fresh
        for line in fresh:
            self._say(line)
        return len(fresh)

    def finish(self, tasks: Iterable[str]) -> None:
        """Read the rest of tasks that have ended: a log may lag behind, so until two reads in a row find nothing."""
        known, quiet, end = list(tasks), 0, time.monotonic() + FINISH_SECONDS
        while quiet < 2 and time.monotonic() < end:
            quiet = 0 if self.read(known) else quiet + 1
            time.sleep(POLL_SECONDS)

    def _new(self, task: str) -> list[Line]:
        """The lines of a task that were not read before, of which those of the last moments are known."""
        known = self._read.get(task, Counter())
        since = timestamps.before(max(line.moment for line in known)) if known else ""
        found = [line for line in parse(task, self._engine.logs.frames_of_task(task, since)) if line.moment >= since]
        fresh, left = [], known.copy()
        for line in found:
            if left[line]:
                left[line] -= 1
            else:
                fresh.append(line)
        if fresh:
            both = known + Counter(fresh)
            edge = timestamps.before(max(line.moment for line in both))
            self._read[task] = Counter({line: count for line, count in both.items() if line.moment >= edge})
        return fresh


def parse(task: str, content: bytes) -> list[Line]:
    """The frames of a log with timestamps as lines; an incomplete last frame is left for the next read."""
    found: list[Line] = []
    for stream, payload in split(content)[0]:
        moment, _, text = payload.decode(errors="replace").partition(" ")
        found.append(Line(task, moment, text.rstrip("\r\n"), stream == STDERR))
    return found
