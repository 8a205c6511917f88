"""Downloads of the next hours, while others are still being read: neither network nor processors wait."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Event as Signal

from activity import log
from activity.archive.read.open_hour import hour_url, open_hour
from activity.archive.read.timing import Timing
from activity.archive.schedule.task import HourTask
from activity.database.watermarks import Source
from activity.errors import ActivityError, Stopped
from activity.settings import Archive

DOWNLOAD_THREADS = 3
BLOCK_BYTES = 1024 * 1024
# Shorter than a reader's: closing waits for a silent server no longer than this.
PREFETCH_TIMING = Timing(silence_seconds=10)


class Prefetcher:
    """Downloads hours of a web archive to local files, at most `limit` at a time; other archives are left alone.

    Each hour is downloaded once, resuming where the connection breaks. When that fails, the reader downloads the hour
    itself, with its own retries and errors. Files are not checked here: reading them checks the gzip stream.
    """

    def __init__(self, archive: Archive, limit: int, timing: Timing = PREFETCH_TIMING) -> None:
        self._archive = archive
        self._limit = limit
        self._timing = timing
        self._closing = Signal()
        self._threads = ThreadPoolExecutor(DOWNLOAD_THREADS, thread_name_prefix="prefetch")
        self._folder = _make_folder(archive) if archive.url.startswith("http") else None

    def prefetch(self, tasks: Iterator[HourTask]) -> Iterator[HourTask]:
        """Yield tasks in order, each with its local file once that is complete; without one if it failed."""
        if self._folder is None:
            yield from tasks
            return
        downloads: deque[tuple[HourTask, Future[bool]]] = deque()
        for task in tasks:
            downloads.append((task, self._threads.submit(self._download, self._folder, task)))
            if len(downloads) >= self._limit:
                yield self._next(self._folder, downloads)
        while downloads:
            yield self._next(self._folder, downloads)

    def release(self, task: HourTask) -> None:
        """Remove the file of an hour that was read."""
        if self._folder is not None:
            _path(self._folder, task).unlink(missing_ok=True)

    def close(self) -> None:
        """Stop downloading and remove all files."""
        self._closing.set()
        self._threads.shutdown(wait=True, cancel_futures=True)
        if self._folder is not None:
            rmtree(self._folder, ignore_errors=True)

    def _next(self, folder: Path, downloads: deque[tuple[HourTask, Future[bool]]]) -> HourTask:
        task, future = downloads.popleft()
        return replace(task, prefetched_url=folder.absolute().as_uri()) if future.result() else task

    def _download(self, folder: Path, task: HourTask) -> bool:
        if task.source is not Source.ARCHIVE or (task.hour in self._archive.skip and not task.force):
            return False
        path = _path(folder, task)
        partial = path.with_suffix(".part")
        try:
            self._save(hour_url(self._archive.url, task.hour), partial)
            partial.replace(path)
        except (ActivityError, OSError) as error:
            if not self._closing.is_set():
                log.info("prefetch failed", hour=task.hour, error=error)
            return False
        return True

    def _save(self, url: str, path: Path) -> None:
        with open_hour(url, self._timing, self._closing) as raw, path.open("wb") as file:
            while block := raw.read1(BLOCK_BYTES):
                if self._closing.is_set():
                    raise Stopped(f"{url}: stopped during the download.")
                file.write(block)


def _make_folder(archive: Archive) -> Path | None:
    """Return a new folder for the files; None where there cannot be one, and nothing is prefetched then."""
    try:
        archive.cache.mkdir(parents=True, exist_ok=True)
        return Path(mkdtemp(prefix="prefetch-", dir=archive.cache))
    except OSError as error:
        log.warning("prefetch disabled", folder=archive.cache, error=error)
        return None


def _path(folder: Path, task: HourTask) -> Path:
    return folder / f"{task.hour}.json.gz"
