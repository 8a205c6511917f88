"""A stream in windows of whole lines: one buffer is filled again and again, and never holds the whole hour."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import stringzilla

from activity.archive.read.gunzip import ByteStream

WINDOW_BYTES = 256 * 1024
LONGEST_LINE_BYTES = 4 * 1024 * 1024
# Of a line without events that is too long, and of whatever goes into quarantine, so much is kept.
KEPT_BYTES = 16 * 1024
# How an event begins since 2015 wherever it is, and how any event begins right after another. Neither can occur
# inside a JSON string, in which quotes are escaped.
EVENT_START = re.compile(rb'\{"id":"\d++","type":"\w+Event","actor":\{|(?<=\})\{"[a-z_]++":')
# So much of a dropped line stays in the buffer: an event may have begun at its end.
OVERLAP_BYTES = 1024


class WindowContent(Enum):
    """The content of a window."""

    LINES = "whole lines"
    EVENTS = "events of a line that is too long"
    START = "the start of a line that is too long and has no events; its other bytes are dropped"


@dataclass(frozen=True, slots=True)
class Window:
    """The lines in `buffer[:end]`; they begin at `offset` of the stream."""

    buffer: bytearray
    end: int
    offset: int
    content: WindowContent = WindowContent.LINES

    def copy(self, start: int, end: int) -> bytes:
        """Return a copy of some bytes."""
        with memoryview(self.buffer) as view:
            return bytes(view[start:end])

    def count(self, needle: bytes) -> int:
        """Count a needle that cannot overlap itself, four times as fast as bytearray.count."""
        with memoryview(self.buffer) as view, view[: self.end] as lines:
            return int(stringzilla.count(lines, needle))


def windows(stream: ByteStream, size: int = WINDOW_BYTES, longest: int = LONGEST_LINE_BYTES) -> Iterator[Window]:
    """Yield the stream window by window; each is valid only until the next one is requested.

    The window grows for a long line, up to `longest` bytes. A longer line is cut where an event begins in it; without
    any event only its start is yielded, and reading continues with the next line or event.
    """
    buffer = _Buffer(stream, min(size, longest), longest)
    while buffer.fill():
        if buffer.in_dropped_line and not buffer.find_next():
            continue
        if end := buffer.end_of_lines():
            yield Window(buffer.bytes, end, buffer.offset)
            buffer.drop(end)
        elif buffer.is_full and (end := buffer.end_of_events()):
            yield Window(buffer.bytes, end, buffer.offset, WindowContent.EVENTS)
            buffer.drop(end)
        elif buffer.is_full:
            yield Window(buffer.bytes, min(buffer.length, KEPT_BYTES), buffer.offset, WindowContent.START)
            buffer.drop_line()
    if buffer.length and not buffer.in_dropped_line:
        buffer.bytes[buffer.length] = ord("\n")
        yield Window(buffer.bytes, buffer.length + 1, buffer.offset)


class _Buffer:
    """The bytes of the stream from `offset` on, `length` of them; one spare byte has room for a final newline."""

    def __init__(self, stream: ByteStream, size: int, longest: int) -> None:
        self._stream = stream
        self._size = size
        self._longest = longest
        self._fresh = 0
        self.bytes = bytearray(size + 1)
        self.length = 0
        self.offset = 0
        self.in_dropped_line = False

    @property
    def is_full(self) -> bool:
        return self.length >= self._longest

    def fill(self) -> bool:
        """Read more; returns False at the end of the stream."""
        if self.length == len(self.bytes) - 1:
            self._resize(min(2 * self.length, self._longest))
        with memoryview(self.bytes) as view:
            count = self._stream.readinto(view[self.length : -1]) or 0
        self._fresh = self.length
        self.length += count
        return count > 0

    def end_of_lines(self) -> int:
        """Return the end of the last whole line; only fresh bytes can hold its newline."""
        return self.bytes.rfind(b"\n", self._fresh, self.length) + 1

    def end_of_events(self) -> int:
        """Return where the last event begins that is not the first; 0 when there is none."""
        with memoryview(self.bytes) as view:
            return max((match.start() for match in EVENT_START.finditer(view[: self.length], 1)), default=0)

    def drop(self, count: int) -> None:
        """Drop bytes at the front, and move the rest there."""
        rest = self.length - count
        with memoryview(self.bytes) as view:
            view[:rest] = view[count : self.length]
        self._fresh, self.length, self.offset = rest, rest, self.offset + count
        if rest < self._size < len(self.bytes) - 1:
            self._resize(self._size)

    def drop_line(self) -> None:
        """Drop the rest of the line, up to the next newline or event."""
        self.in_dropped_line = True
        self._drop_all_but_overlap()

    def find_next(self) -> bool:
        """Move the next line or event to the front; returns False when the buffer holds none."""
        newline = self.bytes.find(b"\n", 0, self.length) + 1
        with memoryview(self.bytes) as view:
            event = EVENT_START.search(view[: newline or self.length])
        if event is None and not newline:
            self._drop_all_but_overlap()
            return False
        self.in_dropped_line = False
        self.drop(event.start() if event else newline)
        self._fresh = 0
        return True

    def _drop_all_but_overlap(self) -> None:
        """Keep only the last bytes, in which an event may have begun."""
        self.drop(self.length - min(OVERLAP_BYTES, self.length // 2))

    def _resize(self, size: int) -> None:
        resized = bytearray(size + 1)
        with memoryview(self.bytes) as view:
            resized[: self.length] = view[: self.length]
        self.bytes = resized
