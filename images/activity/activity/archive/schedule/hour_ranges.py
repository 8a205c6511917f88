"""Which hours something has, as ranges: a decade is one of them."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from activity.hour import Hour

Holder = TypeVar("Holder")
Range = tuple[Hour, Hour]


class Coverage:
    """A set of hours, kept as ranges (both ends included) that neither touch nor overlap, in order."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._ranges = _merged(ranges)

    def __contains__(self, hour: Hour) -> bool:
        at = self._at(hour)
        return at >= 0 and hour <= self._ranges[at][1]

    def ranges(self) -> tuple[Range, ...]:
        """Return the ranges, in order."""
        return tuple(self._ranges)

    def count(self) -> int:
        """Return how many hours it has."""
        return sum(first.distance(last) + 1 for first, last in self._ranges)

    def add(self, hour: Hour) -> None:
        """Have an hour from now on."""
        at = self._at(hour)
        if at >= 0 and hour <= self._ranges[at][1]:
            return
        # Only the neighbours can touch it.
        low, high = max(at, 0), at + 2
        self._ranges[low:high] = _merged([*self._ranges[low:high], (hour, hour)])

    def gaps(self, first: Hour, last: Hour) -> Iterator[Range]:
        """Yield the ranges between two hours (both included) that are not in the set."""
        begin = first
        for low, high in self._ranges[max(self._at(first), 0) :]:
            if low > last:
                break
            if begin < low:
                yield begin, low.shift(-1)
            begin = max(begin, high.shift(1))
        if begin <= last:
            yield begin, last

    def _at(self, hour: Hour) -> int:
        """The place of the last range that begins at the hour or before it; -1 without one."""
        return bisect_right(self._ranges, hour, key=lambda item: item[0]) - 1


def lacking(
    gaps: Mapping[Holder, Iterable[Range]], *, newest_first: bool = False
) -> Iterator[tuple[Hour, tuple[Holder, ...]]]:
    """Yield each hour that lies in somebody's gaps, once, with those whose gaps hold it."""
    missing = {holder: Coverage(ranges) for holder, ranges in gaps.items()}
    union = Coverage(item for coverage in missing.values() for item in coverage.ranges()).ranges()
    for first, last in reversed(union) if newest_first else union:
        for hour in last.down_to(first) if newest_first else first.until(last):
            yield hour, tuple(holder for holder, coverage in missing.items() if hour in coverage)


def _merged(ranges: Iterable[Range]) -> list[Range]:
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1].shift(1):
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged
