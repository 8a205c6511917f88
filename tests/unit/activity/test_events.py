"""A line is an event, a blank, or a mistake with its place."""

import gzip

import pytest
from activity.archive.events import parse_event, repository_name
from activity.errors import BrokenLine, OldFormat

URL = "file:///hours/2015-01-01-0.json.gz"


def test_an_event_is_read_and_a_blank_line_passed_over():
    assert parse_event(URL, 1, b'{"id": "1", "repo": {"name": "a/b"}}\r\n') == {"id": "1", "repo": {"name": "a/b"}}
    assert parse_event(URL, 2, b"\r\n") is None


@pytest.mark.parametrize("line", [b"{", b"[]", b"1", b'{"a": 1}}', b'{"a": "\xff"}', b'{"a": NaN}', b"\x00"])
def test_a_broken_line_is_named_with_file_and_number(line):
    with pytest.raises(BrokenLine, match=f"{URL}: line 7: ") as caught:
        parse_event(URL, 7, line)
    assert caught.value.line == 7
    assert caught.value.exit_code == 65


def test_every_event_before_2015_is_refused(shared_data):
    text = gzip.decompress((shared_data / "gharchive" / "pre-2015.sample.json.gz").read_bytes())
    for number, line in enumerate(text.splitlines(), 1):
        with pytest.raises(OldFormat, match=f"line {number}: an event in the format before 2015"):
            parse_event(URL, number, line)


@pytest.mark.parametrize("event", [{}, {"repo": None}, {"repo": {}}, {"repo": "a/b"}, {"repo": {"name": 1}}])
def test_an_event_without_a_repository_belongs_to_nobody(event):
    assert repository_name(event) == ""
