"""Backups and dumps, as the service db_backups knows and makes them: it is asked in its own container."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from swarm.containers import exec
from swarm.engine.client import Engine
from swarm.errors import BackupFailed, BackupRunning, CommandFailed, RestoreFailed, UnknownName
from swarm.live import services
from swarm.report import duration
from swarm.settings.environment import Environment

STACK = "db"
SERVICE = "db_backups"
VERB = ("python", "-m", "activity", "backup")
RUNNING, USAGE = 75, 64
# Docker now and then loses what a command that ends at once has written.
ATTEMPTS = 3
STALE_SECONDS = 8 * 86400.0
LOG_LINE = re.compile(r"^\S+Z (?P<level>error|warning|info) (?P<words>.*?)(?: exit=\d+)?$")

Say = Callable[[str], None]


def without_answer(_: str) -> None:
    """Discard a message."""


@dataclass(frozen=True)
class Row:
    """One backup or dump, or one that failed, as a table shows it."""

    kind: str
    name: str
    age: str
    bytes: int
    state: str
    project: str = ""


@dataclass(frozen=True)
class Overview:
    """Everything that is known about backups, as the service tells it."""

    told: dict[str, Any]

    @property
    def now(self) -> datetime:
        """When the service reported it."""
        return datetime.fromisoformat(self.told["now"])

    def age(self, moment: str) -> float:
        """Seconds since a moment."""
        return (self.now - datetime.fromisoformat(moment)).total_seconds()

    def rows(self) -> Iterator[Row]:
        """Backups of the cluster, then dumps, newest first; then what failed since."""
        for item in reversed(self.told["cluster"]):
            state = "broken" if item["broken"] else "whole"
            yield Row(item["kind"], item["label"], self._ago(item["ended_at"]), item["bytes"], state)
        for item in self.told["dumps"]:
            yield Row("dump", item["name"], self._ago(item["taken_at"]), item["bytes"], "whole", item["project"])
        for item in self.told["failures"]:
            reason = str(item["words"]).splitlines()[0] if item["words"] else "failed"
            yield Row(item["kind"], "failed", self._ago(item["ended_at"]), 0, reason, item["project"])

    @property
    def silent(self) -> str:
        """Why the repository could not be asked; nothing when it was."""
        return "" if self.told.get("answered", True) else str(self.told["problem"])

    def summary(self) -> str:
        """What matters in one line."""
        newest = next(reversed(self.told["cluster"]), None)
        none = "cluster backups unknown" if self.silent else "no backup of the cluster yet"
        backed = f"newest backup {self._ago(newest['ended_at'])} ago" if newest else none
        verified = self.told["verified"]
        checked = f"verified {self._ago(verified['ended_at'])} ago" if verified else "not verified yet"
        dumps = len({item["project"] for item in self.told["dumps"]})
        return f"{backed}, {checked}; dumps of {dumps} projects"

    def complaints(self) -> list[str]:
        """What is not well with backups; empty when all is."""
        # A cluster that is new has no backup for its first minutes.
        found = [self.told["unknown"], "" if self.told.get("new") else self.told["problem"]]
        newest = next(reversed(self.told["cluster"]), None)
        if newest and self.age(newest["ended_at"]) > STALE_SECONDS:
            found.append(f"the newest backup is {self._ago(newest['ended_at'])} old")
        for item in self.told["failures"]:
            of = f" of {item['project']}" if item["project"] else ""
            found.append(f"{item['kind']}{of} failed {self._ago(item['ended_at'])} ago: {item['words']}")
        return [text.splitlines()[0] for text in found if text]

    def _ago(self, moment: str) -> str:
        return duration(max(self.age(moment), 0.0))


def require_answer(found: Overview) -> None:
    """Raise BackupFailed where the repository could not be asked."""
    if found.silent:
        raise BackupFailed(found.silent, hint="See docs/backups.md#when-one-fails. Dumps and failures are shown above.")


def overview(environment: Environment, engine: Engine) -> Overview:
    """Ask what there is; raises BackupFailed when the service does not run or cannot tell."""
    for _ in range(ATTEMPTS):
        if lines := ask(environment, engine, "show"):
            return Overview(json.loads(lines[-1]))
    raise BackupFailed("The service db/backups did not answer.", hint="./run logs db/backups")


def ask(
    environment: Environment, engine: Engine, *words: str, say: Say = without_answer, warn: Say = without_answer
) -> list[str]:
    """Have the service do something and return the lines that it says, each handed on as it comes.

    Warnings go to `warn`. Raises BackupFailed with the reason,
    BackupRunning when another one is running, UnknownName for a project.
    """
    out, err = _Lines(say), _Lines()
    try:
        code = exec.run(environment, engine, SERVICE, (*VERB, *words), out.take, complain=err.take)
    except (UnknownName, CommandFailed) as error:
        raise BackupFailed(
            f"The backup service db/backups is not running: {error.message}", hint="./run deploy db"
        ) from error
    if code == 0:
        for line in err.rest():
            found = LOG_LINE.match(line)
            if found is None or found["level"] != "info":
                warn(_plain(line))
        return out.rest()
    said = "\n".join(_plain(line) for line in err.rest()) or f"it exited with {code}"
    if code == RUNNING:
        raise BackupRunning(said, hint="./run db.backups lists backups and dumps.")
    if code == USAGE:
        raise BackupFailed(said, hint="./run deploy all creates the database of a new project.")
    raise BackupFailed(said, hint="./run logs db/backups")


def dump(environment: Environment, engine: Engine, project: str, to: datetime | None) -> str:
    """The name of the dump that a restore of a project would take; raises BackupFailed when there is none."""
    lines = ask(environment, engine, "restore", project, "--dry", *_until(to))
    return str(json.loads(lines[-1])["name"])


def restore(environment: Environment, engine: Engine, project: str, to: datetime | None, say: Say, warn: Say) -> str:
    """Restore a project's database from its newest dump (not after `to`); returns the result in words."""
    try:
        return ask(environment, engine, "restore", project, *_until(to), say=say, warn=warn)[-1]
    except BackupFailed as error:
        raise RestoreFailed(error.message, hint=error.hint) from error


def _until(to: datetime | None) -> tuple[str, ...]:
    return ("--to", to.isoformat()) if to else ()


def known_names(engine: Engine) -> bool:
    """Whether the stack with the service is deployed."""
    return any(service.name == SERVICE for service in services.services(engine, STACK))


def _plain(line: str) -> str:
    """A line of the service's log without its time, its level and its exit code, which are ours to say."""
    found = LOG_LINE.match(line)
    return found["words"] if found else line


class _Lines:
    """Bytes as they come -> whole lines."""

    def __init__(self, say: Say = without_answer) -> None:
        self._say = say
        self._rest = b""
        self._lines: list[str] = []

    def take(self, chunk: bytes) -> None:
        """More bytes."""
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        for line in whole:
            self._lines.append(line.decode(errors="replace").rstrip("\r"))
            self._say(self._lines[-1])

    def rest(self) -> list[str]:
        """All lines, the last one even if it has no end."""
        if self._rest:
            self.take(b"\n")
        return self._lines
