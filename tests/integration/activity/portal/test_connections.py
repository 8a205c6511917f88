"""The portal while the database comes and goes, and how little it asks of it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from activity.portal import summaries
from activity.portal.connections import Connections, Server, Timing, rows
from activity.portal.errors import DatabaseBusy
from activity.settings import Need
from psycopg2 import errors

from tests.support.waiting import until


def open_connections(platform):
    connection = platform.connect("postgres")
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select count(*) from pg_stat_activity where usename = 'ro_user' and datname like %s",
                (f"test_{platform.mark}_%",),
            )
            return cursor.fetchone()[0]
    finally:
        connection.close()


def connections_to(platform, limit, timing=None):
    settings = platform.settings(Need.READER, Need.PROJECTS)
    reader = settings.password(Need.READER)
    server = Server(settings.database_host, settings.database_port_read, "ro_user", reader.reveal)
    return Connections(server, limit, timing)


def test_the_portal_stays_up_says_so_and_recovers_when_the_database_goes_and_comes(database_line, portal):
    assert portal.get("/healthz").json()["database"] == "ok"
    assert portal.get("/projects/apache").status_code == 200
    database_line.cut()
    health = portal.get("/healthz")
    assert (health.status_code, health.json()) == (200, {"status": "ok", "database": "unavailable"})
    page = portal.get("/projects/apache")
    assert page.status_code == 503
    assert "The database" in page.text
    assert page.headers["retry-after"] == "10"
    answer = portal.get("/api/projects/apache/series/events")
    assert answer.status_code == 503
    assert answer.json()["error"]
    assert portal.get("/api").status_code == 200
    database_line.mend()
    until("the project's page", lambda: portal.get("/projects/apache").status_code == 200)
    assert portal.get("/healthz").json()["database"] == "ok"


def test_the_front_page_lists_projects_without_numbers_while_the_database_is_away(database_line, portal):
    database_line.cut()
    page = portal.get("/")
    assert page.status_code == 503
    assert "Database unavailable" in page.text
    assert page.text.count("Numbers unavailable.") == 6
    answer = portal.get("/api/projects")
    assert answer.status_code == 503
    assert {project["events"] for project in answer.json()["projects"]} == {None}


def test_a_connection_that_died_while_idle_is_not_the_visitors_problem(database_line, portal):
    assert portal.get("/projects/apache").status_code == 200
    database_line.cut()
    database_line.mend()
    page = portal.get("/projects/apache?period=d")
    assert page.status_code == 200


def test_numbers_follow_a_new_hour_once_the_kept_ones_are_old(portal, seeded, monkeypatch):
    assert portal.get("/api/projects/growing").json()["events"] == 2
    monkeypatch.setattr(summaries, "CACHE_SECONDS", 0.0)
    seeded.rows(
        "growing",
        "insert into gha_events (id, type, actor_id, repo_id, created_at, dup_actor_login, dup_repo_name)"
        " values (99, 'WatchEvent', 9, 1, '2015-01-01 01:30', 'person9', 'a/b');"
        "insert into hours (dt, source, events) values ('2015-01-01 01:00', 'archive', 1)",
    )
    told = portal.get("/api/projects/growing").json()
    assert (told["events"], told["contributors"], told["hours"]) == (3, 2, 2)


def test_a_busy_front_page_keeps_to_its_few_connections(portal, seeded, monkeypatch):
    monkeypatch.setattr(summaries, "CACHE_SECONDS", 0.0)
    with ThreadPoolExecutor(12) as visitors:
        answers = list(visitors.map(lambda _: portal.get("/").status_code, range(36)))
    assert set(answers) == {200}
    assert open_connections(seeded) <= 10


def test_the_least_recently_used_connection_makes_room(seeded):
    connections = connections_to(seeded, limit=2)
    for project in ("apache", "kubernetes", "apache", "prometheus", "apache"):
        connections.read(seeded.database(project), lambda cursor: rows(cursor, "select 1"))
        assert connections.count <= 2
    assert open_connections(seeded) == 2
    connections.close()
    assert connections.count == 0


def test_a_reader_cannot_write(seeded):
    connections = connections_to(seeded, limit=1)
    with pytest.raises(errors.ReadOnlySqlTransaction):
        connections.read(seeded.database("apache"), lambda cursor: cursor.execute("delete from hours"))
    connections.close()


def test_a_query_that_takes_too_long_is_given_up(seeded):
    connections = connections_to(seeded, limit=1, timing=Timing(statement_seconds=1))
    with pytest.raises(DatabaseBusy, match="took longer than 1 s"):
        connections.read(seeded.database("apache"), lambda cursor: cursor.execute("select pg_sleep(30)"))
    connections.close()


def test_when_all_connections_are_lent_the_next_visitor_is_told_so(seeded):
    connections = connections_to(seeded, limit=1, timing=Timing(lease_seconds=0.2))
    database = seeded.database("apache")

    def ask_again(_cursor):
        connections.read(database, lambda cursor: rows(cursor, "select 1"))

    with pytest.raises(DatabaseBusy, match="All database connections"):
        connections.read(database, ask_again)
    connections.close()
