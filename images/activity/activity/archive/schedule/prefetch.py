"""Downloads a few hours ahead of those who read them, so that neither the network nor the processors wait."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Event as Signal

import httpx

from activity import log
from activity.archive.read.open_hour import hour_url, open_hour
from activity.archive.schedule.intake import Task
from activity.database.watermarks import Source
from activity.errors import ActivityError, Stopped
from activity.settings import Archive

AT_ONCE = 3
BLOCK = 1 << 20
# Shorter than a reader's: a stop waits for a server that is silent no longer than this.
TIMEOUT = httpx.Timeout(10)


class Ahead:
    """Hours of a web archive as files of this machine, at most so many at a time; another archive is left as it is.

    Each is one resumable download, once; what does not come that way is left to the reader, its retries and its
    errors. Whether a file is whole is not asked here: gzip tells whoever reads it.
    """

    def __init__(self, archive: Archive, most: int) -> None:
        self._archive = archive
        self._most = most
        self._closing = Signal()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="download")
        self._folder = _scratch(archive) if archive.url.startswith("http") else None

    def fetched(self, tasks: Iterator[Task]) -> Iterator[Task]:
        """Yield tasks in their order, each with its file once that is there; what failed is left to who reads it."""
        if self._folder is None:
            yield from tasks
            return
        under_way: deque[tuple[Task, Future[bool]]] = deque()
        for task in tasks:
            under_way.append((task, self._threads.submit(self._fetch, self._folder, task)))
            if len(under_way) >= self._most:
                yield self._next(self._folder, under_way)
        while under_way:
            yield self._next(self._folder, under_way)

    def forget(self, task: Task) -> None:
        """Remove the file of an hour that was read."""
        if self._folder is not None:
            _file(self._folder, task).unlink(missing_ok=True)

    def close(self) -> None:
        """Stop downloading and remove what is left."""
        self._closing.set()
        self._threads.shutdown(wait=True, cancel_futures=True)
        if self._folder is not None:
            rmtree(self._folder, ignore_errors=True)

    def _next(self, folder: Path, under_way: deque[tuple[Task, Future[bool]]]) -> Task:
        task, future = under_way.popleft()
        return replace(task, archive=folder.absolute().as_uri()) if future.result() else task

    def _fetch(self, folder: Path, task: Task) -> bool:
        if task.source is not Source.ARCHIVE or (task.hour in self._archive.skip and not task.force):
            return False
        file = _file(folder, task)
        try:
            self._download(hour_url(self._archive.url, task.hour), partial := file.with_suffix(".part"))
            partial.replace(file)
        except (ActivityError, OSError) as error:
            if not self._closing.is_set():
                log.info("hour not downloaded ahead", hour=task.hour, error=error)
            return False
        return True

    def _download(self, url: str, path: Path) -> None:
        with open_hour(url, TIMEOUT, self._closing) as raw, path.open("wb") as file:
            while block := raw.read1(BLOCK):
                if self._closing.is_set():
                    raise Stopped(f"{url}: stopped in the middle.")
                file.write(block)


def _scratch(archive: Archive) -> Path | None:
    """Return a new folder for files; None where there can be none: then nothing is downloaded ahead."""
    try:
        archive.cache.mkdir(parents=True, exist_ok=True)
        return Path(mkdtemp(prefix="ahead-", dir=archive.cache))
    except OSError as error:
        log.warning("nothing is downloaded ahead", folder=archive.cache, error=error)
        return None


def _file(folder: Path, task: Task) -> Path:
    return folder / f"{task.hour}.json.gz"
