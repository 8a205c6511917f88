"""A member's data volume: its lock, which a server holds while it runs, and its state."""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import BinaryIO

from activity.backup import process
from activity.errors import BackupFailed, BackupRunning

LOCK_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.5
MAIN = "main"
UNFINISHED = "main.restoring"
ALONE, RESTORED = "alone", "restored"


@dataclass(frozen=True)
class VolumeState:
    """What a volume holds: of which cluster (empty for none), how far it is, and what its last server was.

    `alone`: a server of mode single; `follows`: a member that another one led; `restored`: none has started since a
    restore of the cluster.
    """

    cluster: str = ""
    timeline: int = 0
    checkpoint: int = 0
    alone: bool = False
    follows: bool = False
    restored: bool = False


def read_state(volume: Path) -> VolumeState:
    """Read what lies in a volume; for whoever has its lock, so that nobody changes it meanwhile."""
    data, taken = volume / MAIN, is_restored(volume)
    if not (data / "PG_VERSION").exists():
        return VolumeState(restored=taken)
    said = process.run(("pg_controldata", str(data)))
    told = dict(re.findall(r"^([^:]+):\s+(.+)$", said, re.MULTILINE))
    high, _, low = told["Latest checkpoint location"].partition("/")
    return VolumeState(
        cluster=told["Database system identifier"],
        timeline=int(told["Latest checkpoint's TimeLineID"]),
        checkpoint=(int(high, 16) << 32) + int(low, 16),
        alone=(volume / ALONE).exists(),
        follows=(data / "standby.signal").exists(),
        restored=taken,
    )


def is_restored(volume: Path) -> bool:
    """Whether a restore has set the former data aside; the mark comes first, the renaming after it."""
    pending = (volume / UNFINISHED / MAIN).exists() and (volume / MAIN).exists()
    return (volume / RESTORED).exists() and not pending


@contextmanager
def lock_volume(volume: Path) -> Iterator[None]:
    """Hold the lock of a volume for the duration of a block; BackupRunning while a server uses it."""
    end = monotonic() + LOCK_TIMEOUT_SECONDS
    with _opened(volume / "lock") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if monotonic() > end:
                    raise BackupRunning(f"A server is using {volume}; nothing was changed. Stop it first.") from None
                sleep(POLL_SECONDS)
        yield


def _opened(lock: Path) -> BinaryIO:
    try:
        return lock.open("ab")
    except OSError as error:
        raise BackupFailed(f"{lock}: {error.strerror}. Is a member's volume mounted there?") from error
