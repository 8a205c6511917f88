"""How long an hour waits until it is tried again."""

from datetime import timedelta

import pytest
from activity.archive.schedule.ledger import wait

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("first", "attempts", "expected"),
    [
        (MINUTE, 1, MINUTE),
        (MINUTE, 2, 2 * MINUTE),
        (MINUTE, 6, 32 * MINUTE),
        (MINUTE, 7, 60 * MINUTE),
        (MINUTE, 10_000, 60 * MINUTE),
        (timedelta(hours=3), 5, timedelta(hours=3)),
        (timedelta(0), 5, timedelta(0)),
    ],
)
def test_the_wait_doubles_up_to_an_hour(first, attempts, expected):
    assert wait(first, attempts) == expected
