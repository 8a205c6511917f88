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
    platform.template = ""
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


EXTENSIONS = "select extname, pg_get_userbyid(extowner) from pg_extension where extname = any(%s) order by 1"


def extensions(platform):
    return platform.rows("apache", EXTENSIONS, [["hll", "pgcrypto"]])


def test_a_database_has_the_extensions_of_devstats_from_its_owner_and_readers_count_with_them(provisioned):
    assert extensions(provisioned) == [("hll", "gha_admin"), ("pgcrypto", "gha_admin")]
    reader = provisioned.connect(provisioned.database("apache"), "ro_user", "reader")
    with reader.cursor() as cursor:
        cursor.execute("select round(hll_cardinality(hll_add_agg(hll_hash_integer(i)))) from generate_series(1, 9) i")
        assert cursor.fetchone() == (9,)
    reader.close()


def test_a_database_that_is_older_gets_its_extensions_from_its_next_sync_or_from_bootstrap(provisioned):
    provisioned.rows("apache", "drop extension hll")
    settings = provisioned.settings()
    provision(settings, settings.projects[0])
    assert extensions(provisioned) == [("hll", "gha_admin"), ("pgcrypto", "gha_admin")]
    provisioned.rows("apache", "drop extension hll, pgcrypto")
    done = provisioned.run("bootstrap")
    assert done.returncode == 0, done.stderr
    assert extensions(provisioned) == [("hll", "postgres"), ("pgcrypto", "postgres")]


def test_an_extension_that_the_server_does_not_have_or_that_its_owner_may_not_create_is_left_out(
    provisioned, monkeypatch
):
    monkeypatch.setattr("activity.database.extensions.EXTENSIONS", ("no_such", "pageinspect", "citext"))
    settings = provisioned.settings()
    provision(settings, settings.projects[0])
    found = [name for (name,) in provisioned.rows("apache", "select extname from pg_extension order by 1")]
    assert found == ["citext", "hll", "pgcrypto", "plpgsql"]
