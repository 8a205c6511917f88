"""A stream seen through one window that is used again and again: always whole lines, never the whole hour."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import stringzilla

from activity.archive.read.gunzip import Bytes

SIZE = 256 * 1024
LONGEST_LINE = 4 * 1024 * 1024
KEPT = 16 * 1024
# How an event begins since 2015 wherever it is, and how any event begins right behind another. Neither can be
# inside a JSON text: a quote in a string is escaped.
BEGINS = re.compile(rb'\{"id":"\d++","type":"\w+Event","actor":\{|(?<=\})\{"[a-z_]++":')
OVERLAP = 1024


class Holds(Enum):
    """What a window holds."""

    LINES = "whole lines"
    EVENTS = "events from a line that is longer than may be"
    START = "the start of such a line without events, whose other bytes were not kept"


@dataclass(frozen=True, slots=True)
class Window:
    """The lines in `buffer[:end]`; they begin at `offset` of the stream."""

    buffer: bytearray
    end: int
    offset: int
    holds: Holds = Holds.LINES

    def copy(self, start: int, end: int) -> bytes:
        """Return a copy of some of it."""
        with memoryview(self.buffer) as view:
            return bytes(view[start:end])

    def count(self, needle: bytes) -> int:
        """Count a needle that cannot overlap itself, four times as fast as the buffer's own method does."""
        with memoryview(self.buffer) as view, view[: self.end] as lines:
            return int(stringzilla.count(lines, needle))


def windows(stream: Bytes, size: int = SIZE, longest: int = LONGEST_LINE) -> Iterator[Window]:
    """Yield the stream window by window; each is only good until the next one is asked for.

    The window grows for a long line. When a line is longer than may be, it is cut where an event begins in it;
    when none does, only its start is told, and reading goes on at the next line or event.
    """
    glass = _Glass(stream, min(size, longest), longest)
    while glass.fill():
        if glass.lost and not glass.find_again():
            continue
        if end := glass.end_of_lines():
            yield Window(glass.buffer, end, glass.offset)
            glass.drop(end)
        elif glass.is_full and (end := glass.end_of_events()):
            yield Window(glass.buffer, end, glass.offset, Holds.EVENTS)
            glass.drop(end)
        elif glass.is_full:
            yield Window(glass.buffer, min(glass.have, KEPT), glass.offset, Holds.START)
            glass.lose()
    if glass.have and not glass.lost:
        glass.buffer[glass.have] = ord("\n")
        yield Window(glass.buffer, glass.have + 1, glass.offset)


class _Glass:
    """The buffer, how much of it is filled, and where in the stream it is; it has a byte to spare."""

    def __init__(self, stream: Bytes, size: int, longest: int) -> None:
        self._stream = stream
        self._size = size
        self._longest = longest
        self._new = 0
        self.buffer = bytearray(size + 1)
        self.have = 0
        self.offset = 0
        self.lost = False

    @property
    def is_full(self) -> bool:
        return self.have >= self._longest

    def fill(self) -> bool:
        """Read on; returns False at the end of the stream."""
        if self.have == len(self.buffer) - 1:
            self._resize(min(2 * self.have, self._longest))
        with memoryview(self.buffer) as view:
            count = self._stream.readinto(view[self.have : -1]) or 0
        self._new = self.have
        self.have += count
        return count > 0

    def end_of_lines(self) -> int:
        """Return where the last whole line ends; only what is new can hold its end."""
        return self.buffer.rfind(b"\n", self._new, self.have) + 1

    def end_of_events(self) -> int:
        """Return where the last event begins that is not the first, 0 when there is none."""
        with memoryview(self.buffer) as view:
            return max((match.start() for match in BEGINS.finditer(view[: self.have], 1)), default=0)

    def drop(self, count: int) -> None:
        """Move what follows to the front."""
        rest = self.have - count
        with memoryview(self.buffer) as view:
            view[:rest] = view[count : self.have]
        self._new, self.have, self.offset = rest, rest, self.offset + count
        if rest < self._size < len(self.buffer) - 1:
            self._resize(self._size)

    def lose(self) -> None:
        """Forget a line; it ends where a newline or an event is found."""
        self.lost = True
        self._drop_but_overlap()

    def find_again(self) -> bool:
        """Go to the next line or event and tell whether one begins here."""
        newline = self.buffer.find(b"\n", 0, self.have) + 1
        with memoryview(self.buffer) as view:
            event = BEGINS.search(view[: newline or self.have])
        if event is None and not newline:
            self._drop_but_overlap()
            return False
        self.lost = False
        self.drop(event.start() if event else newline)
        self._new = 0
        return True

    def _drop_but_overlap(self) -> None:
        """Keep only a little, for an event may have begun in it."""
        self.drop(self.have - min(OVERLAP, self.have // 2))

    def _resize(self, size: int) -> None:
        buffer = bytearray(size + 1)
        with memoryview(self.buffer) as view:
            buffer[: self.have] = view[: self.have]
        self.buffer = buffer
