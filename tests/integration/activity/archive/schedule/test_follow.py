"""The service that follows the archive: no hole is skipped, and it starts and stops as a service does."""

import gzip
import signal
import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from activity.archive.schedule.follow import Follower
from activity.health import Watchdog
from activity.hour import parse_hour
from prometheus_client import CollectorRegistry

from tests.support import web_server
from tests.support.waiting import HANG, until

FIRST, SECOND, THIRD = "2015-01-01-0", "2015-01-01-1", "2015-01-01-2"


def publish(web_archive, hour, content=b"\n"):
    (web_archive.folder / f"{hour}.json.gz").write_bytes(gzip.compress(content))


def parsed(platform):
    """The hours that a project has: in its own database, or waiting to be taken over because nothing was in them."""
    hours = "select extract(hour from dt)::int from"
    own = platform.rows("apache", f"{hours} gha_parsed")
    empty = platform.log_rows(f"{hours} empty_hours where database = %s", [platform.database("apache")])
    return sorted(row[0] for row in own + empty)


@pytest.fixture
def follower(platform, web_archive):
    platform.follow("apache")
    registry = CollectorRegistry()
    follower = Follower(platform.settings(ACTIVITY_ARCHIVE_RETRY="0s"), threading.Event(), Watchdog(), registry)
    follower.registry = registry
    return follower


def test_an_hour_that_failed_is_tried_again_in_each_pass_though_a_later_one_succeeded(platform, web_archive, follower):
    publish(web_archive, FIRST)
    (web_archive.folder / f"{SECOND}.json.gz").write_bytes(gzip.compress(b"\n")[:-1])
    publish(web_archive, THIRD)
    last = parse_hour(THIRD)
    assert not follower.run_pass(last)
    assert parsed(platform) == [0, 2]
    assert follower.registry.get_sample_value("activity_holes", {"state": "failing"}) == 1
    assert follower.registry.get_sample_value("activity_hour_failures_total", {"error": "TruncatedHour"}) == 1

    (web_archive.folder / f"{SECOND}.json.gz").unlink()
    assert not follower.run_pass(last)
    publish(web_archive, SECOND)
    web_archive.requests.clear()
    assert follower.run_pass(last)

    assert web_archive.requests == [f"{SECOND}.json.gz"]
    assert parsed(platform) == [0, 1, 2]
    assert follower.registry.get_sample_value("activity_holes", {"state": "missing"}) == 0
    assert follower.registry.get_sample_value("activity_hours_total", {"source": "archive"}) == 3


def test_a_pass_ends_where_the_archive_is_out_of_reach_and_says_so(platform, follower, web_archive):
    web_archive.folder.rmdir()
    platform.environ["ACTIVITY_ARCHIVE_URL"] = web_archive.folder.as_uri()
    follower = Follower(platform.settings(), threading.Event(), Watchdog(), registry := CollectorRegistry())
    assert not follower.run_pass(parse_hour(THIRD))
    assert registry.get_sample_value("activity_hour_failures_total", {"error": "ArchiveUnreachable"}) == 3
    web_archive.folder.mkdir()


def test_a_stop_ends_a_pass_between_hours(platform, web_archive):
    for hour in (FIRST, SECOND, THIRD):
        publish(web_archive, hour)
    platform.follow("apache")
    stop = threading.Event()
    stop.set()
    assert not Follower(platform.settings(), stop, Watchdog(), CollectorRegistry()).run_pass(parse_hour(THIRD))
    assert parsed(platform) == []


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def test_the_service_reads_the_newest_hours_tells_its_health_and_stops_on_sigterm(platform, web_archive):
    newest = datetime.now(UTC) - timedelta(hours=1)
    hours = [newest - timedelta(hours=back) for back in range(3)]
    for hour in hours:
        publish(web_archive, f"{hour:%Y-%m-%d}-{hour.hour}")
    platform.follow("apache")
    url = f"http://127.0.0.1:{(port := free_port())}"
    service = platform.start("ingest", ACTIVITY_ARCHIVE_FROM="-3h", ACTIVITY_LISTEN=f"127.0.0.1:{port}")
    try:
        read = 'activity_hours_total{source="archive"} 3.0'
        until("three hours read", lambda: answers(url) and read in httpx.get(f"{url}/metrics").text)
        assert httpx.get(f"{url}/healthz").status_code == 200
        assert httpx.get(f"{url}/other").status_code == 404
    finally:
        service.send_signal(signal.SIGTERM)
        _, log = service.communicate(timeout=HANG)
    assert service.returncode == 0, log
    assert "ingest stopped" in log
    assert len(parsed(platform)) == 3


def answers(url):
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.TransportError:
        return False


def test_the_service_waits_for_a_database_that_is_away(platform, web_archive):
    platform.follow("apache")
    port = free_port()
    service = platform.start(
        "ingest", ACTIVITY_ARCHIVE_FROM="-1h", ACTIVITY_DATABASE_PORT="1", ACTIVITY_LISTEN=f"127.0.0.1:{port}"
    )
    try:
        metrics = f"http://127.0.0.1:{port}"
        failed = 'activity_hour_failures_total{error="DatabaseUnavailable"} 1.0'
        until("a failed pass", lambda: answers(metrics) and failed in httpx.get(f"{metrics}/metrics").text)
        assert service.poll() is None
    finally:
        service.send_signal(signal.SIGTERM)
        _, log = service.communicate(timeout=HANG)
    assert service.returncode == 0, log


def test_a_service_that_is_stuck_in_the_database_says_so_and_ends_so_that_it_is_started_anew(platform, web_archive):
    publish(web_archive, FIRST)
    platform.follow("apache")
    assert platform.ingest(FIRST, FIRST).returncode == 0
    holder = platform.connect(platform.database("apache"))
    holder.autocommit = False
    port = free_port()
    service = None
    try:
        with holder.cursor() as cursor:
            cursor.execute("lock table gha_parsed in access exclusive mode")
        service = platform.start(
            "ingest", ACTIVITY_PATIENCE="4s", ACTIVITY_ARCHIVE_TO=SECOND, ACTIVITY_LISTEN=f"127.0.0.1:{port}"
        )
        health = f"http://127.0.0.1:{port}/healthz"
        until("a failing health check", lambda: status_of(health) == 503)
        assert service.wait(HANG) == 75
        _, log = service.communicate()
        assert "no progress; exiting so that the service is restarted" in log
    finally:
        holder.rollback()
        holder.close()
        if service and service.poll() is None:
            service.kill()


def test_a_service_that_is_stuck_in_an_answer_that_never_ends_is_started_anew(platform, dripping):
    platform.environ["ACTIVITY_ARCHIVE_URL"] = dripping
    platform.follow("apache")
    service = platform.start("ingest", ACTIVITY_PATIENCE="3s", ACTIVITY_ARCHIVE_TO=FIRST)
    try:
        assert service.wait(HANG) == 75
    finally:
        service.kill()
        service.communicate()


@pytest.fixture
def dripping():
    """An archive that begins an hour and then gives a byte now and then, for ever."""
    gone = threading.Event()

    class Handler(web_server.Handler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(gzip.compress(b"\n" * 100)[:12])
            with suppress(OSError):
                while not gone.wait(0.3):
                    self.wfile.write(b"\x00")
                    self.wfile.flush()

    with web_server.serving(Handler) as address:
        yield f"http://{address}"
        gone.set()


def status_of(url):
    try:
        return httpx.get(url).status_code
    except httpx.TransportError:
        return 0
