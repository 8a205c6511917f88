"""The bytes inside a gzip file, member after member, each checked to its end: strictly, or saving what can be read."""

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from struct import unpack
from typing import Any, Protocol, cast

from isal import igzip, igzip_lib, isal_zlib

from activity.errors import TruncatedHour

COMPRESSED = 128 * 1024
MEMBER = b"\x1f\x8b\x08"
HEADER = 10
TRAILER = 8
LOOKED_BACK = 8 * COMPRESSED
CHECKED, EXTRA, NAMED, COMMENTED = 2, 4, 8, 16
# isal says that it is typed; these parts of it are not.
DAMAGED = (
    igzip.BadGzipFile,
    cast(type[Exception], igzip_lib.IsalError),
    cast(type[Exception], isal_zlib.error),
    zlib.error,
)


class Bytes(Protocol):
    """A stream that fills a buffer; 0 is its end."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill some of the buffer; returns how many bytes."""


def _open_reader(raw: io.IOBase) -> Bytes:
    # The reader below igzip's buffer writes straight into ours; where a release of isal hides it, the public way
    # costs a copy more and does the same.
    reader = cast("Callable[..., Bytes] | None", getattr(isal_zlib, "_GzipReader", None))
    if reader is not None:
        return reader(raw, COMPRESSED)
    return cast(Bytes, cast(Callable[..., Any], igzip.IGzipFile)(fileobj=raw, mode="rb"))


class Gunzipped:
    """What a gzip file holds; TruncatedHour as soon as a member ends early or is not what its checksum says."""

    def __init__(self, url: str, raw: io.IOBase) -> None:
        self._url = url
        self._reader = _open_reader(raw)
        self._size = 0

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill some of the buffer; returns how many bytes, 0 when every member was read and checked."""
        try:
            count = self._reader.readinto(buffer) or 0
        except EOFError as error:
            raise TruncatedHour(
                self._url, f"ends in the middle of its gzip stream, {self._size} bytes into what it holds"
            ) from error
        except DAMAGED as error:
            raise TruncatedHour(self._url, f"is damaged {self._size} bytes into what it holds: {error}") from error
        if count == 0 and self._size == 0:
            raise TruncatedHour(self._url, "is empty")
        self._size += count
        return count


@dataclass(frozen=True)
class Damage:
    """What is wrong with a gzip file, after how many bytes of what could be read."""

    offset: int
    problem: str


class Salvaged:
    """What can still be read of a damaged gzip file: the start of each member, and the members after it.

    `damage` says what was wrong, when all is read. A newline stands where something is missing, so that what
    comes before and after does not become one line.
    """

    def __init__(self, raw: io.IOBase) -> None:
        self.damage: list[Damage] = []
        self._raw = raw
        self._input = b""
        self._output = memoryview(b"")
        self._size = 0
        self._member: _Member | None = None
        self._begun = False

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill some of the buffer; returns how many bytes, 0 at the end."""
        while not self._output and self._advance():
            pass
        count = min(len(buffer), len(self._output))
        buffer[:count] = self._output[:count]
        self._output = self._output[count:]
        self._size += count
        return count

    def _advance(self) -> bool:
        """Read on; returns False at the end."""
        if self._member is None:
            return self._begin()
        member = self._member
        try:
            self._output = memoryview(member.read(self._input))
            self._input = b""
            if member.at_end:
                self._member, self._input = None, member.rest
                self._check(member)
            elif not self._output or member.hungry:
                self._input = self._fetch()
                if not self._input and not self._output:
                    self._note("ends in the middle of its gzip stream")
                    self._lose(member.fed)
        except DAMAGED as error:
            self._note(str(error))
            self._lose(member.fed)
        return True

    def _begin(self) -> bool:
        """Find the next member."""
        if self._begun:
            # Members may be padded with zeros.
            self._input = self._input.lstrip(b"\x00")
        while (length := _header_length(self._input)) is None:
            more = self._fetch()
            if not more:
                if self._input.strip(b"\x00"):
                    self._note(f"{len(self._input)} bytes at its end are no gzip")
                self._input = b""
                return False
            self._input += more
        if length == 0:
            self._note("something between its members is no gzip")
            place = self._input.find(MEMBER, 1)
            self._input = self._input[place:] if place > 0 else self._input[-len(MEMBER) + 1 :]
            if place < 0:
                self._input = self._input[-len(MEMBER) + 1 :] + self._fetch()
                return len(self._input) >= len(MEMBER)
            return True
        self._input = self._input[length:]
        self._member = _Member()
        self._begun = True
        return True

    def _check(self, member: "_Member") -> None:
        while len(self._input) < TRAILER and (more := self._fetch()):
            self._input += more
            member.fed += more
        trailer, self._input = self._input[:TRAILER], self._input[TRAILER:]
        if len(trailer) < TRAILER:
            self._note("ends before the checksum of its gzip stream")
        elif unpack("<II", trailer) != (member.checksum, member.size & 0xFFFFFFFF):
            self._note("is not what its checksum says")
            if MEMBER in member.fed:
                self._lose(member.fed)

    def _lose(self, fed: bytes) -> None:
        """Go on at the next member, which may be among what was taken for the end of a cut one."""
        self._member = None
        place = fed.find(MEMBER)
        self._input = fed[place:] if place >= 0 else b""
        self._output = memoryview(bytes(self._output) + b"\n")

    def _note(self, problem: str) -> None:
        self.damage.append(Damage(self._size + len(self._output), problem))

    def _fetch(self) -> bytes:
        return self._raw.read(COMPRESSED) or b""


class _Member:
    """One member behind its header."""

    def __init__(self) -> None:
        self._inflate = isal_zlib.decompressobj(-15)
        self.fed = b""
        self.checksum = 0
        self.size = 0

    @property
    def at_end(self) -> bool:
        return bool(self._inflate.eof)

    @property
    def rest(self) -> bytes:
        return bytes(self._inflate.unused_data)

    @property
    def hungry(self) -> bool:
        return not self._inflate.unconsumed_tail

    def read(self, more: bytes) -> bytes:
        """Return at most so much of what the member holds."""
        self.fed = (self.fed + more)[-LOOKED_BACK:]
        found = bytes(self._inflate.decompress(bytes(self._inflate.unconsumed_tail) + more, COMPRESSED))
        self.checksum = isal_zlib.crc32(found, self.checksum)
        self.size += len(found)
        return found


def _header_length(data: bytes) -> int | None:
    """Return the length of a member's header, 0 when it is none, None when more is needed to tell."""
    if not MEMBER.startswith(data[: len(MEMBER)]) and not data.startswith(MEMBER):
        return 0
    if len(data) < HEADER:
        return None
    flags, place = data[3], HEADER
    if flags & EXTRA:
        if len(data) < place + 2:
            return None
        place += 2 + int.from_bytes(data[place : place + 2], "little")
    for flag in (NAMED, COMMENTED):
        if flags & flag:
            end = data.find(b"\x00", place)
            if end < 0:
                return None if len(data) < COMPRESSED else 0
            place = end + 1
    place += 2 if flags & CHECKED else 0
    return place if len(data) >= place else None
