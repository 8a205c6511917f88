"""Damage on demand: what the real archive has had, done to simulated hours."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from random import Random

MEMBER_LINES = 5_000
# One line of so many is damaged.
ONE_OF = 500


class Damage(StrEnum):
    """What can be wrong with an hour: with single lines, with all of them, or with the file."""

    GLUED = "glued"
    CUT = "cut"
    NUL = "nul"
    ESCAPED = "escaped"
    REORDERED = "reordered"
    CRLF = "crlf"
    ONE_LINE = "one-line"
    MEMBERS = "members"
    TRUNCATED = "truncated"
    CHECKSUM = "checksum"


def spoiled(lines: Iterable[bytes], damages: frozenset[Damage], random: Random) -> Iterator[bytes]:
    """Yield lines, each with its end, some of them damaged in one of the ways that are asked for."""
    ways = [WAYS[damage] for damage in Damage if damage in damages and damage in WAYS]
    end = b"" if Damage.ONE_LINE in damages else b"\r\n" if Damage.CRLF in damages else b"\n"
    for line in lines:
        bare = line.rstrip(b"\n")
        if ways and random.randrange(ONE_OF) == 0:
            yield random.choice(ways)(bare, random).replace(b"\n", end)
        else:
            yield bare + end


def compressed(lines: Iterable[bytes], damages: frozenset[Damage]) -> Iterator[bytes]:
    """Yield the bytes of a gzip file as the archive writes them; `members` cuts it in the middle of lines."""
    stream, checked = zlib.compressobj(6, zlib.DEFLATED, 31), Damage.CHECKSUM not in damages
    previous = b""
    for number, line in enumerate(lines, 1):
        half = len(line) // 2 if Damage.MEMBERS in damages and number % MEMBER_LINES == 0 else len(line)
        yield previous
        previous = stream.compress(line[:half])
        if half < len(line):
            yield previous + stream.flush()
            stream = zlib.compressobj(6, zlib.DEFLATED, 31)
            previous = stream.compress(line[half:])
    last = previous + stream.flush()
    if Damage.TRUNCATED in damages:
        yield last[: len(last) // 2]
    else:
        yield last if checked else last[:-8] + bytes(byte ^ 1 for byte in last[-8:-4]) + last[-4:]


def _glued(line: bytes, _: Random) -> bytes:
    """The newline is missing."""
    return line


def _cut(line: bytes, random: Random) -> bytes:
    """The rest of the line and its newline are missing, or only the rest."""
    return line[: random.randrange(len(line))] + random.choice((b"", b"\n"))


def _nul(line: bytes, random: Random) -> bytes:
    """Zeros stand before, behind or in the line, or as an escape."""
    zeros = b"\x00" * random.randrange(1, 9)
    ways = (
        zeros + line,
        line + zeros,
        line.replace(b'"ref":"', b'"ref":"' + zeros),
        line.replace(b'"ref":"', b'"ref":"\\u0000'),
    )
    return random.choice(ways) + b"\n"


def _escaped(line: bytes, _: Random) -> bytes:
    """The serialiser escapes slashes."""
    return line.replace(b"/", b"\\/") + b"\n"


def _reordered(line: bytes, _: Random) -> bytes:
    """The serialiser writes the type first, and spaces."""
    start, comma, rest = line.partition(b',"type":')
    kind, _comma, behind = rest.partition(b",")
    return b'{"type": ' + kind + b", " + start[1:] + b", " + behind + b"\n" if comma else line + b"\n"


WAYS: dict[Damage, Callable[[bytes, Random], bytes]] = {
    Damage.GLUED: _glued,
    Damage.CUT: _cut,
    Damage.NUL: _nul,
    Damage.ESCAPED: _escaped,
    Damage.REORDERED: _reordered,
}
