"""The dumps of projects on the shared storage: each a file and, beside it, what is known about it.

dumps/PROJECT/PROJECT-20260101T030000Z.dump and the same name with .json; the .json is put there first, and the dump
under its final name only when it is whole, so that a dump that can be seen can be restored.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

STAMP = "%Y%m%dT%H%M%SZ"
NAME = re.compile(r"(?P<project>[a-z0-9][a-z0-9-]*)-(?P<stamp>[0-9]{8}T[0-9]{6}Z)\.dump")
DRAFT = ".part"


@dataclass(frozen=True)
class Dump:
    """One dump of one project's database; `rows` has the number of rows of each table at `taken_at`."""

    project: str
    database: str
    taken_at: datetime
    seconds: float
    bytes: int
    sha256: str
    rows: Mapping[str, int]
    server: str

    @property
    def name(self) -> str:
        """The name of its file."""
        return file_name(self.project, self.taken_at)


def file_name(project: str, taken_at: datetime) -> str:
    """The name of a dump's file."""
    return f"{project}-{taken_at.astimezone(UTC):{STAMP}}.dump"


@dataclass(frozen=True)
class DumpStore:
    """The folder of all dumps; reading never fails because of files that others put or removed there."""

    folder: Path

    def projects(self) -> tuple[str, ...]:
        """The projects that have a folder."""
        try:
            return tuple(sorted(path.name for path in self.folder.iterdir() if path.is_dir()))
        except OSError:
            return ()

    def of(self, project: str) -> tuple[Dump, ...]:
        """The dumps of a project, newest first."""
        try:
            names = [path.name for path in (self.folder / project).iterdir()]
        except OSError:
            return ()
        found = (self.find(name) for name in names if NAME.fullmatch(name))
        return tuple(sorted((dump for dump in found if dump), key=lambda dump: dump.taken_at, reverse=True))

    def newest(self, project: str) -> Dump | None:
        """The newest dump of a project."""
        try:
            names = sorted((path.name for path in (self.folder / project).iterdir()), reverse=True)
        except OSError:
            return None
        return next((dump for name in names if (dump := self.find(name))), None)

    def find(self, name: str) -> Dump | None:
        """The dump of that file name; None for any other name, whatever is in it."""
        matched = NAME.fullmatch(name)
        if matched is None:
            return None
        file = self.folder / matched["project"] / name
        try:
            told = orjson.loads(file.with_suffix(".json").read_bytes())
            dump = _read(told)
            return dump if dump.name == name and file.stat().st_size == dump.bytes else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def path(self, dump: Dump) -> Path:
        """Where a dump's file is."""
        return self.folder / dump.project / dump.name

    def draft(self, project: str) -> Path:
        """Where a dump of a project is written before it is one; what an earlier run left half done is removed."""
        folder = self.folder / project
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"*{DRAFT}"):
            left.unlink(missing_ok=True)
        return folder / f"{project}{DRAFT}"

    def keep(self, draft: Path, dump: Dump) -> None:
        """Give a finished dump its name."""
        file = self.path(dump)
        _write(file.with_suffix(".json"), orjson.dumps(_told(dump), option=orjson.OPT_INDENT_2))
        draft.chmod(0o644)
        draft.replace(file)
        _settle(file.parent)

    def forget(self, project: str, keep: int) -> list[str]:
        """Remove all but the newest dumps of a project; returns the names of those that went."""
        gone = self.of(project)[keep:]
        for dump in gone:
            self.path(dump).unlink(missing_ok=True)
            self.path(dump).with_suffix(".json").unlink(missing_ok=True)
        return [dump.name for dump in gone]


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}{DRAFT}")
    with draft.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    draft.chmod(0o644)
    draft.replace(path)


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _told(dump: Dump) -> dict[str, Any]:
    return {
        "project": dump.project,
        "database": dump.database,
        "taken_at": dump.taken_at.astimezone(UTC).isoformat(),
        "seconds": dump.seconds,
        "bytes": dump.bytes,
        "sha256": dump.sha256,
        "rows": dict(dump.rows),
        "server": dump.server,
    }


def _read(told: dict[str, Any]) -> Dump:
    return Dump(
        project=str(told["project"]),
        database=str(told["database"]),
        taken_at=datetime.fromisoformat(told["taken_at"]),
        seconds=float(told["seconds"]),
        bytes=int(told["bytes"]),
        sha256=str(told["sha256"]),
        rows={str(table): int(count) for table, count in told["rows"].items()},
        server=str(told["server"]),
    )
