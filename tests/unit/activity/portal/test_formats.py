"""How numbers and moments are written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from activity.portal.formats import ago, compact, counted, iso, minute, number, size
from activity.portal.project_charts import event_title

NOW = datetime(2026, 11, 21, 5, tzinfo=UTC)


def test_numbers_are_grouped_and_nothing_is_a_dash():
    assert [number(0), number(1_234_567), number(2.5), number(None)] == ["0", "1,234,567", "2.5", "–"]


def test_a_count_agrees_with_its_noun():
    assert [counted(1, "event"), counted(2, "event")] == ["1 event", "2 events"]


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (950, "950"), (1200, "1.2k"), (15_000, "15k"), (3e6, "3M")])
def test_axis_numbers_are_short(value, text):
    assert compact(value) == text


@pytest.mark.parametrize(
    ("past", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(seconds=-20), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=30), "1 day ago"),
        (timedelta(days=800), "2 years ago"),
    ],
)
def test_how_long_ago_is_told_in_the_largest_unit(past, text):
    assert ago(NOW - past, NOW) == text


def test_moments_are_utc_whatever_zone_they_come_in():
    moment = datetime(2015, 1, 1, 7, tzinfo=timezone(timedelta(hours=2)))
    assert (iso(moment), minute(moment)) == ("2015-01-01T05:00:00Z", "1 Jan 2015, 05:00")
    assert iso(None) is None
    assert ago(None, NOW) == "never"


def test_memory_is_told_in_its_largest_unit():
    assert [size(512), size(8_345_600_000)] == ["512 B", "7.77 GiB"]


def test_event_types_read_as_words():
    names = ["PushEvent", "PullRequestReviewCommentEvent", "Event", "<b>"]
    assert [event_title(name) for name in names] == ["Push", "Pull request review comment", "Event", "<b>"]
