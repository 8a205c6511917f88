"""Ticks of the axes."""

from datetime import datetime, timedelta

import pytest
from activity.portal.ticks import count_ticks, time_ticks


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (3, [0, 1, 2, 3]),
        (7, [0, 2, 4, 6, 8]),
        (57, [0, 20, 40, 60]),
        (100, [0, 25, 50, 75, 100]),
        (999, [0, 250, 500, 750, 1000]),
        (0.4, [0, 1]),
    ],
)
def test_counts_are_whole_round_and_reach_the_highest(highest, ticks):
    assert count_ticks(highest) == ticks


def hours(count, start=datetime(2015, 1, 1)):
    return [start + timedelta(hours=number) for number in range(count)]


def days(count, start=datetime(2015, 1, 1)):
    return [start + timedelta(days=number) for number in range(count)]


def test_two_hours_have_a_tick_each():
    assert time_ticks(hours(2), "h", 9) == [(0, "1 Jan"), (1, "01:00")]


def test_a_week_of_hours_is_told_by_day():
    labels = [label for _, label in time_ticks(hours(168), "h", 9)]
    assert labels == ["1 Jan", "2 Jan", "3 Jan", "4 Jan", "5 Jan", "6 Jan", "7 Jan"]


def test_a_quarter_of_days_is_told_on_mondays():
    found = time_ticks(days(90), "d", 9)
    assert [label for _, label in found] == ["12 Jan", "26 Jan", "9 Feb", "23 Feb", "9 Mar", "23 Mar"]


def test_a_year_of_days_is_told_by_months_and_names_the_year():
    assert [label for _, label in time_ticks(days(365), "d", 9)] == ["2015", "Mar", "May", "Jul", "Sep", "Nov"]


def test_a_single_period_off_the_round_ones_still_has_its_tick():
    assert time_ticks([datetime(2015, 1, 1, 5)], "h", 4) == [(0, "05:00")]


def test_nothing_has_no_ticks():
    assert time_ticks([], "h", 9) == []


@pytest.mark.parametrize("count", [1, 6, 24, 48, 168, 720])
@pytest.mark.parametrize("most", [4, 6, 9])
def test_there_are_never_more_ticks_than_there_is_room_for(count, most):
    assert 1 <= len(time_ticks(hours(count), "h", most)) <= most
    assert 1 <= len(time_ticks(days(count), "d", most)) <= most
