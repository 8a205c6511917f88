"""The lines of an hour that may matter: found by their first bytes, read as JSON only then; nothing is missed.

An event since 2015 begins `{"id":"1","type":"PushEvent","actor":{...},"repo":{"id":2,"name":"owner/name"`. A line
that begins so tells its repository without being parsed: the second brace of the line opens the actor, the third
the repository, so both are at the top of the event, and a name without a backslash is what it seems. Any other
line is parsed whole. An event that is hidden behind another on the same line has an anchor of its own: each window
must have as many of them as lines that begin well, else its lines are looked at one by one.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import orjson

from activity.archive.read.gunzip import Bytes
from activity.archive.read.ownership import Json, repository_name
from activity.archive.read.salvage import Piece, Scrap, take_apart
from activity.archive.read.windows import KEPT, LONGEST_LINE, SIZE, Holds, Window, windows

ANCHOR = b'Event","actor":{"id":'
TOP = rb'\{[^{]*+(?<=Event","actor":)\{"id":[^{]*+(?<=\},"repo":)\{"id":\d++,"name":"'
OWNER = re.compile(TOP + rb'([^"/\\\x80-\xff]*+)["/]')
NAME = re.compile(TOP + rb'([^"\\\x80-\xff]*+)"')
CLOSING = ord("}")
REMEMBERED = 1 << 15
LARGE = 1 << 20
Span = tuple[int, int, int, bool]


class Wanted(Protocol):
    """Which repositories matter: those of some owners, and if `patterned` others that only a look at the name tells."""

    @property
    def owners(self) -> frozenset[bytes]:
        """Owners of repositories that may matter, in lower case."""

    @property
    def patterned(self) -> bool:
        """Whether repositories of other owners may matter too."""

    def fits(self, name: str) -> bool:
        """Tell whether a repository of any owner may matter by a pattern."""

    def wants(self, name: str) -> bool:
        """Tell whether an event of a repository may matter."""


class Slow(StrEnum):
    """Why a line had to be read as a whole; many of one kind mean that the archive's format has changed."""

    SHAPE = "shape"  # other keys, another order, escapes or spaces
    OLD = "old"  # the format before 2015
    ENDING = "ending"  # no brace at the end
    TORN = "torn"  # no single event: glued, cut or damaged


class Reason(StrEnum):
    """Why bytes of an hour could not be kept as an event."""

    CUT = "cut"  # begins as an event does and does not end so
    NOT_JSON = "not JSON"
    NOT_OBJECT = "not an object"
    TOO_LONG = "too long"
    UNFIT = "unfit"  # an event with a field that cannot be stored
    GZIP = "gzip"  # the file around the events is damaged


@dataclass(frozen=True, slots=True)
class Line:
    """An event that may matter: the number of its line from 1, its first byte in the hour, its bytes, its JSON."""

    number: int
    offset: int
    data: bytes
    event: Json
    slow: Slow | None


@dataclass(frozen=True, slots=True)
class Broken:
    """Bytes that are no event, where they are, why, and how many there were; of very many only the first are here."""

    number: int
    offset: int
    reason: Reason
    data: bytes
    length: int
    detail: str = ""


@dataclass
class Tally:
    """What came by: lines, bytes, lines that had to be read as a whole, bytes that are no event."""

    lines: int = 0
    size: int = 0
    slow: Counter[Slow] = field(default_factory=Counter)
    broken: Counter[Reason] = field(default_factory=Counter)


class Reader:
    """Reads an hour line by line; iterate over it once, `tally` tells the rest."""

    def __init__(self, stream: Bytes, wanted: Wanted, size: int = SIZE, longest: int = LONGEST_LINE) -> None:
        self.tally = Tally()
        self._wants = wanted.wants
        self._longest = longest
        self._windows = windows(stream, size, longest)
        self._skim: Callable[[Window, int], tuple[list[Span], int]] = (
            _skimmer_of_names(wanted) if wanted.patterned else _skimmer_of_owners(wanted)
        )

    def __iter__(self) -> Iterator[Line | Broken]:
        for window in self._windows:
            match window.holds:
                case Holds.LINES:
                    spans, lines = self._skim(window, self.tally.lines)
                    for number, start, end, shaped in spans:
                        yield from self._read(number, window.offset + start, window.copy(start, end), shaped)
                    self.tally.lines += lines
                case Holds.EVENTS:
                    yield from self._torn(self.tally.lines + 1, window.offset, window.copy(0, window.end))
                case Holds.START:
                    yield self._overlong(window)
            self.tally.size = window.offset + window.end

    def _read(self, number: int, offset: int, data: bytes, shaped: bool) -> Iterator[Line | Broken]:
        try:
            event = _parse(data)
        except (ValueError, RecursionError):
            yield from self._torn(number, offset, data)
            return
        if not isinstance(event, dict):
            yield self.broken(number, offset, Reason.NOT_OBJECT, data)
            return
        slow = _why(event, data, shaped)
        if slow:
            self.tally.slow[slow] += 1
        if self._wants(repository_name(event)):
            yield Line(number, offset, data, event, slow)

    def _torn(self, number: int, offset: int, data: bytes) -> Iterator[Line | Broken]:
        if not data.strip(b" \t\r\n\x00"):
            return
        self.tally.slow[Slow.TORN] += 1
        for piece in take_apart(data):
            if isinstance(piece, Scrap):
                reason = Reason.CUT if piece.data.startswith(b'{"') else Reason.NOT_JSON
                yield self.broken(number, offset + piece.start, reason, piece.data)
            elif self._wants(repository_name(piece.event)):
                yield self._line(number, offset, piece)

    def _line(self, number: int, offset: int, piece: Piece) -> Line:
        return Line(number, offset + piece.start, piece.data, piece.event, Slow.TORN)

    def _overlong(self, window: Window) -> Broken:
        self.tally.lines += 1
        start = window.copy(0, window.end)
        return self.broken(self.tally.lines, window.offset, Reason.TOO_LONG, start, length=self._longest)

    def broken(
        self, number: int, offset: int, reason: Reason, data: bytes, *, length: int = 0, detail: str = ""
    ) -> Broken:
        """Count and return bytes that cannot be kept as an event."""
        self.tally.broken[reason] += 1
        return Broken(number, offset, reason, data[:KEPT], length or len(data), detail)


def _parse(data: bytes) -> Any:
    # For the time that it reads, orjson needs fourteen times the bytes of a line; the slower one needs three times.
    return orjson.loads(data) if len(data) < LARGE else json.loads(data)


def _why(event: Json, data: bytes, shaped: bool) -> Slow | None:
    if shaped and data[-1] == CLOSING:
        return None
    if shaped:
        return Slow.ENDING
    return Slow.OLD if "repo" not in event and "repository" in event else Slow.SHAPE


def _skimmer_of_owners(wanted: Wanted) -> Callable[[Window, int], tuple[list[Span], int]]:
    owners = wanted.owners

    def skim(window: Window, number: int) -> tuple[list[Span], int]:
        """The loop that every line goes through; each operation in it is a twentieth of gunzipping the line."""
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

    return skim


def _skimmer_of_names(wanted: Wanted) -> Callable[[Window, int], tuple[list[Span], int]]:
    verdicts = _Verdicts(wanted)

    def skim(window: Window, number: int) -> tuple[list[Span], int]:
        """The same loop, where not only the owner decides."""
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

    return skim


class _Verdicts(dict[bytes, bool]):
    """Whether a name may matter: asked once, then remembered."""

    def __init__(self, wanted: Wanted) -> None:
        self._owners = wanted.owners
        self._fits = wanted.fits

    def __missing__(self, name: bytes) -> bool:
        if len(self) >= REMEMBERED:
            self.clear()
        verdict = self[name] = name.lower().partition(b"/")[0] in self._owners or self._fits(name.decode())
        return verdict


def _with_hidden(window: Window, number: int, spans: list[Span]) -> list[Span]:
    """Return the spans and those lines beside them that hold more than one anchor."""
    known = {start: (number, start, stop, shaped) for number, start, stop, shaped in spans}
    found: list[Span] = []
    start = 0
    while start < window.end:
        number += 1
        stop = window.buffer.find(b"\n", start)
        if start in known:
            found.append(known[start])
        elif window.buffer.count(ANCHOR, start, stop) > 1:
            found.append((number, start, stop, True))
        start = stop + 1
    return found
