"""Processes that read hours side by side; they end with the process that started them, however that ends."""

import signal
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from threading import Event as Signal

from activity.archive.schedule.intake import HourDone, Intake, Task
from activity.archive.schedule.prefetch import Ahead
from activity.errors import ActivityError, Stopped
from activity.settings import Settings

POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Failed:
    """An hour that a worker could not read: the kind of its error, and what it says."""

    task: Task
    kind: type[ActivityError]
    words: str

    def error(self) -> ActivityError:
        """Return the error as it was raised there."""
        # Errors make their messages of their arguments; this one has its message already.
        error: ActivityError = self.kind.__new__(self.kind, self.words)
        Exception.__init__(error, self.words)
        return error


def carry_out(
    settings: Settings, tasks: Iterator[Task], count: int, stop: Signal, ahead: Ahead
) -> Generator[HourDone | Failed, None, None]:
    """Have tasks carried out by so many processes; yields what came of each, in the order in which they end.

    A stop lets the hours at hand end, then Stopped is raised; also when a worker dies.
    """
    context = get_context("spawn")
    idle: deque[Connection] = deque()
    busy: dict[Connection, Task] = {}
    processes = []
    for _ in range(count):
        near, far = context.Pipe()
        process = context.Process(target=_work, args=(far, settings), daemon=True)
        process.start()
        far.close()
        processes.append(process)
        idle.append(near)
    waiting = ahead.fetched(tasks)
    exhausted = False
    try:
        while True:
            while idle and not exhausted and not stop.is_set():
                task = next(waiting, None)
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
                    came: HourDone | Failed = ready.recv()
                except EOFError:
                    raise Stopped(f"a process died while it read hour {task.hour}. Run again to go on.") from None
                ahead.forget(task)
                idle.append(ready)
                yield came
        if stop.is_set() and not exhausted:
            raise Stopped("stopped between hours. Run again to go on from there.")
    finally:
        for connection in (*idle, *busy):
            connection.close()
        for process in processes:
            process.join(POLL_SECONDS)
            if process.is_alive():
                process.terminate()


def _work(connection: Connection, settings: Settings) -> None:
    # The one who started this process decides when it ends; Ctrl-C reaches the whole group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = Signal()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    intake = Intake(settings, stop)
    with suppress(EOFError, OSError):
        while True:
            task: Task = connection.recv()
            try:
                came: HourDone | Failed = intake.carry_out(task)
            except ActivityError as error:
                came = Failed(task, type(error), str(error))
            connection.send(came)
