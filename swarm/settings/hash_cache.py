"""Answers that take long on purpose (slow hashes of secrets), kept in the operator's own state.

What is kept holds for the files as they were, and tells nothing of what is in them.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from swarm.files import write_atomically

HOME = Path(__file__).resolve().parents[2] / ".swarmstats" / "remembered"
STARTED = time.time_ns()
# A file's clock ticks slower than ours.
MARGIN_NANOSECONDS = 2_000_000_000

Signature = list[list[int | str]]


def cached(question: str, files: Sequence[Path], answer: Callable[[], str]) -> str:
    """The answer to a question about files of one folder; asked for again when one of them has changed since."""
    signature = _signature(files)
    if not signature:
        return answer()
    place = memory(files[0].parent)
    kept = _read(place).get(question)
    if isinstance(kept, dict) and kept.get("files") == signature:
        return str(kept["answer"])
    found = answer()
    _write(place, {**_read(place), question: {"files": signature, "answer": found}})
    return found


def memory(folder: Path) -> Path:
    """The file that holds what is remembered of a folder's files."""
    return HOME / f"{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}.json"


def _signature(files: Sequence[Path]) -> Signature:
    """A fingerprint that changes with a file; empty where one is missing, or may have been read before it changed.

    That is sure of files which are older than this process.
    """
    try:
        stats = [(file.name, file.stat()) for file in files]
    except OSError:
        return []
    if max(stat.st_ctime_ns for _, stat in stats) + MARGIN_NANOSECONDS > STARTED:
        return []
    return [[name, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns] for name, stat in stats]


def _read(place: Path) -> dict[str, Any]:
    try:
        found = json.loads(place.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(place: Path, answers: dict[str, Any]) -> None:
    """Who may not write there does without."""
    with suppress(OSError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(place, json.dumps(answers, indent=1), 0o600)
