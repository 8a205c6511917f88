"""Opening an hour wherever it lies."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from activity.errors import ArchiveUnreachable, HourMissing
from activity.hour import Hour

TIMEOUT = httpx.Timeout(60, connect=10)
GZIP_START = b"\x1f\x8b"
NOT_FOUND = 404
PASSING = (408, 429)
SERVER_ERRORS = 500


def hour_url(archive: str, hour: Hour) -> str:
    """Return where an hour lies in an archive."""
    return f"{archive}/{hour}.json.gz"


def answers(url: str, seconds: float) -> bool:
    """Tell whether an hour can be had: something gzipped begins to arrive within so many seconds."""
    try:
        with open_hour(url, httpx.Timeout(seconds)) as raw:
            return raw.read(len(GZIP_START)) == GZIP_START
    except (ArchiveUnreachable, HourMissing):
        return False


@contextmanager
def open_hour(url: str, timeout: httpx.Timeout = TIMEOUT) -> Iterator[io.BufferedIOBase]:
    """Open an hour as it is stored, gzipped; HourMissing or ArchiveUnreachable when that is not possible."""
    parts = urlsplit(url)
    opened = _open_file(url, Path(unquote(parts.path))) if parts.scheme == "file" else _open_web(url, timeout)
    with opened as raw:
        yield raw


@contextmanager
def _open_file(url: str, path: Path) -> Iterator[io.BufferedIOBase]:
    if not path.parent.is_dir():
        raise ArchiveUnreachable(url, "no such directory", passing=False)
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise HourMissing(url) from error
    except OSError as error:
        raise ArchiveUnreachable(url, error.strerror or str(error), passing=False) from error
    with file:
        yield file


@contextmanager
def _open_web(url: str, timeout: httpx.Timeout) -> Iterator[io.BufferedIOBase]:
    # The file is gzip by itself: it is asked for and taken as it is stored, whatever the headers call it.
    headers = {"Accept-Encoding": "gzip", "User-Agent": "swarmstats"}
    try:
        with httpx.stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True) as response:
            _check(url, response.status_code)
            yield io.BufferedReader(_Chunks(response.iter_raw()), 256 * 1024)
    except httpx.HTTPError as error:
        raise ArchiveUnreachable(url, str(error) or type(error).__name__) from error


def _check(url: str, status: int) -> None:
    if status == NOT_FOUND:
        raise HourMissing(url)
    if status != httpx.codes.OK:
        raise ArchiveUnreachable(
            url, f"answered with status {status}", passing=status >= SERVER_ERRORS or status in PASSING
        )


class _Chunks(io.RawIOBase):
    """Chunks of bytes as they arrive, as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
