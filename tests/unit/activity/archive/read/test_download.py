"""A download goes on where it broke off, and notices when the file is another one by now."""

from dataclasses import replace
from random import Random
from threading import Event

import httpx
import pytest
from activity.archive.read.download import RESUME_ATTEMPTS
from activity.archive.read.open_hour import open_hour
from activity.archive.read.timing import Timing
from activity.errors import ArchiveUnreachable, HourMissing

from tests.support.faulty_server import FAULTS, faulty

CONTENT = Random(2015).randbytes(1_500_000)
QUICK = Timing(connect_seconds=1, silence_seconds=1, first_pause_seconds=0.001, longest_pause_seconds=0.002)
# For those who ask again: a server that falls silent is given up soon.
IMPATIENT = replace(QUICK, silence_seconds=0.2)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "hour").write_bytes(CONTENT)
    return tmp_path


def fetch(url, tries=1):
    """The file, asked for again from its start so often where that is what the error calls for."""
    for left in reversed(range(tries)):
        try:
            with open_hour(f"{url}/hour", IMPATIENT if tries > 1 else QUICK) as raw:
                return raw.read()
        except ArchiveUnreachable as error:
            if not error.passing or not left:
                raise
    raise AssertionError


@pytest.mark.parametrize("fault", ["short", "reset", "silent"])
def test_what_breaks_off_is_taken_up_where_it_broke(folder, fault):
    with faulty(folder, 3, (fault, fault, None)) as archive:
        assert fetch(archive.url, 20) == CONTENT
        assert archive.met[fault]
        assert any(asked.startswith("bytes=") and asked != "bytes=0-" for asked in archive.ranges)


def test_a_server_that_knows_no_ranges_sends_it_again_and_what_is_known_is_passed_over(folder):
    with faulty(folder, 1, ("short", "whole")) as archive:
        for _ in range(6):
            assert fetch(archive.url, 20) == CONTENT
        assert archive.met["short"] > 2


def test_a_file_that_was_replaced_meanwhile_is_never_mixed_with_the_old_one(folder):
    with faulty(folder, 5, ("short",)) as archive:
        with open_hour(f"{archive.url}/hour", QUICK) as raw:
            assert raw.read(10) == CONTENT[:10]
            archive.etag = '"two"'
            with pytest.raises(ArchiveUnreachable, match="was replaced while it was read") as caught:
                raw.read()
        assert caught.value.passing


def test_without_progress_it_ends(folder):
    with faulty(folder, 1, (None,)) as archive, open_hour(f"{archive.url}/hour", QUICK) as raw:
        assert raw.read(10) == CONTENT[:10]
    with faulty(folder, 1, ("short",)) as archive:
        (folder / "hour").write_bytes(CONTENT[:1])
        archive.random.randrange = lambda stop: 0
        with pytest.raises(ArchiveUnreachable, match="after 0 bytes"):
            fetch(archive.url)
        assert archive.met["short"] == RESUME_ATTEMPTS + 1


def test_a_refusal_says_how_long_to_wait(folder):
    with faulty(folder, 1, ("429",)) as archive, pytest.raises(ArchiveUnreachable, match="status 429") as caught:
        fetch(archive.url)
    assert (caught.value.passing, caught.value.wait) == (True, 0.0)


def test_a_stop_ends_the_waiting(folder):
    patient = replace(QUICK, first_pause_seconds=60, longest_pause_seconds=60)
    stop = Event()
    stop.set()
    with faulty(folder, 1, ("short",)) as archive:
        archive.random.randrange = lambda stop: 0
        with (
            pytest.raises(ArchiveUnreachable, match="stopped before the download could be resumed"),
            open_hour(f"{archive.url}/hour", patient, stop) as raw,
        ):
            raw.read()


@pytest.mark.parametrize("seed", range(12))
def test_whatever_goes_wrong_the_bytes_are_the_same(folder, seed):
    with faulty(folder, seed) as archive:
        assert fetch(archive.url, 50) == CONTENT


def test_a_missing_hour_is_missing_at_once(folder):
    assert FAULTS
    with faulty(folder, 1, ("404",)) as archive, pytest.raises(HourMissing):
        fetch(archive.url)
    assert Timing().timeout() == httpx.Timeout(60, connect=10)
