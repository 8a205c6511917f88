"""An hour is opened wherever it lies, and what is wrong with that is said."""

import gzip
from types import SimpleNamespace

import pytest
from activity.archive.read.open_hour import answers, open_hour
from activity.errors import ArchiveUnreachable, HourMissing

from tests.support.web_server import Handler, serving

LINES = [b'{"n": %d}\n' % number for number in range(5000)]
WHOLE = gzip.compress(b"".join(LINES))


@pytest.fixture
def hour(tmp_path):
    path = tmp_path / "2015-01-01-0.json.gz"
    path.write_bytes(WHOLE)
    return path


def stored(url):
    with open_hour(url) as raw:
        return raw.read()


def test_an_hour_that_is_not_there_is_missing_and_a_directory_that_is_not_there_is_unreachable(hour):
    with pytest.raises(HourMissing):
        stored(hour.with_name("2015-01-01-1.json.gz").as_uri())
    with pytest.raises(ArchiveUnreachable):
        stored((hour.parent / "gone" / hour.name).as_uri())


def test_a_name_with_a_space_is_found(tmp_path):
    folder = tmp_path / "my hours"
    folder.mkdir()
    (folder / "2015-01-01-0.json.gz").write_bytes(WHOLE)
    assert stored((folder / "2015-01-01-0.json.gz").as_uri()) == WHOLE


@pytest.fixture
def web():
    """Where one hour is, and what is answered whenever it is asked for: status, announced length, body."""
    found = SimpleNamespace()

    class Archive(Handler):
        def do_GET(self):
            status, length, body = found.answer
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

    with serving(Archive) as address:
        found.url = f"http://{address}/2015-01-01-0.json.gz"
        yield found


def test_an_hour_over_http_is_read_as_it_is_stored(web):
    web.answer = (200, len(WHOLE), WHOLE)
    assert stored(web.url) == WHOLE
    assert answers(web.url, 5)


def test_a_connection_that_breaks_off_is_the_network_not_the_file(web):
    web.answer = (200, len(WHOLE), WHOLE[:-100])
    with pytest.raises(ArchiveUnreachable) as caught:
        stored(web.url)
    assert caught.value.passing


@pytest.mark.parametrize(
    ("status", "kind", "passing"),
    [
        (404, HourMissing, None),
        (500, ArchiveUnreachable, True),
        (503, ArchiveUnreachable, True),
        (429, ArchiveUnreachable, True),
        (403, ArchiveUnreachable, False),
        (204, ArchiveUnreachable, False),
    ],
)
def test_a_refusal_is_told_apart_from_a_missing_hour(web, status, kind, passing):
    web.answer = (status, 0, b"")
    with pytest.raises(kind) as caught:
        stored(web.url)
    assert getattr(caught.value, "passing", None) is passing
    assert not answers(web.url, 5)


def test_a_page_in_place_of_the_archive_is_no_archive(web):
    web.answer = (200, 6, b"<html>")
    assert not answers(web.url, 5)


def test_a_server_that_is_not_there_is_unreachable():
    with pytest.raises(ArchiveUnreachable, match=r"http://127\.0\.0\.1:9/x: .*Check ACTIVITY_ARCHIVE_URL"):
        stored("http://127.0.0.1:9/x")
