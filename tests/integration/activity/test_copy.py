"""What goes into COPY comes out of the table, whatever is in it."""

from datetime import datetime

import pytest
from activity.database.connect import LOG_DATABASE, transaction
from activity.database.copy import Batch, Table, encode_row
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
TABLE = Table("any_row", ("words", "number", "flag", "moment"), ("number",))


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
        cursor.execute(
            "create temporary table any_row (words text, number bigint, flag boolean, moment timestamp) on commit drop"
        )
        for line, row in enumerate(rows):
            batch.add(TABLE, encode_row(line, row))
        batch.stage(cursor)
        if not rows:
            assert not batch
            return
        cursor.execute("select words, number, flag, moment from staged_any_row order by line")
        assert cursor.fetchall() == [(words and words.replace("\x00", ""), *others) for words, *others in rows]


def test_a_large_batch_waits_on_disk_and_arrives_whole(owner):
    with transaction(owner, LOG_DATABASE) as cursor, Batch() as batch:
        cursor.execute(
            "create temporary table any_row (words text, number bigint, flag boolean, moment timestamp) on commit drop"
        )
        for line in range(5000):
            batch.add(TABLE, encode_row(line, ("x" * 200, line, True, None)))
        batch.stage(cursor)
        cursor.execute("select count(*), sum(number), sum(length(words)) from staged_any_row")
        assert cursor.fetchone() == (5000, 5000 * 4999 // 2, 1_000_000)
