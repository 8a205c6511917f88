"""Opening an hour of an archive: a file of this machine or over HTTP."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Signal
from urllib.parse import unquote, urlsplit

from activity.archive.read.download import NEVER, Download
from activity.archive.read.timing import Timing
from activity.errors import ArchiveUnreachable, HourMissing
from activity.hour import Hour

GZIP_MAGIC = b"\x1f\x8b"
BLOCK_BYTES = 256 * 1024
DEFAULT_TIMING = Timing()


def hour_url(archive: str, hour: Hour) -> str:
    """Return the URL of an hour in an archive."""
    return f"{archive}/{hour}.json.gz"


def answers(url: str, seconds: float) -> bool:
    """Tell whether the first bytes of an hour can be read within the given seconds, and are gzip."""
    try:
        with open_hour(url, Timing(connect_seconds=seconds, silence_seconds=seconds)) as raw:
            return raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    except (ArchiveUnreachable, HourMissing):
        return False


@contextmanager
def open_hour(url: str, timing: Timing = DEFAULT_TIMING, stop: Signal = NEVER) -> Iterator[io.BufferedIOBase]:
    """Open an hour as it is stored, gzipped; raises HourMissing or ArchiveUnreachable."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        with _open_file(url, Path(unquote(parts.path))) as file:
            yield file
        return
    with Download(url, timing, stop) as raw, io.BufferedReader(raw, BLOCK_BYTES) as buffered:
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
