"""What is due, and when what failed is tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from activity.backup.schedule import MAX_DELAY, Backoff, is_due, trigger
from activity.errors import SettingsError
from activity.settings import read_settings

NIGHTLY = trigger("X", "30 3 * * *")
SUNDAYS = trigger("X", "30 1 * * sun")
SATURDAY = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def test_what_was_never_made_is_due_at_once():
    assert is_due(NIGHTLY, None, SATURDAY)


def test_it_is_due_from_its_time_on_until_it_was_made():
    last = datetime(2026, 1, 31, 3, 30, 5, tzinfo=UTC)
    assert not is_due(NIGHTLY, last, SATURDAY)
    assert not is_due(NIGHTLY, last, datetime(2026, 2, 1, 3, 29, 59, tzinfo=UTC))
    assert is_due(NIGHTLY, last, datetime(2026, 2, 1, 3, 30, tzinfo=UTC))
    assert not is_due(NIGHTLY, datetime(2026, 2, 1, 3, 30, tzinfo=UTC), datetime(2026, 2, 1, 3, 31, tzinfo=UTC))


def test_runs_that_were_missed_for_days_are_due_once():
    assert is_due(NIGHTLY, SATURDAY - timedelta(days=5), SATURDAY)
    assert not is_due(NIGHTLY, SATURDAY, SATURDAY)


def test_a_day_of_the_week_is_meant_by_its_name():
    assert not is_due(SUNDAYS, SATURDAY, SATURDAY + timedelta(hours=13))
    assert is_due(SUNDAYS, SATURDAY, SATURDAY + timedelta(hours=14))


def test_a_time_that_cannot_be_names_its_setting():
    with pytest.raises(SettingsError, match="ACTIVITY_BACKUP_FULL"):
        trigger("ACTIVITY_BACKUP_FULL", "99 1 * * sun")


@pytest.mark.parametrize("text", ["daily", "1 2 3 4", "30 1 * * 0", "30 1 * * mon;rm", "30 1 * * 1-5"])
def test_a_schedule_that_is_none_or_counts_days_is_refused(text):
    with pytest.raises(SettingsError, match="ACTIVITY_BACKUP_FULL: expected"):
        read_settings({"ACTIVITY_BACKUP_FULL": text}, frozenset())


def test_what_fails_is_left_alone_for_longer_and_longer_but_never_for_more_than_an_hour():
    pauses, now, waited = Backoff(), SATURDAY, []
    for _ in range(10):
        pauses.failed("full", now)
        assert not pauses.over("full", now)
        waited.append(pauses.until["full"] - now)
        now = pauses.until["full"]
        assert pauses.over("full", now)
    assert waited[:4] == [timedelta(minutes=minutes) for minutes in (2, 4, 8, 16)]
    assert max(waited) == MAX_DELAY
    assert pauses.over("dump apache", SATURDAY)
    pauses.well("full")
    pauses.failed("full", now)
    assert pauses.until["full"] - now == timedelta(minutes=2)
