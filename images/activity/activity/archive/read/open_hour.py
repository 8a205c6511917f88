"""Opening an hour wherever it lies."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Signal
from urllib.parse import unquote, urlsplit

import httpx

from activity.archive.read.download import NEVER, Download
from activity.errors import ArchiveUnreachable, HourMissing
from activity.hour import Hour

TIMEOUT = httpx.Timeout(60, connect=10)
GZIP_START = b"\x1f\x8b"
BLOCK = 256 * 1024


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
def open_hour(url: str, timeout: httpx.Timeout = TIMEOUT, stop: Signal = NEVER) -> Iterator[io.BufferedIOBase]:
    """Open an hour as it is stored, gzipped; HourMissing or ArchiveUnreachable when that is not possible."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        with _open_file(url, Path(unquote(parts.path))) as file:
            yield file
        return
    with Download(url, timeout, stop) as raw, io.BufferedReader(raw, BLOCK) as buffered:
        yield buffered


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
