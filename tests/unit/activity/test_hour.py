"""Hours are written unpadded, counted in UTC, and wrong ones are said to be wrong."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from activity.archive.read.open_hour import hour_url
from activity.hour import Hour, hour_at, newest_full_hour, parse_hour, parse_since
from hypothesis import given
from hypothesis import strategies as some

NOW = datetime(2026, 11, 21, 5, 10, 30, tzinfo=UTC)
HOURS = some.datetimes(datetime(2011, 1, 1), datetime(2040, 1, 1), timezones=some.just(UTC)).map(hour_at)


@pytest.mark.parametrize("text", ["2015-01-01-0", "2015-01-01-9", "2015-01-01-10", "2024-02-29-23"])
def test_an_hour_is_written_as_it_is_read(text):
    assert str(parse_hour(text)) == text


def test_a_padded_hour_is_read_and_written_unpadded():
    assert str(parse_hour("2015-01-01-05")) == "2015-01-01-5"


@pytest.mark.parametrize("text", ["", "2015-01-01", "2015-01-01-24", "2015-02-29-0", "2015-1-1-0", "today", "-6h"])
def test_what_is_no_hour_is_refused_with_what_was_expected(text):
    with pytest.raises(ValueError, match="expected an hour such as 2015-01-01-0, found"):
        parse_hour(text)


@given(HOURS)
def test_writing_and_reading_give_the_hour_back(hour):
    assert parse_hour(str(hour)) == hour


@given(HOURS, some.integers(0, 400))
def test_a_range_has_every_hour_once_in_order(first, length):
    hours = list(first.until(first.shift(length)))
    assert len(hours) == length + 1
    assert hours == sorted(set(hours))
    assert hours[-1] == first.shift(length)


def test_a_range_that_ends_before_it_begins_is_empty():
    first = parse_hour("2015-01-01-1")
    assert list(first.until(first.shift(-1))) == []


def test_ranges_cross_days_and_years():
    hours = parse_hour("2014-12-31-23").until(parse_hour("2015-01-01-1"))
    assert [str(hour) for hour in hours] == ["2014-12-31-23", "2015-01-01-0", "2015-01-01-1"]


def test_the_newest_full_hour_has_wholly_passed():
    assert str(newest_full_hour(NOW)) == "2026-11-21-4"
    assert str(newest_full_hour(datetime(2026, 11, 21, 5, tzinfo=UTC))) == "2026-11-21-4"


@pytest.mark.parametrize(
    ("text", "first"),
    [("-1h", "2026-11-21-4"), ("-6h", "2026-11-20-23"), ("2015-01-01-0", "2015-01-01-0")],
)
def test_the_start_may_be_so_many_full_hours_ago(text, first):
    assert str(parse_since(text, NOW)) == first


@pytest.mark.parametrize("text", ["-0h", "6h", "-6", "-6d", "--6h"])
def test_a_wrong_start_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        parse_since(text, NOW)


def test_an_hour_of_any_zone_is_that_of_utc():
    assert str(hour_at(datetime(2015, 1, 1, 3, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))))) == "2014-12-31-22"
    assert Hour(datetime(2015, 1, 1, tzinfo=UTC)).stamp == datetime(2015, 1, 1)


def test_a_file_is_named_as_the_archive_names_it():
    assert hour_url("https://a.example", parse_hour("2015-01-01-05")) == "https://a.example/2015-01-01-5.json.gz"
