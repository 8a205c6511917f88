"""A window never holds more than it may: whole lines, long ones too, and hours that are one line."""

import io
import json
import tracemalloc

import pytest
from activity.archive.read.lines import Line, LineReader, QuarantineReason
from activity.archive.read.windows import Window, windows
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.activity.archive.read.test_lines import Owners, event, packed

MEGABYTE = 1024 * 1024


class Endless(io.RawIOBase):
    """So many bytes of a pattern that are never there at once."""

    def __init__(self, start, pattern, count, end):
        self._parts = iter([start, *[pattern] * count, end])
        self._rest = b""

    def readinto(self, buffer):
        while not self._rest:
            self._rest = next(self._parts, None)
            if self._rest is None:
                return 0
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


@pytest.mark.parametrize("size", [1, 3, 16, 100])
def test_every_byte_comes_by_once_in_whole_lines(size):
    data = b"".join(b"x" * length + b"\n" for length in (0, 1, 50, 3, 500, 0, 7)) + b"last"
    seen, offset = b"", 0
    for window in windows(io.BytesIO(data), size):
        assert window.offset == offset
        assert window.buffer[window.end - 1] == ord("\n")
        seen += window.buffer[: window.end]
        offset += window.end
    assert seen == data + b"\n"


def test_a_window_that_grew_is_small_again():
    data = b"x" * 5000 + b"\n" + b"y\n" * 10_000
    lengths = [len(window.buffer) for window in windows(io.BytesIO(data), 64)]
    assert max(lengths) > 5000
    assert lengths[-1] == 65


def test_a_line_that_is_too_long_is_told_and_reading_goes_on_behind_it():
    data = packed(event("kube/a")) + b"\n" + b"z" * 5000 + b"\n" + packed(event("kube/b")) + b"\n"
    reader = LineReader(io.BytesIO(data), Owners(), 128, longest=1000)
    found = list(reader)
    assert [type(item).__name__ for item in found] == ["Line", "BrokenPart", "Line"]
    assert found[1].reason is QuarantineReason.TOO_LONG
    assert found[1].offset == data.index(b"z")
    assert [item.offset for item in found if isinstance(item, Line)] == [0, data.rindex(b'{"id":"')]
    assert reader.stats.lines == 3


def test_an_event_behind_a_line_that_is_too_long_is_found_in_it():
    data = b"z" * 5000 + packed(event("kube/b")) + b"\n" + packed(event("org/c"))
    found = [
        item.event["repo"]["name"]
        for item in LineReader(io.BytesIO(data), Owners(), 128, longest=1000)
        if isinstance(item, Line)
    ]
    assert found == ["kube/b", "org/c"]


@pytest.mark.parametrize("longest", [1500, 4000, 10**6])
def test_an_hour_on_one_line_is_read_event_by_event(longest):
    events = [event("kube/a" if number % 3 else "else/b", number) for number in range(200)]
    found = list(LineReader(io.BytesIO(b"".join(map(packed, events))), Owners(), 512, longest=longest))
    assert [item.event for item in found] == [item for item in events if item["repo"]["name"] == "kube/a"]


def test_an_hour_before_2015_on_one_line_is_read_event_by_event():
    events = [
        {
            "created_at": "2012-03-04T05:06:07Z",
            "type": "PushEvent",
            "actor": str(number),
            "repository": {"owner": "kube", "name": "a"},
        }
        for number in range(200)
    ]
    found = list(LineReader(io.BytesIO(b"".join(map(packed, events))), Owners(), 512, longest=2000))
    assert [item.event for item in found] == events


def peak_of(stream):
    tracemalloc.start()
    try:
        items = sum(1 for _ in LineReader(stream, Owners()))
        return items, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_reader_needs_little_memory_for_a_usual_hour():
    line = packed(event(payload={"body": "x" * 3000})) + b"\n"
    items, peak = peak_of(Endless(b"", line * 64, 500, packed(event("kube/a"))))
    assert items == 1
    assert peak < 4 * MEGABYTE


def test_the_reader_needs_little_memory_for_an_hour_on_one_line():
    line = packed(event(payload={"body": "x" * 3000}))
    items, peak = peak_of(Endless(packed(event("kube/a")), line * 64, 100, packed(event("kube/a"))))
    assert items == 2
    assert peak < 40 * MEGABYTE


def test_the_reader_needs_little_memory_for_a_line_of_many_megabytes():
    text = json.dumps(event("kube/a", payload={"body": "@"})).encode()
    start, end = text.split(b"@")
    items, peak = peak_of(Endless(start, b"word" * 1000, 900, end + b"\n"))
    assert items == 1
    assert peak < 40 * MEGABYTE
    items, peak = peak_of(Endless(start, b"word" * 1000, 5000, end + b"\n" + packed(event("kube/b"))))
    assert items == 2
    assert peak < 40 * MEGABYTE


@given(
    st.lists(st.sampled_from([b"ab", b"a", b"b", b"\n", b"\x00", b"ba" * 20]), max_size=60),
    st.sampled_from([b"ab", b"b\n"]),
)
def test_a_needle_is_counted_in_the_lines_and_nowhere_behind_them(parts, needle):
    data = b"".join(parts) + b"\n"
    window = Window(bytearray(data + needle), len(data), 0)
    assert window.count(needle) == data.count(needle)
    # Nothing holds on to the buffer, which is used again.
    window.buffer.extend(b"more")
