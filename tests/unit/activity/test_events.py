"""A line is an event, a blank, or a mistake with its place."""

import gzip

import pytest
from activity.archive.events import parse_event, repository_name
from activity.errors import BrokenLine

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


def test_an_event_before_2015_belongs_to_its_organisation_or_its_owner(shared_data):
    text = gzip.decompress((shared_data / "gharchive" / "pre-2015.sample.json.gz").read_bytes())
    names = {repository_name(parse_event(URL, number, line)) for number, line in enumerate(text.splitlines(), 1)}
    assert {"aws/aws-sdk-core-ruby", "openstack/openstack", "leftieFriele/liggeran", "K-Be/EasyMapping"} <= names
    assert "" not in names


@pytest.mark.parametrize(
    "event", [{}, {"repo": None}, {"repo": {}}, {"repo": "a/b"}, {"repo": {"name": 1}}, {"repository": {"name": "b"}}]
)
def test_an_event_without_a_repository_belongs_to_nobody(event):
    assert repository_name(event) == ""
