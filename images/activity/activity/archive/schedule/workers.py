"""Worker processes that read hours side by side; they end with the process that started them, even if it is killed."""

import signal
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from threading import Event as Signal

from activity.archive.schedule.ledger import Ledgers
from activity.archive.schedule.prefetch import Prefetcher
from activity.archive.schedule.runner import Runner
from activity.archive.schedule.task import HourTask, TaskResult
from activity.errors import ActivityError, Stopped
from activity.settings import Settings

# How long to wait for a result before looking at `stop` again, and at the end for each process.
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class HourFailure:
    """An hour that could not be read: the class and the message of the error."""

    task: HourTask
    error_class: type[ActivityError]
    message: str

    def error(self) -> ActivityError:
        """Return the error as it was raised."""
        # The constructors compose a message from their arguments; this message is complete.
        error: ActivityError = self.error_class.__new__(self.error_class, self.message)
        Exception.__init__(error, self.message)
        return error


def run_in_processes(
    settings: Settings, tasks: Iterator[HourTask], count: int, stop: Signal, prefetcher: Prefetcher
) -> Generator[TaskResult | HourFailure, None, None]:
    """Run tasks in `count` processes; yields each result as soon as it is there, in any order.

    After `stop` the running tasks end, then Stopped is raised; it is raised too when a worker process dies.
    """
    processes, connections = _start(settings, count)
    idle, busy = deque(connections), dict[Connection, HourTask]()
    prefetched = prefetcher.prefetch(tasks)
    exhausted = False
    try:
        while True:
            while idle and not exhausted and not stop.is_set():
                task = next(prefetched, None)
                exhausted = task is None
                if task is not None:
                    connection = idle.popleft()
                    connection.send(task)
                    busy[connection] = task
            if not busy:
                break
            for ready in wait(list(busy), POLL_SECONDS):
                assert isinstance(ready, Connection)
                task = busy.pop(ready)
                try:
                    result: TaskResult | HourFailure = ready.recv()
                except EOFError:
                    raise Stopped(f"a worker process died while reading hour {task.hour}. Run again.") from None
                prefetcher.release(task)
                idle.append(ready)
                yield result
        if stop.is_set() and not exhausted:
            raise Stopped("stopped between hours. Run again to continue from there.")
    finally:
        for connection in (*idle, *busy):
            connection.close()
        for process in processes:
            process.join(POLL_SECONDS)
            if process.is_alive():
                process.terminate()


def _start(settings: Settings, count: int) -> tuple[list[SpawnProcess], list[Connection]]:
    context = get_context("spawn")
    processes, connections = [], []
    for _ in range(count):
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, settings), daemon=True)
        process.start()
        theirs.close()
        processes.append(process)
        connections.append(ours)
    return processes, connections


def _work(connection: Connection, settings: Settings) -> None:
    # The parent decides when this process ends; Ctrl-C reaches the whole process group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = Signal()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    runner = Runner(settings, Ledgers(settings), stop)
    with suppress(EOFError, OSError):
        while True:
            task: HourTask = connection.recv()
            try:
                result: TaskResult | HourFailure = runner.run(task)
            except ActivityError as error:
                result = HourFailure(task, type(error), str(error))
            connection.send(result)
