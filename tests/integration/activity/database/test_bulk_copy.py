"""What goes into COPY comes out of the table, whatever is in it."""

from datetime import datetime

import pytest
from activity.database.bulk_copy import Batch, Table, encode_row
from activity.database.connect import LOG_DATABASE, transaction
from activity.settings import Need, read_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

# Every character that UTF-8 can hold, and often those that COPY treats as its own.
TEXTS = some.text(some.characters(codec="utf-8")) | some.text("\t\\\n\r\x00N.abt'\"")
ROWS = some.tuples(
    some.none() | TEXTS,
    some.none() | some.integers(-(2**63), 2**63 - 1),
    some.none() | some.booleans(),
    some.none() | some.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)),
)
TABLE = Table("any_row", ("event_id", "words", "number", "flag", "moment"), ("event_id",))
MADE = """
create temporary table any_row (event_id bigint, words text, number bigint, flag boolean, moment timestamp)
on commit drop
"""


@pytest.fixture(scope="module")
def owner(secrets, postgres_server):
    return read_settings(
        {
            "ACTIVITY_DATABASE_HOST": postgres_server.host,
            "ACTIVITY_DATABASE_PORT": str(postgres_server.port),
            "ACTIVITY_SECRETS": str(secrets),
        },
        frozenset({Need.OWNER}),
    )


@given(rows=some.lists(ROWS, max_size=20))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_come_back_as_they_were_but_for_nul(owner, rows):
    with transaction(owner, LOG_DATABASE) as cursor, Batch() as batch:
        cursor.execute(MADE)
        for event, row in enumerate(rows):
            batch.add(TABLE, event, encode_row((event, *row)))
        assert bool(batch) == bool(rows)
        batch.copy(cursor, [TABLE], {})
        cursor.execute("select words, number, flag, moment from any_row order by event_id")
        assert cursor.fetchall() == [(words and words.replace("\x00", ""), *others) for words, *others in rows]


@given(
    rows=some.lists(ROWS, min_size=1, max_size=8), changes=some.dictionaries(some.integers(0, 7), some.integers(100))
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_events_that_change_their_id_keep_all_else_and_events_left_out_leave_no_row(owner, rows, changes):
    left_out = {number: None for number, event in changes.items() if event % 3 == 0}
    with transaction(owner, LOG_DATABASE) as cursor, Batch() as batch:
        cursor.execute(MADE)
        for event, row in enumerate(rows):
            batch.add(TABLE, event, encode_row((event, *row)) * 2)
        batch.copy(cursor, [TABLE], {**changes, **left_out})
        cursor.execute("select event_id, number from any_row order by number, event_id")
        expected = [
            (changes.get(event, event), row[1])
            for event, row in enumerate(rows)
            for _ in range(2)
            if event not in left_out
        ]
        assert sorted(cursor.fetchall(), key=repr) == sorted(expected, key=repr)


def test_a_large_batch_waits_on_disk_and_arrives_whole(owner):
    with transaction(owner, LOG_DATABASE) as cursor, Batch() as batch:
        cursor.execute(MADE)
        for number in range(5000):
            batch.add(TABLE, number, encode_row((number, "x" * 200, number, True, None)))
        batch.copy(cursor, [TABLE], {})
        cursor.execute("select count(*), sum(number), sum(length(words)) from any_row")
        assert cursor.fetchone() == (5000, 5000 * 4999 // 2, 1_000_000)
