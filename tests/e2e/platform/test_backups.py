"""Backups of the running platform, and the way back: a project from its dump, the whole cluster to a second."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest

from tests.e2e.conftest import Platform
from tests.support.waiting import until

PROJECT = "apache"


@pytest.fixture(scope="module")
def backed(platform: Platform) -> Platform:
    """The platform with a full backup, which its service makes by itself as soon as it runs."""
    until("a backup", lambda: told(platform)["cluster"], every=2)
    return platform


def told(platform: Platform) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(platform.run("db.backups", "--json").stdout)
    return found


def test_a_backup_and_a_dump_are_made_by_a_verb_and_listed_with_age_and_size(backed: Platform) -> None:
    assert "diff backup" in backed.run("db.backup").stdout
    assert f"{PROJECT}-2" in backed.run("db.dump", PROJECT).stdout
    listed = backed.run("db.backups").stdout
    assert "differential" in listed or "diff" in listed
    assert any(line.startswith("dump") and PROJECT in line and "whole" in line for line in listed.splitlines())
    found = told(backed)
    assert found["failures"] == []
    assert found["dumps"][0]["rows"] > 0


def test_a_dump_is_offered_for_download_and_nothing_else_is(backed: Platform) -> None:
    newest = next(item for item in backed.get("", "/api/backups").json()["backups"] if item["project"] == PROJECT)
    assert newest["name"] in backed.get("", "/backups").text
    given = backed.get("", f"/backups/{newest['name']}")
    assert given.status_code == 200
    assert hashlib.sha256(given.content).hexdigest() == newest["sha256"]
    assert len(given.content) == newest["bytes"] == int(given.headers["Content-Length"])
    for path in (
        "..%2fcluster",
        "..%2f..%2fcluster%2fbackup%2fmain%2fbackup.info",
        f"{PROJECT}.json",
        "%2fetc%2fpasswd",
    ):
        assert backed.get("", f"/backups/{path}").status_code == 404


def test_the_newest_backup_restores_beside_everything_that_runs(backed: Platform) -> None:
    assert "indexes and checksums are intact" in backed.run("db.verify").stdout
    assert "verified" in next(line for line in backed.run("doctor").stdout.splitlines() if "backups" in line)


def test_a_project_comes_back_from_its_dump_while_others_are_read(backed: Platform) -> None:
    backed.run("db.dump", PROJECT)
    before = backed.fingerprint()
    backed.sql(PROJECT, "delete from gha_events; delete from gha_payloads")
    assert backed.run("db.restore", "--project", PROJECT, check=False).returncode == 76
    with reading(backed, "rust-lang") as failed:
        backed.run("db.restore", "--project", PROJECT, "--yes")
    assert failed == []
    assert backed.fingerprint() == before
    # It keeps totals for two minutes.
    until("the portal reads it", lambda: _events(backed) == backed.events[PROJECT], every=2)


def test_the_cluster_comes_back_as_it_was_the_second_before_a_table_was_dropped(backed: Platform) -> None:
    backed.sql(PROJECT, "create table precious as select i, md5(i::text) as word from generate_series(1, 5000) i")
    checksum = "select md5(string_agg(t::text, ',' order by t::text)) from precious t"
    before = backed.fingerprint(), backed.sql(PROJECT, checksum)
    moment = backed.sql(PROJECT, "select clock_timestamp()")
    until(
        "the next second",
        lambda: backed.sql(PROJECT, f"select clock_timestamp() > '{moment}'::timestamptz + '1s'") == "t",
    )
    backed.sql(PROJECT, "drop table precious")
    backed.sql(PROJECT, "delete from gha_events")
    assert backed.run("db.restore", "--to", moment, check=False).returncode == 76
    backed.run("db.restore", "--to", moment, "--yes")
    assert (backed.fingerprint(), backed.sql(PROJECT, checksum)) == before
    backed.sql(PROJECT, "drop table precious")
    backed.run("check", "db")


def test_a_moment_of_which_there_is_no_backup_is_refused_and_everything_runs_on(backed: Platform, long: bool) -> None:
    done = backed.run("db.restore", "--to", "2099-01-01", "--yes", check=False)
    assert (done.returncode, "is in the future" in done.stderr) == (79, True)
    assert backed.run("db.restore", "--to", "2001-01-01", "--dry").returncode == 0
    if long:
        before = backed.fingerprint()
        done = backed.run("db.restore", "--to", "2001-01-01", "--yes", check=False)
        assert done.returncode == 85
        assert "its data is unchanged" in done.stderr
        assert backed.fingerprint() == before


def _events(platform: Platform) -> int:
    return int(platform.get("", f"/api/projects/{PROJECT}").json()["events"] or 0)


@contextmanager
def reading(platform: Platform, project: str) -> Iterator[list[int]]:
    """Read a project's page again and again for the length of a block; the codes of answers that failed."""
    stop, failed, done = Event(), list[int](), Event()

    def read() -> None:
        while not stop.wait(0.05):
            status = platform.get("", f"/projects/{project}").status_code
            done.set()
            if status != 200:
                failed.append(status)

    thread = Thread(target=read)
    thread.start()
    try:
        assert done.wait(30)
        yield failed
    finally:
        stop.set()
        thread.join()
