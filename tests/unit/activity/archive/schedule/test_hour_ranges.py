"""Ranges of hours, against plain sets of hours."""

from datetime import UTC, datetime

from activity.archive.schedule.hour_ranges import HourRanges, missing_hours
from activity.hour import Hour
from hypothesis import given
from hypothesis import strategies as some

BEGIN = Hour(datetime(2020, 1, 1, tzinfo=UTC))
NUMBERS = some.integers(0, 30)
RANGES = some.lists(some.tuples(NUMBERS, NUMBERS).map(sorted), max_size=6)


def hour(number):
    return BEGIN.shift(number)


def numbers(ranges):
    return {number for low, high in ranges for number in range(low, high + 1)}


def coverage(ranges):
    return HourRanges((hour(low), hour(high)) for low, high in ranges)


def spelled(ranges):
    return [found for first, last in ranges for found in first.until(last)]


@given(RANGES, some.lists(NUMBERS))
def test_a_coverage_is_a_set_of_hours(ranges, added):
    held, expected = coverage(ranges), numbers(ranges) | set(added)
    for number in added:
        held.add(hour(number))
    assert {number for number in range(40) if hour(number) in held} == expected
    assert spelled(held.ranges()) == [hour(number) for number in sorted(expected)]
    assert all(before[1].shift(1) < after[0] for before, after in zip(held.ranges(), held.ranges()[1:], strict=False))


@given(RANGES, NUMBERS, NUMBERS)
def test_gaps_are_what_it_lacks_between_two_hours(ranges, first, last):
    expected = [hour(number) for number in range(first, last + 1) if number not in numbers(ranges)]
    assert spelled(coverage(ranges).gaps(hour(first), hour(last))) == expected


@given(some.dictionaries(some.sampled_from("abc"), RANGES), some.booleans())
def test_each_hour_comes_once_with_all_who_lack_it(gaps, newest_first):
    given_gaps = {name: [(hour(low), hour(high)) for low, high in ranges] for name, ranges in gaps.items()}
    every = sorted(set().union(*(numbers(ranges) for ranges in gaps.values())), reverse=newest_first)
    expected = [(hour(n), tuple(name for name, ranges in gaps.items() if n in numbers(ranges))) for n in every]
    assert list(missing_hours(given_gaps, newest_first=newest_first)) == expected
