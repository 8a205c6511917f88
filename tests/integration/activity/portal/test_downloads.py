"""Dumps on the portal: a page, JSON, and files that come whole, in parts, or not at all."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from activity.backup.dump_store import Dump, DumpStore

CONTENT = os.urandom(300_000)
TAKEN = datetime(2026, 1, 31, 3, 30, tzinfo=UTC)
NAME = "apache-20260131T033000Z.dump"


@pytest.fixture
def dumps(seeded, tmp_path: Path) -> Path:
    """A dump of a project of the portal, one of a project that is none, and files that are nobody's business."""
    seeded.environ["ACTIVITY_BACKUP_FOLDER"] = str(tmp_path)
    shelf = DumpStore(tmp_path / "dumps")
    for project in ("apache", "gone"):
        draft = shelf.draft(project)
        draft.write_bytes(CONTENT)
        digest = hashlib.sha256(CONTENT).hexdigest()
        shelf.keep(draft, Dump(project, project, TAKEN, 2.0, len(CONTENT), digest, {"gha_events": 9}, "17.6"))
    (tmp_path / "dumps" / "apache" / "apache.part").write_bytes(b"half")
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "backup.info").write_text("secret enough")
    return tmp_path


def test_dumps_are_listed_for_people_and_for_machines(dumps, portal):
    page = portal.get("/backups").text
    assert f'href="/backups/{NAME}"' in page
    assert "gone-" not in page
    (told,) = portal.get("/api/backups").json()["backups"]
    assert told == {
        "project": "apache",
        "name": NAME,
        "taken_at": "2026-01-31T03:30:00Z",
        "bytes": len(CONTENT),
        "rows": 9,
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "url": f"http://swarmstats.localhost:8080/backups/{NAME}",
    }


def test_a_dump_comes_whole_with_its_length_and_name(dumps, portal):
    given = portal.get(f"/backups/{NAME}")
    assert given.content == CONTENT
    assert given.headers["content-length"] == str(len(CONTENT))
    assert given.headers["content-disposition"] == f'attachment; filename="{NAME}"'


def test_a_download_goes_on_where_it_broke_off(dumps, portal):
    given = portal.get(f"/backups/{NAME}", headers={"Range": "bytes=200000-"})
    assert given.status_code == 206
    assert given.content == CONTENT[200000:]


@pytest.mark.parametrize(
    "name",
    [
        "apache.part", "apache-20260131T033000Z.json", "gone-20260131T033000Z.dump", "../cluster/backup.info",
        "..%2F..%2Fcluster%2Fbackup.info", "%2e%2e/cluster/backup.info", "%2Fetc%2Fpasswd", "apache%2Fapache.part",
        "%00", "..-20260131T033000Z.dump",
    ],
)  # fmt: skip
def test_nothing_else_is_given_whatever_the_address(dumps, portal, name):
    assert portal.get(f"/backups/{name}").status_code == 404


def test_a_storage_that_is_not_there_is_an_empty_page(seeded, tmp_path, portal):
    assert "No dumps yet" in portal.get("/backups").text
    assert portal.get("/api/backups").json() == {"backups": []}
