"""The lock of a member's volume: a server holds it for as long as it runs, whatever the scheduler believes."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import BinaryIO

from activity.errors import BackupFailed, BackupRunning

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.5


@contextmanager
def alone(volume: Path) -> Iterator[None]:
    """Have a volume to oneself for the length of a block; BackupRunning while a server uses it."""
    end = monotonic() + PATIENCE_SECONDS
    with _opened(volume / "lock") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if monotonic() > end:
                    raise BackupRunning(f"A server uses {volume}; nothing was touched. Stop it first.") from None
                sleep(POLL_SECONDS)
        yield


def _opened(lock: Path) -> BinaryIO:
    try:
        return lock.open("ab")
    except OSError as error:
        raise BackupFailed(f"{lock}: {error.strerror}. Is the volume of a member mounted there?") from error
