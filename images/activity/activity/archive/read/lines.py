"""The lines of an hour that may matter: selected by their first bytes, and only then parsed as JSON.

An event since 2015 begins `{"id":"1","type":"PushEvent","actor":{...},"repo":{"id":2,"name":"owner/name"`. Such a
line shows its repository without being parsed: the second brace of the line opens the actor and the third the
repository, so both are at the top level of the event, and a name without a backslash is not escaped. Any other line
is parsed whole. An event that follows another on the same line has an anchor of its own: when a window has more
anchors than lines of this shape, its lines are examined one by one. So no event is missed.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import orjson

from activity.archive.read.gunzip import ByteStream
from activity.archive.read.ownership import Json, repository_name
from activity.archive.read.salvage import Fragment, salvage_events
from activity.archive.read.windows import KEPT_BYTES, LONGEST_LINE_BYTES, WINDOW_BYTES, Window, WindowContent, windows

ANCHOR = b'Event","actor":{"id":'
EVENT_HEAD = rb'\{[^{]*+(?<=Event","actor":)\{"id":[^{]*+(?<=\},"repo":)\{"id":\d++,"name":"'
OWNER = re.compile(EVENT_HEAD + rb'([^"/\\\x80-\xff]*+)["/]')
NAME = re.compile(EVENT_HEAD + rb'([^"\\\x80-\xff]*+)"')
CLOSING = ord("}")
# So many names and their verdicts are cached.
CACHED_NAMES = 32 * 1024
LARGE_EVENT_BYTES = 1024 * 1024
# A line in a window: its number, its start and end, and whether it begins as an event since 2015 does.
Span = tuple[int, int, int, bool]
# Selects the lines of a window that may matter, given the number of lines before it; also counts its lines.
Select = Callable[[Window, int], tuple[list[Span], int]]


class RepositoryFilter(Protocol):
    """The repositories that matter: all of some owners and, if `patterned`, others by their whole name."""

    @property
    def owners(self) -> frozenset[bytes]:
        """The owners whose repositories may matter, in lower case."""

    @property
    def patterned(self) -> bool:
        """Whether repositories of other owners may matter too."""

    def fits(self, name: str) -> bool:
        """Tell whether a pattern matches a repository, whoever owns it."""

    def wants(self, name: str) -> bool:
        """Tell whether an event of a repository may matter."""


class SlowReason(StrEnum):
    """Why a line was parsed as a whole; many of one kind mean that the format of the archive has changed."""

    SHAPE = "shape"  # other keys, another order, escapes or spaces
    OLD = "old"  # the format before 2015
    ENDING = "ending"  # no brace at the end
    TORN = "torn"  # not exactly one event: joined, cut or damaged


class QuarantineReason(StrEnum):
    """Why a part of an hour goes into quarantine."""

    CUT = "cut"  # begins like an event but does not end like one
    NOT_JSON = "not JSON"
    NOT_OBJECT = "not an object"
    TOO_LONG = "too long"
    UNFIT = "unfit"  # an event with a field that cannot be stored
    GZIP = "gzip"  # the file around the events is damaged


@dataclass(frozen=True, slots=True)
class Line:
    """An event that may matter: its line number from 1, its offset in the hour in bytes, its bytes, its JSON."""

    number: int
    offset: int
    data: bytes
    event: Json
    slow: SlowReason | None


@dataclass(frozen=True, slots=True)
class BrokenPart:
    """Bytes that are not an event: line number, offset, reason, the first bytes, and the length of all of them."""

    number: int
    offset: int
    reason: QuarantineReason
    data: bytes
    length: int
    detail: str = ""


@dataclass
class ReadStats:
    """Counts of lines, bytes, lines that were parsed as a whole, and parts that are not events."""

    lines: int = 0
    size: int = 0
    slow: Counter[SlowReason] = field(default_factory=Counter)
    broken: Counter[QuarantineReason] = field(default_factory=Counter)


class LineReader:
    """Iterate over it once for the events of an hour that may matter and its broken parts; `stats` has the counts."""

    def __init__(
        self,
        stream: ByteStream,
        repositories: RepositoryFilter,
        size: int = WINDOW_BYTES,
        longest: int = LONGEST_LINE_BYTES,
    ) -> None:
        self.stats = ReadStats()
        self._wants = repositories.wants
        self._longest = longest
        self._windows = windows(stream, size, longest)
        self._select = _select_by_name(repositories) if repositories.patterned else _select_by_owner(repositories)

    def __iter__(self) -> Iterator[Line | BrokenPart]:
        for window in self._windows:
            match window.content:
                case WindowContent.LINES:
                    spans, lines = self._select(window, self.stats.lines)
                    for number, start, end, shaped in spans:
                        yield from self._parse(number, window.offset + start, window.copy(start, end), shaped)
                    self.stats.lines += lines
                case WindowContent.EVENTS:
                    yield from self._salvage(self.stats.lines + 1, window.offset, window.copy(0, window.end))
                case WindowContent.START:
                    yield self._overlong(window)
            self.stats.size = window.offset + window.end

    def _parse(self, number: int, offset: int, data: bytes, shaped: bool) -> Iterator[Line | BrokenPart]:
        try:
            event = _parse(data)
        except (ValueError, RecursionError):
            yield from self._salvage(number, offset, data)
            return
        if not isinstance(event, dict):
            yield self.broken(number, offset, QuarantineReason.NOT_OBJECT, data)
            return
        slow = _slow_reason(event, data, shaped)
        if slow:
            self.stats.slow[slow] += 1
        if self._wants(repository_name(event)):
            yield Line(number, offset, data, event, slow)

    def _salvage(self, number: int, offset: int, data: bytes) -> Iterator[Line | BrokenPart]:
        if not data.strip(b" \t\r\n\x00"):
            return
        self.stats.slow[SlowReason.TORN] += 1
        for part in salvage_events(data):
            if isinstance(part, Fragment):
                reason = QuarantineReason.CUT if part.data.startswith(b'{"') else QuarantineReason.NOT_JSON
                yield self.broken(number, offset + part.start, reason, part.data)
            elif self._wants(repository_name(part.event)):
                yield Line(number, offset + part.start, part.data, part.event, SlowReason.TORN)

    def _overlong(self, window: Window) -> BrokenPart:
        self.stats.lines += 1
        start = window.copy(0, window.end)
        return self.broken(self.stats.lines, window.offset, QuarantineReason.TOO_LONG, start, length=self._longest)

    def broken(
        self, number: int, offset: int, reason: QuarantineReason, data: bytes, *, length: int = 0, detail: str = ""
    ) -> BrokenPart:
        """Count and return a part that cannot be kept as an event."""
        self.stats.broken[reason] += 1
        return BrokenPart(number, offset, reason, data[:KEPT_BYTES], length or len(data), detail)


def _parse(data: bytes) -> Any:
    # While it parses, orjson needs fourteen times the bytes of a line; the slower json needs three times.
    return orjson.loads(data) if len(data) < LARGE_EVENT_BYTES else json.loads(data)


def _slow_reason(event: Json, data: bytes, shaped: bool) -> SlowReason | None:
    if shaped and data[-1] == CLOSING:
        return None
    if shaped:
        return SlowReason.ENDING
    return SlowReason.OLD if "repo" not in event and "repository" in event else SlowReason.SHAPE


def _select_by_owner(repositories: RepositoryFilter) -> Select:
    owners = repositories.owners

    def select(window: Window, number: int) -> tuple[list[Span], int]:
        """Every line goes through this loop; each operation in it costs a twentieth of decompressing the line."""
        buffer, end = window.buffer, window.end
        find, match = buffer.find, OWNER.match
        odd = shaped = start = 0
        spans: list[Span] = []
        while start < end:
            stop = find(b"\n", start)
            found = match(buffer, start, stop)
            if found is None:
                odd += 1
                spans.append((number + odd + shaped, start, stop, False))
            else:
                shaped += 1
                if found[1].lower() in owners or buffer[stop - 1] != CLOSING:
                    spans.append((number + odd + shaped, start, stop, True))
            start = stop + 1
        if window.count(ANCHOR) != shaped:
            spans = _with_hidden(window, number, spans)
        return spans, odd + shaped

    return select


def _select_by_name(repositories: RepositoryFilter) -> Select:
    verdicts = _Verdicts(repositories)

    def select(window: Window, number: int) -> tuple[list[Span], int]:
        """The same loop, for a filter that needs the whole name."""
        buffer, end = window.buffer, window.end
        find, match = buffer.find, NAME.match
        odd = shaped = start = 0
        spans: list[Span] = []
        while start < end:
            stop = find(b"\n", start)
            found = match(buffer, start, stop)
            if found is None:
                odd += 1
                spans.append((number + odd + shaped, start, stop, False))
            else:
                shaped += 1
                if verdicts[found[1]] or buffer[stop - 1] != CLOSING:
                    spans.append((number + odd + shaped, start, stop, True))
            start = stop + 1
        if window.count(ANCHOR) != shaped:
            spans = _with_hidden(window, number, spans)
        return spans, odd + shaped

    return select


class _Verdicts(dict[bytes, bool]):
    """Whether a repository may matter, by its name: asked once, then cached."""

    def __init__(self, repositories: RepositoryFilter) -> None:
        self._owners = repositories.owners
        self._fits = repositories.fits

    def __missing__(self, name: bytes) -> bool:
        if len(self) >= CACHED_NAMES:
            self.clear()
        verdict = self[name] = name.lower().partition(b"/")[0] in self._owners or self._fits(name.decode())
        return verdict


def _with_hidden(window: Window, number: int, spans: list[Span]) -> list[Span]:
    """Return the spans, and the other lines that hold more than one anchor."""
    known = {start: (number, start, stop, shaped) for number, start, stop, shaped in spans}
    with_hidden: list[Span] = []
    start = 0
    while start < window.end:
        number += 1
        stop = window.buffer.find(b"\n", start)
        if start in known:
            with_hidden.append(known[start])
        elif window.buffer.count(ANCHOR, start, stop) > 1:
            with_hidden.append((number, start, stop, True))
        start = stop + 1
    return with_hidden
