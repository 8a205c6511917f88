"""Hours go into the databases whole or not at all, once, and for whom they are."""

import gzip
import json
from pathlib import Path
from shutil import copy

import pytest
from activity.database.connect import Role, connect, transaction
from activity.database.watermarks import Source, Watermark, mark_hour
from activity.errors import SettingsError
from activity.hour import parse_hour

from tests.support.waiting import HANG, until

HOURS = ("2015-01-01-0", "2015-01-01-1")
PROJECTS = {"apache": 52, "rust-lang": 40, "cachethq": 57}


def counts(platform):
    return {project: platform.events(project) for project in PROJECTS}


def checksums(platform):
    return {project: platform.checksum(project) for project in PROJECTS}


def event(number, repository="apache/spark", **changes):
    return {
        "id": str(number),
        "type": "WatchEvent",
        "actor": {"id": 1, "login": "someone"},
        "repo": {"id": 2, "name": repository},
        "payload": {"action": "started"},
        "created_at": "2015-01-01T00:00:01Z",
        **changes,
    }


def write_hour(folder: Path, hour: str, *lines) -> Path:
    path = folder / f"{hour}.json.gz"
    path.write_bytes(gzip.compress(b"".join(line if isinstance(line, bytes) else packed(line) for line in lines)))
    return path


def packed(line):
    return json.dumps(line).encode() + b"\n"


@pytest.mark.usefixtures("real_archive")
def test_the_two_real_hours_give_each_project_its_events_and_again_changes_nothing(platform):
    platform.follow(*PROJECTS)
    done = platform.ingest(*HOURS)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2015-01-01-0 to 2015-01-01-1: 2 hours read, 149 events stored\n"
    assert counts(platform) == PROJECTS
    before = checksums(platform)

    again = platform.ingest(*HOURS)

    assert again.returncode == 0, again.stderr
    assert "0 hours read, 0 events stored" in again.stdout
    assert checksums(platform) == before


@pytest.mark.usefixtures("real_archive")
def test_two_ingests_at_once_store_what_one_would_store(platform):
    platform.follow(*PROJECTS)
    both = [platform.start("ingest", "--from", HOURS[0], "--to", HOURS[1]) for _ in range(2)]
    ends = [process.communicate(timeout=HANG) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    assert counts(platform) == PROJECTS


def test_an_hour_is_fetched_once_for_all_and_later_only_for_a_project_that_lacks_it(platform, web_archive, shared_data):
    for hour in HOURS:
        copy(shared_data / "gharchive" / f"{hour}.json.gz", web_archive.folder)
    platform.follow("apache", "rust-lang")
    assert platform.ingest(*HOURS).returncode == 0
    assert web_archive.requests == [f"{hour}.json.gz" for hour in HOURS]
    before = platform.checksum("apache")
    assert platform.ingest(*HOURS).returncode == 0
    assert len(web_archive.requests) == 2

    platform.follow("apache", "rust-lang", "cachethq")
    assert platform.ingest(HOURS[0], HOURS[0]).returncode == 0

    assert web_archive.requests[2:] == ["2015-01-01-0.json.gz"]
    assert platform.checksum("apache") == before
    assert platform.rows("cachethq", "select count(*) from gha_parsed") == [(1,)]


def test_a_project_wants_no_hour_before_its_start(platform, web_archive):
    write_hour(web_archive.folder, "2015-01-02-0", event(1, created_at="2015-01-02T00:00:01Z"))
    platform.follow("apache", start="2015-01-02")
    assert platform.ingest("2015-01-01-22", "2015-01-02-0").returncode == 0
    assert web_archive.requests == ["2015-01-02-0.json.gz"]


def test_an_hour_without_events_of_a_project_is_marked_all_the_same(platform, web_archive):
    write_hour(web_archive.folder, HOURS[0], event(1, "somebody/else"))
    platform.follow("apache")
    assert platform.ingest(HOURS[0], HOURS[0]).returncode == 0
    assert platform.rows("apache", "select source, events from hours") == [("archive", 0)]
    assert platform.rows("apache", "select count(*) from gha_parsed") == [(1,)]


@pytest.mark.parametrize(
    ("name", "spoil", "code", "words"),
    [
        ("truncated", lambda path: path.write_bytes(path.read_bytes()[:-100]), 66, "in the middle of its gzip stream"),
        ("without its last byte", lambda path: path.write_bytes(path.read_bytes()[:-1]), 66, "gzip stream"),
        ("empty", lambda path: path.write_bytes(b""), 66, "is empty"),
        ("no gzip", lambda path: path.write_bytes(b"<html>not here</html>"), 66, "is damaged"),
        ("not there", lambda path: path.unlink(), 69, "not found"),
    ],
)
def test_a_spoilt_hour_has_its_own_exit_code_and_stores_nothing_while_hours_before_it_stay(
    platform, web_archive, shared_data, name, spoil, code, words
):
    for hour in HOURS:
        copy(shared_data / "gharchive" / f"{hour}.json.gz", web_archive.folder)
        (web_archive.folder / f"{hour}.json.gz").chmod(0o644)
    spoil(web_archive.folder / f"{HOURS[1]}.json.gz")
    platform.follow("apache")

    done = platform.ingest(*HOURS)

    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert f"{web_archive.url}/2015-01-01-1.json.gz" in done.stderr
    assert "Traceback" not in done.stderr
    assert platform.rows("apache", "select dt::text, events from hours") == [("2015-01-01 00:00:00", 27)]
    assert platform.events("apache") == 27


def test_an_archive_out_of_reach_is_exit_70_and_a_database_out_of_reach_exit_71(platform, tmp_path):
    platform.follow("apache")
    gone = platform.ingest(*HOURS, ACTIVITY_ARCHIVE_URL=(tmp_path / "nowhere").as_uri())
    assert gone.returncode == 70, gone.stderr
    away = platform.ingest(*HOURS, ACTIVITY_DATABASE_PORT="1")
    assert away.returncode == 71, away.stderr
    assert "127.0.0.1:1/devstats as gha_admin" in away.stderr


def test_an_event_twice_is_stored_once_and_another_event_of_its_id_under_an_id_of_its_own(platform, web_archive):
    write_hour(web_archive.folder, HOURS[0], event(1), event(1), event(2))
    other = event(1, type="ForkEvent", actor={"id": 9, "login": "other"}, created_at="2015-01-01T01:00:00Z")
    write_hour(web_archive.folder, HOURS[1], other, event(2), event(3, created_at="2015-01-01T01:00:01Z"), other)
    platform.follow("apache")
    done = platform.ingest(*HOURS)
    assert done.returncode == 0, done.stderr
    stored = platform.rows("apache", "select id, type from gha_events order by id")
    assert stored[:3] == [(1, "WatchEvent"), (2, "WatchEvent"), (3, "WatchEvent")]
    ((surrogate, kind),) = stored[3:]
    assert kind == "ForkEvent"
    assert 2 * 10**14 <= surrogate < 2**48
    assert platform.rows("apache", "select event_id, original_id from event_origins") == [(surrogate, 1)]
    assert platform.rows("apache", "select event_id, dup_type from gha_payloads where dup_type = 'ForkEvent'") == [
        (surrogate, "ForkEvent")
    ]
    assert platform.rows("apache", "select login from gha_actors order by 1") == [("other",), ("someone",)]
    assert f"event id collision project=apache id=1 stored_as={surrogate}" in done.stderr
    assert "id=2" not in done.stderr


def test_an_event_belongs_to_every_project_that_follows_its_repository_in_any_case(platform, web_archive):
    write_hour(web_archive.folder, HOURS[0], event(1, "Apache/Spark"), event(2, "apache/xerces"))
    platform.follow_projects({"one": ["APACHE"], "two": ["apa*", "else"]})
    assert platform.ingest(HOURS[0], HOURS[0]).returncode == 0
    for project in ("one", "two"):
        assert platform.rows(project, "select dup_repo_name from gha_events order by id") == [
            ("Apache/Spark",),
            ("apache/xerces",),
        ]


def test_an_ingest_waits_for_whoever_has_the_hour_and_a_holder_that_is_gone_holds_nothing(platform, web_archive):
    write_hour(web_archive.folder, HOURS[0], event(1))
    platform.follow("apache")
    assert platform.ingest(HOURS[1], HOURS[1]).returncode == 69
    holder = platform.start("ingest", "--from", HOURS[0], "--to", HOURS[0])
    blocker = platform.connect(platform.database("apache"))
    blocker.autocommit = False
    with blocker.cursor() as cursor:
        cursor.execute("lock table gha_parsed in access exclusive mode")
        waiting = "select count(*) from pg_stat_activity where datname = %s and wait_event_type = 'Lock'"
        until(
            "the holder to be inside",
            lambda: platform.rows("apache", waiting, [platform.database("apache")])[0][0] > 0,
        )
    holder.kill()
    holder.communicate()
    blocker.rollback()
    blocker.close()
    assert platform.ingest(HOURS[0], HOURS[0]).returncode == 0
    assert platform.events("apache") == 1


def test_a_database_that_fails_late_has_the_hour_only_in_projects_before_it(platform, web_archive):
    write_hour(web_archive.folder, HOURS[0], event(1), event(2, "rust-lang/rust"))
    platform.follow("apache", "rust-lang")
    assert platform.ingest(HOURS[1], HOURS[1]).returncode == 69
    platform.rows("rust-lang", "alter table gha_repos add constraint never check (false)")
    failed = platform.ingest(HOURS[0], HOURS[0])
    assert failed.returncode == 71, failed.stderr
    assert (platform.events("apache"), platform.events("rust-lang")) == (1, 0)
    platform.rows("rust-lang", "alter table gha_repos drop constraint never")
    assert platform.ingest(HOURS[0], HOURS[0]).returncode == 0
    assert (platform.events("apache"), platform.events("rust-lang")) == (1, 1)


def test_the_database_itself_refuses_to_mix_sources(platform, web_archive):
    write_hour(web_archive.folder, HOURS[0], event(1))
    platform.follow("apache")
    assert platform.ingest(HOURS[0], HOURS[0]).returncode == 0
    settings = platform.settings()
    with (
        pytest.raises(SettingsError, match=r"hour 2015-01-01-1 is simulated, but database .* never mixed"),
        transaction(settings, platform.database("apache")) as cursor,
    ):
        mark_hour(cursor, Watermark(parse_hour(HOURS[1]), Source.SIMULATED, 0))
    assert platform.rows("apache", "select count(*) from hours") == [(1,)]


def test_the_server_looks_whether_its_client_is_still_there(platform):
    platform.follow("apache")
    settings = platform.settings()
    with connect(settings, "devstats", Role.OWNER) as connection, connection.cursor() as cursor:
        cursor.execute("show client_connection_check_interval")
        assert cursor.fetchone() == ("5s",)
