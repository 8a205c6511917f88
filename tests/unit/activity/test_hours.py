"""An hour is read line by line to its very end, and what is wrong with it is said."""

import gzip
import struct
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from activity.archive.hours import answers, read_lines
from activity.errors import ArchiveUnreachable, HourMissing, TruncatedHour

LINES = [b'{"n": %d}\n' % number for number in range(5000)]
WHOLE = gzip.compress(b"".join(LINES))


@pytest.fixture
def hour(tmp_path):
    path = tmp_path / "2015-01-01-0.json.gz"
    path.write_bytes(WHOLE)
    return path


def test_lines_come_with_their_numbers(hour):
    assert list(read_lines(hour.as_uri())) == list(enumerate(LINES, 1))


def test_several_gzip_members_are_one_hour_and_the_last_line_needs_no_end(hour):
    hour.write_bytes(gzip.compress(b'{"a"') + gzip.compress(b': 1}\n{"b": 2}'))
    assert list(read_lines(hour.as_uri())) == [(1, b'{"a": 1}\n'), (2, b'{"b": 2}')]


@pytest.mark.parametrize("missing", [1, 4, 8, 100, len(WHOLE) - 11, len(WHOLE)])
def test_an_hour_that_ends_early_is_truncated_wherever_it_ends(hour, missing):
    hour.write_bytes(WHOLE[: len(WHOLE) - missing])
    with pytest.raises(TruncatedHour):
        list(read_lines(hour.as_uri()))


def test_a_wrong_checksum_is_noticed(hour):
    hour.write_bytes(WHOLE[:-8] + struct.pack("<I", 1) + WHOLE[-4:])
    with pytest.raises(TruncatedHour, match="is damaged"):
        list(read_lines(hour.as_uri()))


def test_a_flipped_bit_is_noticed(hour):
    hour.write_bytes(WHOLE[:2000] + bytes([WHOLE[2000] ^ 1]) + WHOLE[2001:])
    with pytest.raises(TruncatedHour):
        list(read_lines(hour.as_uri()))


def test_an_hour_that_is_not_there_is_missing_and_a_directory_that_is_not_there_is_unreachable(hour):
    with pytest.raises(HourMissing):
        list(read_lines(hour.with_name("2015-01-01-1.json.gz").as_uri()))
    with pytest.raises(ArchiveUnreachable):
        list(read_lines((hour.parent / "gone" / hour.name).as_uri()))


def test_a_name_with_a_space_is_found(tmp_path):
    folder = tmp_path / "my hours"
    folder.mkdir()
    (folder / "2015-01-01-0.json.gz").write_bytes(WHOLE)
    assert sum(1 for _ in read_lines((folder / "2015-01-01-0.json.gz").as_uri())) == len(LINES)


def test_an_hour_is_never_held_whole(tmp_path):
    path = tmp_path / "large.json.gz"
    path.write_bytes(gzip.compress(b'{"words": "%s"}\n' % (b"x" * 1000) * 100_000))
    tracemalloc.start()
    assert sum(len(line) for _, line in read_lines(path.as_uri())) > 100_000_000
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()


@pytest.fixture
def web():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, length, body = self.server.answer
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def log_message(self, format, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_address[1]}/2015-01-01-0.json.gz"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_hour_over_http_is_read_as_it_is_stored(web):
    web.answer = (200, len(WHOLE), WHOLE)
    assert [line for _, line in read_lines(web.url)] == LINES
    assert answers(web.url, 5)


def test_a_connection_that_breaks_off_is_the_network_not_the_file(web):
    web.answer = (200, len(WHOLE), WHOLE[:-100])
    with pytest.raises(ArchiveUnreachable) as caught:
        list(read_lines(web.url))
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
        list(read_lines(web.url))
    assert getattr(caught.value, "passing", None) is passing
    assert not answers(web.url, 5)


def test_a_page_in_place_of_the_archive_is_no_archive(web):
    web.answer = (200, 6, b"<html>")
    assert not answers(web.url, 5)


def test_a_server_that_is_not_there_is_unreachable():
    with pytest.raises(ArchiveUnreachable, match=r"http://127\.0\.0\.1:9/x: .*Check ACTIVITY_ARCHIVE_URL"):
        list(read_lines("http://127.0.0.1:9/x"))
