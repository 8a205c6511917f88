"""A gzip file is checked to its end, or as much of it as can be read is saved."""

import gzip
import io
import struct
from random import Random

import pytest
from activity.archive.read import gunzip
from activity.archive.read.gunzip import GunzipStream, SalvageStream
from activity.errors import TruncatedHour

LINES = [
    b'{"n": %d, "words": "%s"}\n' % (number, Random(number).randbytes(20).hex().encode()) for number in range(9000)
]
WHOLE = b"".join(LINES)
STORED = gzip.compress(WHOLE)


def everything(stream, size=10_000):
    found, buffer = b"", bytearray(size)
    while count := stream.readinto(memoryview(buffer)):
        found += buffer[:count]
    return found


def strictly(stored):
    return everything(GunzipStream("file:///hour", io.BytesIO(stored)))


def salvaged(stored):
    stream = SalvageStream(io.BytesIO(stored))
    return everything(stream), [damage.problem for damage in stream.damage]


def named(data):
    """A member with every optional field in its header."""
    file = io.BytesIO()
    with gzip.GzipFile("a name", "wb", fileobj=file, mtime=0) as member:
        member.write(data)
    made = bytearray(file.getvalue())
    made[3] |= 4 | 16
    return (
        bytes(made[:10])
        + struct.pack("<H", 5)
        + b"extra"
        + made[10 : made.index(0, 10) + 1]
        + b"words\x00"
        + made[made.index(0, 10) + 1 :]
    )


@pytest.fixture(params=["isal's own", "the public way"])
def way(request, monkeypatch):
    if request.param == "the public way":
        monkeypatch.delattr(gunzip.isal_zlib, "_GzipReader")


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "stored", [STORED, gzip.compress(WHOLE[:777]) + gzip.compress(b"") + named(WHOLE[777:]), STORED + b"\x00" * 50]
)
def test_members_follow_each_other_wherever_they_are_cut(stored):
    assert strictly(stored) == WHOLE
    assert salvaged(stored) == (WHOLE, [])


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("missing", [1, 4, 8, 100, len(STORED) - 11, len(STORED)])
def test_a_file_that_ends_early_is_truncated_wherever_it_ends(missing):
    with pytest.raises(TruncatedHour):
        strictly(STORED[: len(STORED) - missing])


@pytest.mark.usefixtures("way")
def test_a_wrong_checksum_or_length_is_noticed_in_any_member():
    for place in (-8, -4):
        wrong = bytearray(STORED)
        wrong[place] ^= 1
        for stored in (bytes(wrong), bytes(wrong) + STORED, STORED + bytes(wrong)):
            with pytest.raises(TruncatedHour, match="is damaged"):
                strictly(stored)


@pytest.mark.usefixtures("way")
def test_a_flipped_bit_is_noticed():
    for place in Random(2015).sample(range(10, len(STORED)), 20):
        flipped = STORED[:place] + bytes([STORED[place] ^ 1]) + STORED[place + 1 :]
        with pytest.raises(TruncatedHour):
            strictly(flipped)


def test_of_a_file_that_ends_early_all_that_is_there_is_saved():
    for missing in (1, 8, 9, 100, len(STORED) // 2):
        found, problems = salvaged(STORED[: len(STORED) - missing])
        assert WHOLE.startswith(found.removesuffix(b"\n")) or found == WHOLE + b"\n"
        assert len(found) >= len(WHOLE) * (len(STORED) - missing - 1000) // len(STORED)
        assert len(problems) == 1


def test_of_a_wrong_checksum_everything_is_saved_and_said():
    wrong = STORED[:-8] + struct.pack("<I", 1) + STORED[-4:]
    assert salvaged(wrong) == (WHOLE, ["does not match its checksum"])


def test_members_behind_a_damaged_one_are_saved():
    half = len(STORED) // 2
    found, problems = salvaged(STORED[:half] + gzip.compress(b"second\n") + gzip.compress(b"third\n"))
    assert found.endswith(b"\nsecond\nthird\n")
    assert found.startswith(WHOLE[: len(WHOLE) // 3])
    assert problems
    found, problems = salvaged(b"garbage" + STORED + b"more garbage" * 100 + STORED)
    assert found.count(LINES[-1]) == 2
    assert len(problems) >= 2


def test_what_is_no_gzip_at_all_gives_nothing_but_its_damage():
    for stored in (b"<html>not here</html>", b"\x1f\x8b", b"\x1f\x8b\x08\x08name"):
        found, problems = salvaged(stored)
        assert found.strip() == b""
        assert problems


def test_salvaging_ends_whatever_is_flipped():
    random = Random(7)
    for _ in range(60):
        stored = bytearray(STORED + STORED)
        for place in random.sample(range(len(stored)), random.choice((1, 3, 40))):
            stored[place] ^= 1 << random.randrange(8)
        found, problems = salvaged(bytes(stored))
        assert problems or found == WHOLE * 2
