"""The kinds of damage that hours of the archive have had, applied to load hours."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class DamageKind(StrEnum):
    """What is wrong with an hour: with single lines, with all of them, or with the file."""

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


@dataclass(frozen=True)
class Damage:
    """Kinds of damage; of `one_line_of` lines one is damaged, gzip members end after so many lines."""

    kinds: frozenset[DamageKind] = frozenset()
    one_line_of: int = 500
    member_lines: int = 5_000


NO_DAMAGE = Damage()


def damaged(lines: Iterable[bytes], damage: Damage, random: Random) -> Iterator[bytes]:
    """Yield lines with their line ends, some of them damaged in one of the ways."""
    ways = [WAYS[kind] for kind in DamageKind if kind in damage.kinds and kind in WAYS]
    end = b"\r\n" if DamageKind.CRLF in damage.kinds else b"\n"
    if DamageKind.ONE_LINE in damage.kinds:
        end = b""
    for line in lines:
        bare = line.rstrip(b"\n")
        if ways and random.randrange(damage.one_line_of) == 0:
            yield random.choice(ways)(bare, random).replace(b"\n", end)
        else:
            yield bare + end


def compressed(lines: Iterable[bytes], damage: Damage) -> Iterator[bytes]:
    """Yield the bytes of a gzip file as the archive writes them; `members` cuts it in the middle of lines."""
    stream = zlib.compressobj(6, zlib.DEFLATED, 31)
    previous = b""
    for number, line in enumerate(lines, 1):
        ends_member = DamageKind.MEMBERS in damage.kinds and number % damage.member_lines == 0
        half = len(line) // 2 if ends_member else len(line)
        yield previous
        previous = stream.compress(line[:half])
        if half < len(line):
            yield previous + stream.flush()
            stream = zlib.compressobj(6, zlib.DEFLATED, 31)
            previous = stream.compress(line[half:])
    last = previous + stream.flush()
    if DamageKind.TRUNCATED in damage.kinds:
        yield last[: len(last) // 2]
    elif DamageKind.CHECKSUM in damage.kinds:
        yield last[:-8] + bytes(byte ^ 1 for byte in last[-8:-4]) + last[-4:]
    else:
        yield last


def _glued(line: bytes, _: Random) -> bytes:
    """Leave out the newline."""
    return line


def _cut(line: bytes, random: Random) -> bytes:
    """Leave out the rest of the line, with its newline or without."""
    return line[: random.randrange(len(line))] + random.choice((b"", b"\n"))


def _nul(line: bytes, random: Random) -> bytes:
    """Put zeros before, after or into the line, or an escaped one."""
    zeros = b"\x00" * random.randrange(1, 9)
    ways = (
        zeros + line,
        line + zeros,
        line.replace(b'"ref":"', b'"ref":"' + zeros),
        line.replace(b'"ref":"', b'"ref":"\\u0000'),
    )
    return random.choice(ways) + b"\n"


def _escaped(line: bytes, _: Random) -> bytes:
    """Escape slashes, as some serialisers do."""
    return line.replace(b"/", b"\\/") + b"\n"


def _reordered(line: bytes, _: Random) -> bytes:
    """Write the type first, and spaces, as some serialisers do."""
    start, comma, rest = line.partition(b',"type":')
    if not comma:
        return line + b"\n"
    event_type, _comma, behind = rest.partition(b",")
    return b'{"type": ' + event_type + b", " + start[1:] + b", " + behind + b"\n"


WAYS: dict[DamageKind, Callable[[bytes, Random], bytes]] = {
    DamageKind.GLUED: _glued,
    DamageKind.CUT: _cut,
    DamageKind.NUL: _nul,
    DamageKind.ESCAPED: _escaped,
    DamageKind.REORDERED: _reordered,
}
