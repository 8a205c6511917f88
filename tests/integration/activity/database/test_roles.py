"""Bootstrap makes the roles and gives them today's passwords; readers read and do not write."""

import gzip
import socket
from time import monotonic

import psycopg2
import pytest
from activity.database.connect import Role, connect, transaction
from activity.database.roles import bootstrap
from activity.errors import DatabaseUnavailable
from activity.settings import Need

from swarm.settings.postgres import limits
from tests.support.waiting import HANG

READERS = {"ro_user": "reader", "devstats_team": "team"}
BOOTSTRAP = (Need.REPLICATION, Need.REWIND, Need.OWNER, Need.READER, Need.TEAM)


@pytest.fixture
def read_hour(platform, web_archive):
    (web_archive.folder / "2015-01-01-0.json.gz").write_bytes(gzip.compress(b"\n"))
    platform.follow("apache")
    assert platform.ingest("2015-01-01-0", "2015-01-01-0").returncode == 0


@pytest.mark.parametrize(("user", "password"), READERS.items())
@pytest.mark.usefixtures("read_hour")
def test_a_reader_reads_every_table_and_writes_none(platform, user, password):
    connection = platform.connect(platform.database("apache"), user, password)
    with connection.cursor() as cursor:
        cursor.execute("select tablename from pg_tables where schemaname = 'public'")
        tables = [row[0] for row in cursor.fetchall()]
        assert {"gha_events", "hours", "series", "series_state"} <= set(tables)
        for table in tables:
            cursor.execute(f"select count(*) from {table}")
        refused = [f"insert into {table} default values" for table in tables]
        refused += [
            "update hours set events = 0",
            "truncate series",
            "drop table gha_events",
            "create table own (n int)",
        ]
        refused += ["create temporary table own (n int)", "create database own"]
        for statement in refused:
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(statement)
    connection.close()


@pytest.mark.parametrize(("user", "password"), READERS.items())
@pytest.mark.usefixtures("read_hour")
def test_a_reader_reads_tables_that_are_made_later(platform, user, password):
    with transaction(platform.settings(), platform.database("apache")) as cursor:
        cursor.execute("create table later (n integer)")
    connection = platform.connect(platform.database("apache"), user, password)
    with connection.cursor() as cursor:
        cursor.execute("select * from later")
        assert cursor.fetchall() == []
    connection.close()


@pytest.mark.parametrize(("user", "password"), READERS.items())
@pytest.mark.usefixtures("read_hour")
def test_a_reader_reads_tables_that_the_superuser_makes_by_hand_after_bootstrap(platform, user, password):
    assert platform.run("bootstrap").returncode == 0
    for database in (platform.database("apache"), "devstats"):
        by_hand = platform.connect(database)
        with by_hand.cursor() as cursor:
            cursor.execute("create table by_hand as select 7 as n")
        reader = platform.connect(database, user, password)
        try:
            with reader.cursor() as cursor:
                cursor.execute("select n from by_hand")
                assert cursor.fetchall() == [(7,)]
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    cursor.execute("delete from by_hand")
        finally:
            reader.close()
            with by_hand.cursor() as cursor:
                cursor.execute("drop table by_hand")
            by_hand.close()


@pytest.mark.usefixtures("read_hour")
def test_the_owner_is_no_superuser_and_owns_the_databases(platform):
    roles = "select rolname, rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = any(%s) order by 1"
    assert platform.rows("apache", roles, [["gha_admin", *READERS]]) == [
        ("devstats_team", False, False, False),
        ("gha_admin", False, True, False),
        ("ro_user", False, False, False),
    ]
    owner = "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
    assert platform.rows("apache", owner) == [("gha_admin",)]


def test_members_of_a_cluster_copy_and_rewind_as_roles_that_may_do_only_that(platform):
    roles = "select rolname, rolreplication, rolsuper or rolcreatedb from pg_roles where rolname = any(%s)"
    found = platform.connect("postgres")
    with found.cursor() as cursor:
        cursor.execute(roles + " order by 1", [["replicator", "rewind"]])
        assert cursor.fetchall() == [("replicator", True, False), ("rewind", False, False)]
    found.close()
    rewinding = platform.connect("postgres", "rewind", "rewinds")
    with rewinding.cursor() as cursor:
        cursor.execute("select size > 0 from pg_stat_file('PG_VERSION', true)")
        assert cursor.fetchone() == (True,)
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("create database mine")
    rewinding.close()


def test_bootstrap_with_changed_passwords_rotates_them(platform, postgres_server, tmp_path):
    kept = {need: platform.settings(need).password(need).reveal() for need in BOOTSTRAP}
    folder = tmp_path / "secrets"
    folder.mkdir()
    changed = {**kept, Need.TEAM: "a 'new\\ one"}
    original = platform.environ["ACTIVITY_SECRETS"]
    platform.environ["ACTIVITY_SECRETS"] = str(folder)
    platform.folder = tmp_path
    for need, password in {Need.POSTGRES: postgres_server.password, **changed}.items():
        platform.set_password(need, password)
    try:
        done = platform.run("bootstrap")
        assert done.returncode == 0, done.stderr
        assert "a 'new" not in done.stderr
        platform.connect("devstats", "devstats_team", changed[Need.TEAM]).close()
        with pytest.raises(psycopg2.OperationalError):
            platform.connect("devstats", "devstats_team", kept[Need.TEAM])
    finally:
        platform.environ["ACTIVITY_SECRETS"] = original
        assert platform.run("bootstrap").returncode == 0
    platform.connect("devstats", "devstats_team", kept[Need.TEAM]).close()


def test_whoever_asks_for_more_connections_than_planned_is_refused_and_the_superuser_comes_in(platform):
    most = int(one(platform, "show max_connections"))
    allowed = limits(most, 3)
    passwords = {**READERS, "gha_admin": "owner's password"}
    words = " ".join(f"{role}={count}" for role, count in allowed.items())
    assert platform.run("bootstrap", ACTIVITY_CONNECTION_LIMITS=words).returncode == 0
    held = []
    try:
        for role, count in allowed.items():
            held += [platform.connect("devstats", role, passwords[role]) for _ in range(count)]
            with pytest.raises(psycopg2.OperationalError, match=f'too many connections for role "{role}"'):
                platform.connect("devstats", role, passwords[role])
        assert sum(allowed.values()) == len(held) > most - 20
        assert one(platform, "select count(*) from pg_stat_activity where usename <> 'postgres'") == len(held)
    finally:
        for connection in held:
            connection.close()
        assert platform.run("bootstrap").returncode == 0
    assert one(platform, "select max(rolconnlimit) from pg_roles") == -1


def one(platform, statement):
    connection = platform.connect("postgres")
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0]
    finally:
        connection.close()


def test_bootstraps_at_once_do_not_disturb_each_other(platform):
    several = [platform.start("bootstrap") for _ in range(3)]
    ends = [process.communicate(timeout=HANG) for process in several]
    assert [process.returncode for process in several] == [0, 0, 0], ends


def test_bootstrap_waits_for_postgres_until_its_deadline(platform):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = str(unused.getsockname()[1])
        settings = platform.settings(Need.POSTGRES, *BOOTSTRAP, ACTIVITY_DATABASE_PORT=port)
        began = monotonic()
        with pytest.raises(DatabaseUnavailable, match=f"127.0.0.1:{port}/postgres as postgres"):
            bootstrap(settings, deadline=1.0)
    assert 0.5 < monotonic() - began < 10


def test_what_ran_is_in_the_log_database_for_the_readers(platform):
    platform.run("bootstrap")
    connection = platform.connect("devstats", "ro_user", "reader")
    with connection.cursor() as cursor:
        cursor.execute("select verb, words from runs order by id desc limit 1")
        assert cursor.fetchone() == ("bootstrap", "roles and log database are up to date")
        cursor.execute("select prog, msg from gha_logs order by id desc limit 1")
        assert cursor.fetchone() == ("bootstrap", "roles and log database are up to date")
    connection.close()


def test_the_reader_connects_on_its_own_port(platform):
    settings = platform.settings(Need.READER, ACTIVITY_DATABASE_PORT="1")
    with connect(settings, "devstats", Role.READER) as connection, connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == ("ro_user",)
