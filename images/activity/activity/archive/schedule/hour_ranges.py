"""Sets of hours, kept as ranges: ten years of hours are a single range."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from activity.hour import Hour

Owner = TypeVar("Owner")
Range = tuple[Hour, Hour]


class HourRanges:
    """A set of hours as sorted ranges (both ends included) that neither touch nor overlap."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._ranges = _merged(ranges)

    def __contains__(self, hour: Hour) -> bool:
        index = self._index(hour)
        return index >= 0 and hour <= self._ranges[index][1]

    def ranges(self) -> tuple[Range, ...]:
        """Return the ranges, sorted."""
        return tuple(self._ranges)

    def count(self) -> int:
        """Return the number of hours in the set."""
        return sum(first.distance(last) + 1 for first, last in self._ranges)

    def add(self, hour: Hour) -> None:
        """Add an hour."""
        if hour in self:
            return
        index = self._index(hour)
        # Only the neighbouring ranges can touch the new hour.
        low, high = max(index, 0), index + 2
        self._ranges[low:high] = _merged([*self._ranges[low:high], (hour, hour)])

    def gaps(self, first: Hour, last: Hour) -> Iterator[Range]:
        """Yield the ranges between two hours (both included) that are not in the set."""
        begin = first
        for low, high in self._ranges[max(self._index(first), 0) :]:
            if low > last:
                break
            if begin < low:
                yield begin, low.shift(-1)
            begin = max(begin, high.shift(1))
        if begin <= last:
            yield begin, last

    def _index(self, hour: Hour) -> int:
        """Return the index of the last range that begins at or before an hour; -1 when there is none."""
        return bisect_right(self._ranges, hour, key=lambda item: item[0]) - 1


def union(sets: Iterable[HourRanges]) -> HourRanges:
    """Return the hours that are in any of the sets."""
    return HourRanges(hour_range for hours in sets for hour_range in hours.ranges())


def missing_hours(
    gaps: Mapping[Owner, Iterable[Range]], *, newest_first: bool = False
) -> Iterator[tuple[Hour, tuple[Owner, ...]]]:
    """Yield each hour that lies in any owner's gaps once, with all owners that miss it."""
    missing = {owner: HourRanges(ranges) for owner, ranges in gaps.items()}
    ranges = union(missing.values()).ranges()
    for first, last in reversed(ranges) if newest_first else ranges:
        for hour in last.down_to(first) if newest_first else first.until(last):
            yield hour, tuple(owner for owner, hours in missing.items() if hour in hours)


def _merged(ranges: Iterable[Range]) -> list[Range]:
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1].shift(1):
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged
