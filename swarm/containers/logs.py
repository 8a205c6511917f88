"""What the tasks of services wrote, on whichever nodes they run, merged in the order of time."""

import heapq
import queue
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from threading import Thread
from typing import NamedTuple

import requests
import urllib3.exceptions

from swarm.engine import timestamps
from swarm.engine.client import Engine
from swarm.engine.logs import SYSTEM_ERROR, frames
from swarm.engine.refusals import REFUSALS
from swarm.errors import ArgumentInvalid, SwarmstatsError
from swarm.live.services import Service, Task
from swarm.report import Report

TAIL_LINES = 100
PARALLEL_READS = 16
# Lines of several services that arrive within this time are put in order; those of one task always are.
WINDOW_SECONDS = 0.25
REFRESH_SECONDS = 3.0
# The clocks of nodes may differ by so much without a line being missed between what was and what comes.
OVERLAP = timedelta(seconds=10)
BACKLOG_LINES = 10_000
# A log of the past that says nothing for so many seconds is that of a node which is cut off.
SILENCE_SECONDS = 15
# Tasks in these states never had a container, so nothing was written.
STATES_WITHOUT_LOG = ("new", "pending", "assigned", "accepted", "preparing", "rejected")
TASK = "com.docker.swarm.task.id="
BROKEN = (*REFUSALS, urllib3.exceptions.HTTPError, OSError, AttributeError, ValueError)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Say = Callable[[str], None]


class Source(NamedTuple):
    """The task that wrote a line."""

    service: str
    slot: str
    node: str

    @property
    def label(self) -> str:
        """The task as it stands before each of its lines: `admin_traefik.1@node-1`; a global one has no number."""
        return f"{self.service}{f'.{self.slot}' if self.slot != self.node else ''}@{self.node or 'no node'}"


class Line(NamedTuple):
    """One line: when it was written (RFC 3339, UTC, nanoseconds), by whom, and its text."""

    time: str
    source: Source
    text: str


@dataclass(frozen=True)
class LogQuery:
    """Which lines: since when, the last how many of each task (None: all), and what they must match."""

    since: datetime | None = None
    tail: int | None = TAIL_LINES
    pattern: re.Pattern[str] | None = None

    def matches(self, text: str) -> bool:
        """Whether a line is wanted."""
        return self.pattern is None or self.pattern.search(text) is not None


@dataclass
class Seen:
    """The lines that were seen of each task, by its id: the newest, and all that are not much older."""

    newest: dict[str, str] = field(default_factory=dict)
    edge: dict[str, str] = field(default_factory=dict)
    recent: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    def first_time(self, task: str, moment: str, text: str) -> bool:
        """Note a line; False when it was seen before, or is much older than another one of its task."""
        known = self.recent.setdefault(task, set())
        if moment < self.edge.get(task, "") or (moment, text) in known:
            return False
        known.add((moment, text))
        newest = self.newest.get(task, "")
        if moment > newest:
            self.newest[task] = moment
            if moment[: timestamps.SECOND] != newest[: timestamps.SECOND]:
                edge = self.edge[task] = timestamps.before(moment)
                self.recent[task] = {line for line in known if line[0] >= edge}
        return True


def query(since: str, tail: str, grep: str, now: datetime) -> LogQuery:
    """What a user asks for; raises ArgumentInvalid. Without `tail` it is 100 lines, or all with `since` or `grep`."""
    if tail and not tail.isdecimal():
        raise ArgumentInvalid(f"--tail {tail} is not a number of lines.", hint="E.g. --tail 100")
    try:
        pattern = re.compile(grep) if grep else None
    except re.error as error:
        raise ArgumentInvalid(
            f"--grep {grep!r} is not a regular expression: {error}.",
            hint="Escape literal ( [ * + ? with a backslash.",
        ) from error
    lines = int(tail) if tail else (None if since or grep else TAIL_LINES)
    return LogQuery(parse_since(since, now) if since else None, lines, pattern)


def parse_since(text: str, now: datetime) -> datetime:
    """`90s`, `10m`, `1h30m`, `2d` before now, or a time such as 2026-11-21T03:00 UTC; raises ArgumentInvalid."""
    parts = re.findall(r"(\d+)([smhd])", text)
    try:
        if parts and "".join(f"{count}{unit}" for count, unit in parts) == text:
            return now - sum((timedelta(**{UNITS[unit]: int(count)}) for count, unit in parts), timedelta())
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise ArgumentInvalid(
            f"--since {text!r} is not a duration or a time.",
            hint="E.g. 90s, 10m, 1h30m, 2d or 2026-11-21T03:00 (UTC)",
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=now.tzinfo)


def read(
    engine: Engine, services: Iterable[Service], asked: LogQuery, say: Say, seen: Seen | None = None
) -> Iterator[Line]:
    """What was written until now, oldest first; nothing is held but one line a task. `say` gets what is missing."""
    tasks = [(service, task) for service in services for task in service.tasks if task.state not in STATES_WITHOUT_LOG]
    if not tasks:
        return
    look = partial(_past, engine, asked=asked, say=say, seen=seen)
    engine.answers()
    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        streams = list(pool.map(lambda pair: look(*pair), tasks))
    yield from heapq.merge(*streams, key=lambda line: line.time)


def follow(engine: Engine, find: Callable[[], Sequence[Service]], asked: LogQuery, say: Say) -> Iterator[Line]:
    """What was written, then what is being written, also by tasks and services that come later."""
    began = engine.now() - OVERLAP
    services, seen = find(), Seen()
    yield from read(engine, services, asked, say, seen)
    arrived: queue.Queue[tuple[str, str, str]] = queue.Queue(BACKLOG_LINES)
    tapped: set[str] = set()
    sources: dict[str, Source] = {}
    looked = 0.0
    while True:
        batch = _batch(arrived)
        strange = any(task not in sources for task, _, _ in batch)
        if strange or time.monotonic() - looked > REFRESH_SECONDS:
            services, looked = _again(find, services), time.monotonic()
            sources |= {task.id: _source(service, task) for service in services for task in service.tasks}
            for service in services:
                if service.id not in tapped:
                    tapped.add(service.id)
                    Thread(target=_tap, args=(engine, service.id, began, arrived, say), daemon=True).start()
        for task, written, text in sorted(batch, key=lambda item: item[1]):
            if seen.first_time(task, written, text) and asked.matches(text):
                yield Line(written, sources.get(task, Source(task[:8], "", "")), text)


def _past(engine: Engine, service: Service, task: Task, asked: LogQuery, say: Say, seen: Seen | None) -> Iterator[Line]:
    """The log of one task up to its first line; the others come as they are asked for."""
    source = _source(service, task)
    try:
        response = engine.logs.stream_task(task.id, asked.since, asked.tail, SILENCE_SECONDS)
    except BROKEN as error:
        say(f"{source.label}: no log: {error}")
        return iter(())
    lines = _of_task(response, source, task.id, asked, say, seen)
    # The first line is waited for here, where all tasks are waited for at once: a node that is cut off costs once.
    first = next(lines, None)
    return chain([first], lines) if first else iter(())


def _of_task(
    response: requests.Response, source: Source, task: str, asked: LogQuery, say: Say, seen: Seen | None
) -> Iterator[Line]:
    matches = asked.matches
    try:
        for written, text in _lines(response, lambda problem: say(f"{source.label}: {problem}")):
            if seen is not None:
                seen.first_time(task, written, text)
            if matches(text):
                yield Line(written, source, text)
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        say(f"{source.label}: no output for {SILENCE_SECONDS} s; the rest of its log is skipped")
    except BROKEN as error:
        say(f"{source.label}: the log ends early: {error}")


def _tap(engine: Engine, service: str, since: datetime, arrived: "queue.Queue[tuple[str, str, str]]", say: Say) -> None:
    """Put (task, moment, text) of all tasks of a service into a queue until the service is gone."""
    own = engine.with_own_connection()
    while True:
        try:
            response = own.logs.follow_service(service, since)
            for written, text in _lines(response, say):
                details, _, rest = text.partition(" ")
                arrived.put((details.partition(TASK)[2].partition(",")[0], written, rest))
        except BROKEN as error:
            if getattr(getattr(error, "response", None), "status_code", None) == requests.codes.not_found:
                return
        time.sleep(REFRESH_SECONDS)


def _lines(response: requests.Response, problem: Say) -> Iterator[tuple[str, str]]:
    """(moment, text) of each line; Docker cuts lines of more than 16 KiB, they are whole again here."""
    held: tuple[str, str] | None = None
    for kind, payload in frames(response):
        text = payload.decode(errors="replace")
        if kind == SYSTEM_ERROR:
            problem(text.strip())
            continue
        written, _, rest = text.partition(" ")
        if held is not None:
            written, rest = held[0], held[1] + rest
        held = None if rest.endswith("\n") else (written, rest)
        if held is None:
            yield written, rest.rstrip("\r\n")
    if held is not None:
        yield held


def _batch(arrived: "queue.Queue[tuple[str, str, str]]") -> list[tuple[str, str, str]]:
    """What arrives within one window, which begins with the first line."""
    found: list[tuple[str, str, str]] = []
    end = time.monotonic() + WINDOW_SECONDS
    while len(found) < BACKLOG_LINES and (left := end - time.monotonic()) > 0:
        try:
            found.append(arrived.get(timeout=left))
        except queue.Empty:
            break
    return found


def _again(find: Callable[[], Sequence[Service]], known: Sequence[Service]) -> Sequence[Service]:
    """The services as they are now; those known before while the managers do not answer, or nothing is called so."""
    try:
        return find()
    except (SwarmstatsError, *REFUSALS):
        return known


def _source(service: Service, task: Task) -> Source:
    return Source(service.name, task.slot, task.node)


def show_json(lines: Iterable[Line], report: Report, *, flush: bool) -> None:
    """Print lines for machines: one JSON object each."""
    for line in lines:
        service, slot, node = line.source
        told = {"time": line.time, "service": service, "task": slot, "node": node, "text": line.text}
        report.record(told, flush=flush)


def show(lines: Iterable[Line], report: Report, *, times: bool, flush: bool) -> None:
    """Print lines, each behind its task; a service keeps its colour and the labels stand in one column."""
    colours: dict[str, int] = {}
    width = 0
    for line in lines:
        label = line.source.label
        width = max(width, len(label))
        time_of = f"{line.time[:23]}Z " if times else ""
        colour = colours.setdefault(line.source.service, len(colours))
        report.log(f"{label:<{width}}", colour, f"{time_of}{line.text}", flush=flush)
