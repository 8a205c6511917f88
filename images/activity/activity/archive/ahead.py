"""Downloads a few hours ahead of those who read them, so that neither the network nor the processors wait."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from shutil import copyfileobj
from tempfile import mkdtemp

from activity import log
from activity.archive.hours import hour_url, open_hour
from activity.archive.intake import Task
from activity.database.marks import Source
from activity.errors import ActivityError
from activity.settings import Archive

AT_ONCE = 3
BLOCK = 1 << 20


class Ahead:
    """Hours of a web archive as files of this machine, at most so many at a time; another archive is left as it is."""

    def __init__(self, archive: Archive, most: int) -> None:
        self._archive = archive
        self._most = most
        self._remote = archive.url.startswith("http")
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="download")
        if self._remote:
            archive.cache.mkdir(parents=True, exist_ok=True)
        self._folder = Path(mkdtemp(prefix="ahead-", dir=archive.cache)) if self._remote else archive.cache

    def fetched(self, tasks: Iterator[Task]) -> Iterator[Task]:
        """Yield tasks in their order, each with its file once that is there; what failed is left to who reads it."""
        if not self._remote:
            yield from tasks
            return
        under_way: deque[tuple[Task, Future[bool]]] = deque()
        for task in tasks:
            under_way.append((task, self._threads.submit(self._fetch, task)))
            if len(under_way) >= self._most:
                yield self._next(under_way)
        while under_way:
            yield self._next(under_way)

    def forget(self, task: Task) -> None:
        """Remove the file of an hour that was read."""
        if self._remote:
            self._file(task).unlink(missing_ok=True)

    def close(self) -> None:
        """Stop downloading and remove what is left."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        if self._remote:
            for file in self._folder.iterdir():
                file.unlink(missing_ok=True)
            with suppress(OSError):
                self._folder.rmdir()

    def _next(self, under_way: deque[tuple[Task, Future[bool]]]) -> Task:
        task, future = under_way.popleft()
        return replace(task, archive=self._folder.absolute().as_uri()) if future.result() else task

    def _fetch(self, task: Task) -> bool:
        if task.source is not Source.ARCHIVE or (task.hour in self._archive.skip and not task.force):
            return False
        partial = self._file(task).with_suffix(".part")
        try:
            with open_hour(hour_url(self._archive.url, task.hour)) as raw, partial.open("wb") as file:
                copyfileobj(raw, file, BLOCK)
            partial.replace(self._file(task))
        except (ActivityError, OSError) as error:
            log.info("hour not downloaded ahead", hour=task.hour, error=error)
            partial.unlink(missing_ok=True)
            return False
        return True

    def _file(self, task: Task) -> Path:
        return self._folder / f"{task.hour}.json.gz"
