"""The tables are DevStats's by name, column, type, null, key and default, so that its SQL runs on them."""

import csv
from collections import defaultdict
from pathlib import Path

import pytest
from activity.database.provision import provision

DEVSTATS = Path(__file__).parent / "data" / "devstats-schema.tsv"
COLUMNS = """
select
    class.relname,
    attribute.attname,
    format_type(attribute.atttypid, attribute.atttypmod),
    case when attribute.attnotnull then 'not null' else '' end,
    case when attribute.attnum = any(key.indkey) then 'pk' else '' end,
    coalesce(pg_get_expr(expression.adbin, expression.adrelid), '')
from pg_class as class
join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0
left join pg_index as key on key.indrelid = class.oid and key.indisprimary
left join pg_attrdef as expression on expression.adrelid = class.oid and expression.adnum = attribute.attnum
where class.relkind = 'r' and class.relnamespace = 'public'::regnamespace and not attribute.attisdropped
"""


@pytest.fixture
def provisioned(platform):
    platform.follow("apache")
    settings = platform.settings()
    provision(settings, settings.projects[0])
    return platform


def test_every_table_of_devstats_is_there_with_its_columns_types_keys_and_defaults(provisioned):
    theirs, ours = defaultdict(set), defaultdict(set)
    with DEVSTATS.open(newline="") as file:
        for table, *column in csv.reader(file, delimiter="\t"):
            theirs[table].add(tuple(column))
    del theirs["table_name"]
    for table, *column in provisioned.rows("apache", COLUMNS):
        ours[table].add(tuple(column))
    assert len(theirs) == 46
    assert {table: columns ^ ours[table] for table, columns in theirs.items() if columns != ours[table]} == {}


def test_readers_may_read_every_table_and_change_none(provisioned):
    reading = "select has_table_privilege('ro_user', table_name, %s) from unnest(%s) as named (table_name)"
    tables = provisioned.tables("apache")
    assert {row[0] for row in provisioned.rows("apache", reading, ["select", tables])} == {True}
    assert {row[0] for row in provisioned.rows("apache", reading, ["insert, update, delete", tables])} == {False}
