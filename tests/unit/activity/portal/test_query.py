"""What may be asked for in an address."""

from datetime import datetime, timedelta

import pytest
from activity.portal.errors import InvalidParameter, NotFound
from activity.portal.query import metric_of, page_window, series_window

OLDEST, NEWEST = datetime(2014, 1, 1), datetime(2015, 1, 1, 1)


def test_without_parameters_a_page_shows_the_last_48_hours_held():
    window = page_window({}, OLDEST, NEWEST)
    assert (window.period, window.start, window.end) == ("h", datetime(2014, 12, 30, 2), datetime(2015, 1, 1, 2))
    assert len(window.times()) == 48


def test_days_end_with_the_day_of_the_newest_hour():
    window = page_window({"period": "d", "range": "30d"}, OLDEST, NEWEST)
    assert window.end == datetime(2015, 1, 2)
    assert len(window.times()) == 30


def test_a_page_does_not_reach_back_before_the_oldest_hour():
    window = page_window({"range": "7d"}, NEWEST - timedelta(hours=20), NEWEST)
    assert len(window.times()) == 21


def test_a_page_of_two_hours_still_has_six_periods():
    assert len(page_window({}, NEWEST - timedelta(hours=1), NEWEST).times()) == 6


def test_a_page_can_end_earlier_even_before_the_oldest_hour():
    window = page_window({"to": "2013-01-01"}, OLDEST, NEWEST)
    assert (window.end, len(window.times())) == (datetime(2013, 1, 1), 48)


def test_from_and_to_are_read_in_utc_whatever_their_offset():
    window = series_window({"from": "2015-01-01T02:00:00+02:00", "to": "2015-01-01T03:00:00Z"}, NEWEST)
    assert (window.start, window.end) == (datetime(2015, 1, 1), datetime(2015, 1, 1, 3))


def test_an_end_within_a_period_includes_that_period():
    assert series_window({"from": "2015-01-01", "to": "2015-01-01T00:30"}, NEWEST).end == datetime(2015, 1, 1, 1)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"period": "w"}, "period=w is invalid. Allowed: h, d."),
        ({"period": "d", "range": "24h"}, "range=24h is invalid. Allowed: 30d, 90d, 1y."),
        ({"to": "yesterday"}, "to=yesterday is invalid."),
        ({"to": "0001-01-01"}, "to=0001-01-01 is invalid."),
        ({"to": "9999-12-31T23:59:59-12:00"}, "to=9999"),
    ],
)
def test_a_wrong_parameter_of_a_page_is_refused_with_what_is_allowed(query, told):
    with pytest.raises(InvalidParameter) as refusal:
        page_window(query, OLDEST, NEWEST)
    assert refusal.value.message.startswith(told)
    assert refusal.value.status == 400
    assert refusal.value.suggestions


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"from": "2015-01-02", "to": "2015-01-01"}, "must be before"),
        ({"from": "2015-01-01", "to": "2015-01-01"}, "must be before"),
        ({"from": "2010-01-01", "to": "2015-01-01"}, "the maximum is 10,000"),
        ({"from": "'; drop table hours; --"}, "is invalid"),
    ],
)
def test_a_wrong_span_of_a_series_is_refused(query, told):
    with pytest.raises(InvalidParameter, match=told):
        series_window(query, NEWEST)


def test_a_long_wrong_value_is_not_repeated_whole():
    with pytest.raises(InvalidParameter) as refusal:
        page_window({"period": "x" * 5000}, OLDEST, NEWEST)
    assert len(refusal.value.message) < 150


def test_an_unknown_metric_is_not_here_and_names_those_that_are():
    with pytest.raises(NotFound, match="events, contributors, pull_requests"):
        metric_of("stars")
