"""Times are UTC wherever they come from, and durations have one unit."""

from datetime import UTC, datetime, timedelta

import pytest
from activity.times import as_utc, parse_duration, parse_time

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-01-01T12:00:00Z", "2026-01-01T12:00", "2026-01-01T14:00:00+02:00"])
def test_a_time_is_utc_unless_it_names_its_zone(text):
    assert parse_time(text) == NOON
    assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["", "noon", "2026-13-01", "0001-01-01T00:00:00+14:00"])
def test_what_is_not_a_time_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="expected a time such as 2026-01-01T12:00:00Z, found"):
        parse_time(text)


def test_a_time_without_a_zone_is_utc_already():
    assert as_utc(datetime(2026, 1, 1, 12)) == NOON


@pytest.mark.parametrize(
    ("text", "duration"),
    [("0s", timedelta()), ("90s", timedelta(seconds=90)), ("10m", timedelta(minutes=10)), ("7d", timedelta(days=7))],
)
def test_a_duration_has_a_number_and_a_unit(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "10", "m", "1.5h", "-1s", "1h30m"])
def test_what_is_not_a_duration_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="expected a duration such as 90s, 10m, 12h or 7d"):
        parse_duration(text)
