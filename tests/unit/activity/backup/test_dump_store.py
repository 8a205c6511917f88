"""Dumps in the store: what is seen can be restored, and nothing else is seen."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from activity.backup.dump_store import Dump, DumpStore
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 1, 31, 3, 30, tzinfo=UTC)


def dump(project: str = "apache", days: int = 0, content: bytes = b"PGDMP") -> Dump:
    return Dump(project, project, NOW + timedelta(days=days), 1.5, len(content), "5" * 64, {"gha_events": 7}, "17.6")


def kept(folder: Path, item: Dump, content: bytes = b"PGDMP") -> DumpStore:
    store = DumpStore(folder)
    draft = store.draft(item.project)
    draft.write_bytes(content)
    store.keep(draft, item)
    return store


def test_a_kept_dump_is_found_with_all_that_is_known_of_it(tmp_path):
    store = kept(tmp_path, dump())
    assert store.of("apache") == (dump(),)
    assert store.projects() == ("apache",)
    assert store.path(dump()).read_bytes() == b"PGDMP"
    assert oct(store.path(dump()).stat().st_mode & 0o777) == "0o644"


def test_dumps_come_newest_first_and_the_oldest_go_first(tmp_path):
    for day in (1, 3, 2):
        store = kept(tmp_path, dump(days=day))
    assert [item.taken_at.day for item in store.of("apache")] == [3, 2, 1]
    assert store.newest("apache") == dump(days=3)
    assert store.forget("apache", 2) == [dump(days=1).name]
    assert sorted(os.listdir(tmp_path / "apache")) == sorted(
        name for day in (2, 3) for name in (dump(days=day).name, dump(days=day).name.replace(".dump", ".json"))
    )


def test_what_is_half_there_is_not_seen_and_the_next_dump_sweeps_it(tmp_path):
    store = DumpStore(tmp_path)
    store.draft("apache").write_bytes(b"PG")
    assert store.of("apache") == ()
    kept(tmp_path, dump())
    assert not list(tmp_path.glob("*/*.part"))


@pytest.mark.parametrize("spoil", ["no description", "no JSON", "another length", "no file", "another name"])
def test_a_dump_without_its_description_or_of_another_length_is_none(tmp_path, spoil):
    store = kept(tmp_path, dump())
    file, description = store.path(dump()), store.path(dump()).with_suffix(".json")
    if spoil == "no description":
        description.unlink()
    elif spoil == "no JSON":
        description.write_text("{")
    elif spoil == "another length":
        file.write_bytes(b"PGDMP and more")
    elif spoil == "no file":
        file.unlink()
    else:
        file.rename(file.with_name("apache-20200101T000000Z.dump"))
        description.rename(description.with_name("apache-20200101T000000Z.json"))
    assert store.of("apache") == ()
    assert store.find(dump().name) is None


def test_a_folder_that_is_not_there_holds_nothing(tmp_path):
    store = DumpStore(tmp_path / "absent")
    assert (store.projects(), store.of("apache"), store.find(dump().name)) == ((), (), None)


@given(
    st.text(max_size=40) | st.sampled_from(["../x.dump", "/etc/passwd", "apache-20260131T033000Z.json", "a/../b.dump"])
)
def test_a_name_that_is_no_dump_s_leads_nowhere(name):
    assert DumpStore(Path("/")).find(name) is None


@given(st.sampled_from(["../../etc", "apache/..", "..", "/etc", ".apache"]))
def test_no_name_leaves_the_folder(project):
    assert DumpStore(Path("/")).find(f"{project}-20260131T033000Z.dump") is None
