"""Decompression of a gzip file, member by member: strict, or salvaging what is readable."""

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from struct import unpack
from typing import Any, Protocol, cast

from isal import igzip, igzip_lib, isal_zlib

from activity.errors import TruncatedHour

COMPRESSED_BYTES = 128 * 1024
# The format of a member is in RFC 1952.
MEMBER_MAGIC = b"\x1f\x8b\x08"
HEADER_BYTES = 10
TRAILER_BYTES = 8
FLAG_HEADER_CRC, FLAG_EXTRA, FLAG_NAME, FLAG_COMMENT = 2, 4, 8, 16
# Of a damaged member so much input is kept, in which the next member may begin.
KEPT_INPUT_BYTES = 8 * COMPRESSED_BYTES
# isal ships type hints, but these parts of it have none.
DAMAGED = (
    igzip.BadGzipFile,
    cast(type[Exception], igzip_lib.IsalError),
    cast(type[Exception], isal_zlib.error),
    zlib.error,
)


class ByteStream(Protocol):
    """A stream that fills a buffer; 0 bytes mean its end."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill some of the buffer; returns the number of bytes."""


def _open_reader(raw: io.IOBase) -> ByteStream:
    # The reader below igzip's buffer writes straight into ours. A release of isal without it costs one more copy.
    reader = cast("Callable[..., ByteStream] | None", getattr(isal_zlib, "_GzipReader", None))
    if reader is not None:
        return reader(raw, COMPRESSED_BYTES)
    return cast(ByteStream, cast(Callable[..., Any], igzip.IGzipFile)(fileobj=raw, mode="rb"))


class GunzipStream:
    """The content of a gzip file; raises TruncatedHour when a member ends early or its checksum is wrong."""

    def __init__(self, url: str, raw: io.IOBase) -> None:
        self._url = url
        self._reader = _open_reader(raw)
        self._size = 0

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill some of the buffer; returns the number of bytes, 0 when every member was read and verified."""
        try:
            count = self._reader.readinto(buffer) or 0
        except EOFError as error:
            raise TruncatedHour(
                self._url, f"ends in the middle of its gzip stream, after {self._size} bytes of content"
            ) from error
        except DAMAGED as error:
            raise TruncatedHour(self._url, f"is damaged after {self._size} bytes of content: {error}") from error
        if count == 0 and self._size == 0:
            raise TruncatedHour(self._url, "is empty")
        self._size += count
        return count


@dataclass(frozen=True)
class Damage:
    """A problem of a gzip file; `offset` counts the bytes of content that were readable before it."""

    offset: int
    problem: str


class SalvageStream:
    """What is still readable of a damaged gzip file: the start of each member, and the members after it.

    `damage` is complete once everything is read. A newline replaces what is missing, so that the content before it
    and the content after it do not become one line.
    """

    def __init__(self, raw: io.IOBase) -> None:
        self.damage: list[Damage] = []
        self._raw = raw
        self._input = b""
        self._output = memoryview(b"")
        self._size = 0
        self._member: _Member | None = None
        self._found_member = False

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill some of the buffer; returns the number of bytes, 0 at the end."""
        while not self._output and self._advance():
            pass
        count = min(len(buffer), len(self._output))
        buffer[:count] = self._output[:count]
        self._output = self._output[count:]
        self._size += count
        return count

    def _advance(self) -> bool:
        """Decompress the next bytes; returns False at the end."""
        if self._member is None:
            return self._begin_member()
        member = self._member
        try:
            self._output = memoryview(member.read(self._input))
            self._input = b""
            if member.at_end:
                self._member, self._input = None, member.rest
                self._verify(member)
            elif not self._output or member.needs_input:
                self._input = self._fetch()
                if not self._input and not self._output:
                    self._add_damage("ends in the middle of its gzip stream")
                    self._skip_to_next_member(member.recent_input)
        except DAMAGED as error:
            self._add_damage(str(error))
            self._skip_to_next_member(member.recent_input)
        return True

    def _begin_member(self) -> bool:
        """Find the next member; returns False at the end."""
        if self._found_member:
            # Zeros may pad the space between members.
            self._input = self._input.lstrip(b"\x00")
        while (length := _header_length(self._input)) is None:
            more = self._fetch()
            if not more:
                if self._input.strip(b"\x00"):
                    self._add_damage(f"{len(self._input)} bytes at its end are not gzip")
                self._input = b""
                return False
            self._input += more
        if length == 0:
            self._add_damage("has bytes between its members that are not gzip")
            place = self._input.find(MEMBER_MAGIC, 1)
            self._input = self._input[place:] if place > 0 else self._input[-len(MEMBER_MAGIC) + 1 :]
            if place < 0:
                self._input = self._input[-len(MEMBER_MAGIC) + 1 :] + self._fetch()
                return len(self._input) >= len(MEMBER_MAGIC)
            return True
        self._input = self._input[length:]
        self._member = _Member()
        self._found_member = True
        return True

    def _verify(self, member: "_Member") -> None:
        while len(self._input) < TRAILER_BYTES and (more := self._fetch()):
            self._input += more
            member.recent_input += more
        trailer, self._input = self._input[:TRAILER_BYTES], self._input[TRAILER_BYTES:]
        if len(trailer) < TRAILER_BYTES:
            self._add_damage("ends before the checksum of its gzip stream")
        elif unpack("<II", trailer) != (member.checksum, member.size & 0xFFFFFFFF):
            self._add_damage("does not match its checksum")
            if MEMBER_MAGIC in member.recent_input:
                self._skip_to_next_member(member.recent_input)

    def _skip_to_next_member(self, recent_input: bytes) -> None:
        """Continue with the next member, which may begin in what was read as the end of a cut one."""
        self._member = None
        place = recent_input.find(MEMBER_MAGIC)
        self._input = recent_input[place:] if place >= 0 else b""
        self._output = memoryview(bytes(self._output) + b"\n")

    def _add_damage(self, problem: str) -> None:
        self.damage.append(Damage(self._size + len(self._output), problem))

    def _fetch(self) -> bytes:
        return self._raw.read(COMPRESSED_BYTES) or b""


class _Member:
    """The body of one member: a raw deflate stream."""

    def __init__(self) -> None:
        self._inflate = isal_zlib.decompressobj(-15)
        self.recent_input = b""
        self.checksum = 0
        self.size = 0

    @property
    def at_end(self) -> bool:
        return bool(self._inflate.eof)

    @property
    def rest(self) -> bytes:
        return bytes(self._inflate.unused_data)

    @property
    def needs_input(self) -> bool:
        return not self._inflate.unconsumed_tail

    def read(self, more: bytes) -> bytes:
        """Decompress more input; returns the next part of the content, of limited size."""
        self.recent_input = (self.recent_input + more)[-KEPT_INPUT_BYTES:]
        content = bytes(self._inflate.decompress(bytes(self._inflate.unconsumed_tail) + more, COMPRESSED_BYTES))
        self.checksum = isal_zlib.crc32(content, self.checksum)
        self.size += len(content)
        return content


def _header_length(data: bytes) -> int | None:
    """Return the length of a member's header; 0 when it is not one, None when more data is needed to tell."""
    if not MEMBER_MAGIC.startswith(data[: len(MEMBER_MAGIC)]) and not data.startswith(MEMBER_MAGIC):
        return 0
    if len(data) < HEADER_BYTES:
        return None
    flags, place = data[3], HEADER_BYTES
    if flags & FLAG_EXTRA:
        if len(data) < place + 2:
            return None
        place += 2 + int.from_bytes(data[place : place + 2], "little")
    for flag in (FLAG_NAME, FLAG_COMMENT):
        if flags & flag:
            end = data.find(b"\x00", place)
            if end < 0:
                return None if len(data) < COMPRESSED_BYTES else 0
            place = end + 1
    place += 2 if flags & FLAG_HEADER_CRC else 0
    return place if len(data) >= place else None
