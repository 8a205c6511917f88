"""The service of a project: its series follow its events by themselves."""

import gzip
import json
import signal
import socket

import httpx

from tests.support.waiting import HANG, until


def publish(web_archive, hour, number):
    event = {
        "id": str(number),
        "type": "WatchEvent",
        "actor": {"id": number, "login": f"a{number}"},
        "repo": {"id": 2, "name": "apache/spark"},
        "payload": {},
        "created_at": f"2015-01-01T0{number}:00:00Z",
    }
    (web_archive.folder / f"{hour}.json.gz").write_bytes(gzip.compress(json.dumps(event).encode() + b"\n"))


def test_series_are_there_soon_after_the_start_and_soon_after_new_events(platform, web_archive):
    for number in (0, 1):
        publish(web_archive, f"2015-01-01-{number}", number)
    platform.follow("apache")
    assert platform.ingest("2015-01-01-0", "2015-01-01-0").returncode == 0
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    sync = platform.start("sync", ACTIVITY_PROJECT="apache", ACTIVITY_MINUTE="17", ACTIVITY_LISTEN=f"127.0.0.1:{port}")
    try:
        counted = "select value from series where metric = 'events' and period = 'd'"
        until("series at the start", lambda: platform.rows("apache", counted) == [(1.0,)])
        assert platform.ingest("2015-01-01-1", "2015-01-01-1").returncode == 0
        until("series of new events", lambda: platform.rows("apache", counted) == [(2.0,)])
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        assert 'activity_series_pending{project="apache"} 0.0' in metrics
        assert 'activity_series_last_success_timestamp_seconds{project="apache"} ' in metrics
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").text == "ok\n"
    finally:
        sync.send_signal(signal.SIGTERM)
        _, log = sync.communicate(timeout=HANG)
    assert sync.returncode == 0, log
    assert "sync stopped" in log


def test_sync_provisions_the_database_of_its_project_when_it_comes_first(platform):
    platform.template = ""
    platform.follow("apache")
    sync = platform.start("sync", ACTIVITY_PROJECT="apache", ACTIVITY_MINUTE="17")
    try:
        found = "select 1 from pg_database where datname = %s"
        with platform.connect("postgres") as connection, connection.cursor() as cursor:

            def is_there():
                cursor.execute(found, [platform.database("apache")])
                return cursor.fetchone()

            until("the database", is_there)
        connection.close()
        until("its tables", lambda: platform.rows("apache", "select to_regclass('series_state')") != [(None,)])
    finally:
        sync.send_signal(signal.SIGTERM)
        _, log = sync.communicate(timeout=HANG)
    assert sync.returncode == 0, log


def test_an_ingest_and_a_sync_that_come_first_together_make_one_database(platform):
    platform.template = ""
    platform.environ["ACTIVITY_ARCHIVE_SIMULATE"] = "always"
    platform.follow("apache", "rust-lang")
    several = [platform.start("ingest", "--from", "2026-01-01-0", "--to", "2026-01-01-0") for _ in range(2)]
    several += [platform.start("series") for _ in range(2)]
    ends = [process.communicate(timeout=HANG) for process in several]
    assert [process.returncode for process in several] == [0, 0, 0, 0], ends


def test_sync_without_its_settings_names_all_that_are_missing(platform):
    platform.follow("apache")
    done = platform.run("sync", ACTIVITY_PROJECT="apach", ACTIVITY_LISTEN="here")
    assert done.returncode == 78
    for words in ("ACTIVITY_PROJECT: expected one of apache", "ACTIVITY_MINUTE: expected", "ACTIVITY_LISTEN: expected"):
        assert words in done.stderr
