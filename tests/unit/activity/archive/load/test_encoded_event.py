"""The rows of an event are encoded once, and none of them twice."""

from activity.archive.load.encoded_event import encode_event
from activity.archive.load.project_batch import ProjectBatch
from activity.archive.rows.records import Actor
from activity.archive.rows.since_2015 import rows_since_2015
from activity.archive.rows.tables import TABLES

PUSH = {
    "id": "7",
    "type": "PushEvent",
    "actor": {"id": 1, "login": "ada"},
    "repo": {"id": 2, "name": "some/thing"},
    "payload": {
        "size": 2,
        "commits": [{"sha": "a", "message": "One"}, {"sha": "b", "message": "Two"}, {"sha": "a", "message": "Three"}],
        "member": {"id": 1, "login": "ada"},
    },
    "created_at": "2015-01-01T00:00:00Z",
}


def rows_of(encoded_event, name):
    return next(rows for table, rows in encoded_event.encoded if table.name == name)


def test_of_rows_with_one_key_the_first_counts():
    encoded_event = encode_event(rows_since_2015(PUSH))
    assert [row.split(b"\t")[:4] for row in rows_of(encoded_event, "gha_commits").splitlines()] == [
        [b"a", b"7", b"", b"One"],
        [b"b", b"7", b"", b"Two"],
    ]
    assert dict(encoded_event.shared)[TABLES[Actor]] == {(1, "ada"): Actor(1, "ada", "")}


def test_under_another_id_every_row_has_it_and_a_note_of_the_old_one():
    encoded_event = encode_event(rows_since_2015(PUSH)).with_id(99)
    for table, rows in encoded_event.encoded:
        assert {row.split(b"\t")[table.event] for row in rows.splitlines()} == {b"99"}, table.name
    assert rows_of(encoded_event, "event_origins") == b"99\t7\t%d\n" % encoded_event.digest


def test_a_project_takes_an_event_once_and_two_events_of_one_id_both():
    other = {**PUSH, "type": "WatchEvent", "payload": {}}
    with ProjectBatch() as batch:
        for event in (PUSH, other, PUSH, other):
            batch.add(encode_event(rows_since_2015(event)))
        assert batch.events == 2
        assert 7 in batch.digests
        assert list(batch.contested.values()) == [7]
