"""What of an hour is no event is kept with its place, and keeps nothing else from being stored."""

import gzip
import threading

import pytest
from activity.archive.ingest import Feed, ingest_hour
from activity.database.provision import provision
from activity.database.watermarks import Source
from activity.errors import TruncatedHour
from activity.hour import parse_hour

from tests.integration.activity.archive.test_ingest import HOURS, event, packed, write_hour

HOUR = parse_hour(HOURS[0])


@pytest.fixture
def quarantined(platform):
    """The quarantine of the hour, which other tests share the log database of."""

    def rows(columns="line, start, length, reason, detail, bytes"):
        connection = platform.connect("devstats")
        with connection.cursor() as cursor:
            cursor.execute(f"select {columns} from quarantine where hour = %s order by start", [HOUR.stamp])
            found = [tuple(bytes(value) if isinstance(value, memoryview) else value for value in row) for row in cursor]
        connection.close()
        return found

    def forget():
        connection = platform.connect("devstats")
        with connection.cursor() as cursor:
            cursor.execute("delete from quarantine where hour = %s", [HOUR.stamp])
        connection.close()

    forget()
    yield rows
    forget()


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        (b'{"id":"3","type":"Wat', "cut", ""),
        (b'{"id":"3"}{"id":"4"}', "cut", ""),
        (b"<html>", "not JSON", ""),
        (b"[1]", "not an object", ""),
        (packed(event(3, payload={"size": "many"})).strip(), "unfit", "payload.size: expected a whole number"),
        (packed(event("three")).strip(), "unfit", "id: expected a whole number"),
        (packed(event(3, created_at="yesterday")).strip(), "unfit", "created_at: expected a time"),
    ],
)
def test_a_line_that_is_no_event_is_in_quarantine_and_all_others_are_stored(
    platform, web_archive, quarantined, line, reason, detail
):
    before = packed(event(1)) + packed(event(2, "somebody/else"))
    write_hour(web_archive.folder, HOURS[0], before, line + b"\n", event(5))
    platform.follow("apache")
    done = platform.ingest(HOURS[0], HOURS[0])
    assert done.returncode == 0, done.stderr
    assert platform.rows("apache", "select id from gha_events order by id") == [(1,), (5,)]
    assert platform.rows("apache", "select events from hours") == [(2,)]
    [(number, start, length, why, words, kept)] = quarantined()
    assert (number, start, length, why, kept) == (3, len(before), len(line), reason, line)
    assert words.startswith(detail)
    assert f"not all of an hour is readable url={web_archive.url}/{HOURS[0]}.json.gz" in done.stderr


def test_events_that_are_glued_or_behind_a_cut_one_are_stored_wherever_they_are(platform, web_archive, quarantined):
    one, two, other = (packed(event(*made)).strip() for made in ((1,), (2,), (3, "somebody/else")))
    data = b"".join((other, one, b"\n", other[:-40], two, b"\r\n", b"\x00\x00", packed(event(4)), packed(event(5))))
    (web_archive.folder / f"{HOURS[0]}.json.gz").write_bytes(gzip.compress(data[:300]) + gzip.compress(data[300:-1]))
    platform.follow("apache")
    assert platform.ingest(HOURS[0], HOURS[0]).returncode == 0
    assert platform.rows("apache", "select id from gha_events order by id") == [(1,), (2,), (4,), (5,)]
    assert [(row[0], row[3], row[5]) for row in quarantined()] == [(2, "cut", other[:-40])]


def test_quarantine_is_filled_once_however_often_the_hour_is_read(platform, web_archive, quarantined):
    write_hour(web_archive.folder, HOURS[0], event(1), b"<html>\n", event(2, "rust-lang/rust"), b"[1]\n")
    platform.follow("apache")
    assert platform.ingest(HOURS[0], HOURS[0]).returncode == 0
    before = quarantined("*")
    platform.follow("apache", "rust-lang")
    assert platform.ingest(HOURS[0], HOURS[0]).returncode == 0
    assert platform.events("rust-lang") == 1
    assert quarantined("*") == before
    assert len(before) == 2


def test_a_damaged_file_stores_nothing_unless_it_is_to_be_salvaged(platform, web_archive, quarantined):
    lines = [packed(event(number)) for number in range(1, 2000)]
    whole = gzip.compress(b"".join(lines))
    (web_archive.folder / f"{HOURS[0]}.json.gz").write_bytes(whole[: len(whole) // 2])
    platform.follow("apache")
    settings = platform.settings()
    provision(settings, settings.projects[0])
    feed = Feed(web_archive.url, Source.ARCHIVE)
    with pytest.raises(TruncatedHour):
        ingest_hour(settings, feed, HOUR, settings.projects, threading.Event())
    assert platform.rows("apache", "select * from gha_parsed") == []
    assert quarantined() == []

    done = ingest_hour(settings, feed, HOUR, settings.projects, threading.Event(), salvage=True)

    stored = platform.events("apache")
    assert 500 < stored < 1500
    assert done.committed[0].events == stored
    assert platform.rows("apache", "select count(*) from gha_parsed") == [(1,)]
    assert [row[3] for row in quarantined()] == ["cut", "gzip"]
    assert quarantined()[1][4] == "the file ends in the middle of its gzip stream"


def test_an_hour_of_nothing_but_rubbish_keeps_the_first_of_it(platform, web_archive, quarantined):
    write_hour(web_archive.folder, HOURS[0], b"rubbish\n" * 3000, event(1))
    platform.follow("apache")
    assert platform.ingest(HOURS[0], HOURS[0]).returncode == 0
    assert platform.events("apache") == 1
    assert len(quarantined()) == 500


def test_readers_may_look_at_the_quarantine(platform):
    connection = platform.connect("devstats", "ro_user", "reader")
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from quarantine")
    connection.close()
