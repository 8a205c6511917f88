"""What the tasks of a job write, read piece by piece through the managers, whichever nodes they run on."""

import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from swarm.engine import REFUSALS, Engine

HEADER = struct.Struct(">BxxxL")
STDERR = 2
PATIENCE = 10.0
POLL = 0.2


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
        self._read: dict[str, tuple[str, int]] = {}

    def read(self, tasks: Iterable[str]) -> int:
        """Read what is new of some tasks; returns how many lines. A log that cannot be read yet has none."""
        fresh = [line for task in tasks for line in self._new(task)]
        self.lines += fresh
        for line in fresh:
            self._say(line)
        return len(fresh)

    def finish(self, tasks: Iterable[str]) -> None:
        """Read the rest of tasks that have ended: a log may lag behind, so until two reads in a row find nothing."""
        known, quiet, end = list(tasks), 0, time.monotonic() + PATIENCE
        while quiet < 2 and time.monotonic() < end:
            quiet = 0 if self.read(known) else quiet + 1
            time.sleep(POLL)

    def _new(self, task: str) -> list[Line]:
        """The lines of a task after those that were read; several may bear the last one's time."""
        last, known = self._read.get(task, ("", 0))
        found = [line for line in parse(task, self._fetch(task, last)) if line.moment >= last]
        if len(found) <= known:
            return []
        newest = found[-1].moment
        self._read[task] = newest, sum(line.moment == newest for line in found)
        return found[known:]

    def _fetch(self, task: str, last: str) -> bytes:
        client = self._engine.api.api
        words = {"stdout": "1", "stderr": "1", "timestamps": "1", "since": _seconds(last)}
        try:
            answer = client.get(f"{client.base_url}/tasks/{task}/logs", params=words, timeout=self._engine.timeout)
            answer.raise_for_status()
            return bytes(answer.content)
        except REFUSALS:
            return b""


def parse(task: str, content: bytes) -> list[Line]:
    """The frames of a log with timestamps as lines; an incomplete last frame is left for the next read."""
    found: list[Line] = []
    at = 0
    while at + HEADER.size <= len(content):
        stream, length = HEADER.unpack_from(content, at)
        at += HEADER.size
        if at + length > len(content):
            break
        moment, _, text = content[at : at + length].decode(errors="replace").partition(" ")
        found.append(Line(task, moment, text.rstrip("\r\n"), stream == STDERR))
        at += length
    return found


def _seconds(moment: str) -> str:
    """A time as Docker writes it as seconds and nanoseconds since 1970, as Docker takes it."""
    if not moment:
        return "0"
    whole, _, fraction = moment.rstrip("Z").partition(".")
    return f"{int(Engine.moment(f'{whole}Z').timestamp())}.{fraction or '0'}"
