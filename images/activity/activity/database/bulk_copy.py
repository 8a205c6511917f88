"""Bulk loading: rows go straight into their tables with COPY, without staging tables."""

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import itemgetter
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from activity.database.queries import composed

Value = int | str | bool | datetime | None

# Bytes of rows that a table keeps in memory before they go to disk.
IN_MEMORY = 256 * 1024
CACHED_VALUES = 20_000
CACHED_TEXT_LENGTH = 200
CACHED_LONG_TEXTS = 8


@dataclass(frozen=True)
class Table:
    """A table that rows go to, its columns in the order they are given, and its key."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @cached_property
    def event(self) -> int | None:
        """The place of the column that names the event of a row; None for what events share."""
        if "event_id" in self.columns:
            return self.columns.index("event_id")
        return self.columns.index("id") if self.first else None

    @cached_property
    def key_of(self) -> Callable[[tuple[Value, ...]], object]:
        """What tells the key of a row."""
        return itemgetter(*map(self.columns.index, self.key))

    @property
    def first(self) -> bool:
        """Whether it holds the events themselves, over which two hours at once may meet."""
        return self.name == "gha_events"

    def __hash__(self) -> int:
        return hash(self.name)


def encode_row(values: Iterable[Value]) -> bytes:
    """Return a row in COPY's text format."""
    return encode_rows((values,))


def encode_rows(rows: Iterable[Iterable[Value]]) -> bytes:
    """Return rows in COPY's text format."""
    encoders = ENCODERS
    lines = ["\t".join([encoders[type(value)](value) for value in values]) for values in rows]
    return ("\n".join(lines) + "\n").encode()


class _Texts(dict[str, str]):
    """Texts as COPY takes them; short ones are remembered, long ones until a few others came.

    Most short ones come again and again, and a long one twice: in its own table and among all texts.
    """

    def __init__(self) -> None:
        super().__init__()
        self._long: deque[str] = deque()

    def __missing__(self, value: str) -> str:
        encoded = value.replace("\x00", "").replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n")
        encoded = encoded.replace("\r", r"\r")
        if len(value) > CACHED_TEXT_LENGTH:
            self._long.append(value)
            if len(self._long) > CACHED_LONG_TEXTS:
                self.pop(self._long.popleft(), None)
        return _remember(self, value, encoded)


class _Times(dict[datetime, str]):
    """Times as COPY takes them, written out whole: the year 1 has to have four digits."""

    def __missing__(self, value: datetime) -> str:
        return _remember(self, value, value.isoformat(" "))


def _remember(memory: dict[Any, str], value: object, encoded: str) -> str:
    if len(memory) >= CACHED_VALUES:
        memory.clear()
    memory[value] = encoded
    return encoded


ENCODERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda value: r"\N",
    bool: lambda value: "t" if value else "f",
    int: str,
    str: _Texts().__getitem__,
    datetime: _Times().__getitem__,
}


def renumber(table: Table, rows: bytes, event: int) -> bytes:
    """Return encoded rows of one event as rows of another."""
    place, number = table.event, b"%d" % event
    if place is None:
        return rows
    changed = []
    for row in rows.splitlines(keepends=True):
        values = row[:-1].split(b"\t")
        values[place] = number
        changed.append(b"\t".join(values) + b"\n")
    return b"".join(changed)


class Batch:
    """Encoded rows on their way to one database, by table; beyond a little memory they wait on disk."""

    def __init__(self) -> None:
        self._files = ExitStack()
        self._spools: dict[Table, _Spool] = {}

    def __enter__(self) -> "Batch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()

    def __bool__(self) -> bool:
        return bool(self._spools)

    def add(self, table: Table, number: int, rows: bytes) -> None:
        """Add the encoded rows that an event of that number has for a table."""
        spool = self._spools.get(table)
        if spool is None:
            spool = self._spools[table] = _Spool(self._files)
        spool.add(number, rows)

    def copy(self, cursor: Cursor, order: Iterable[Table], changes: Mapping[int, int | None]) -> None:
        """Copy all rows into their tables, in this order of tables; events by their ids.

        `changes` are events by number that go in under another id, or, with None, not at all.
        """
        for table in order:
            spool = self._spools.get(table)
            if spool is None:
                continue
            statement = composed(
                "ingest/copy_rows",
                table=sql.Identifier(table.name),
                columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
            )
            with ExitStack() as files:
                file = spool.changed(table, changes, files) if changes or table.first else spool.whole()
                cursor.copy_expert(statement, file, 1 << 16)


class _Spool:
    """The rows of one table, in the order of their events, and how many bytes each event has.

    The exit stack closes the file.
    """

    def __init__(self, files: ExitStack) -> None:
        self._file = files.enter_context(SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115
        self._numbers = array("L")
        self._lengths = array("L")

    def add(self, number: int, rows: bytes) -> None:
        self._file.write(rows)
        self._numbers.append(number)
        self._lengths.append(len(rows))

    def whole(self) -> SpooledTemporaryFile[bytes]:
        self._file.seek(0)
        return self._file

    def changed(self, table: Table, changes: Mapping[int, int | None], files: ExitStack) -> SpooledTemporaryFile[bytes]:
        file = files.enter_context(SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115
        kept = self._kept(table, changes)
        for rows in sorted(kept, key=_leading_number) if table.first else kept:
            file.write(rows)
        file.seek(0)
        return file

    def _kept(self, table: Table, changes: Mapping[int, int | None]) -> Iterator[bytes]:
        for number, rows in self._each():
            event = changes.get(number, number)
            if event is not None:
                yield renumber(table, rows, event) if number in changes else rows

    def _each(self) -> Iterator[tuple[int, bytes]]:
        self._file.seek(0)
        for number, length in zip(self._numbers, self._lengths, strict=True):
            yield number, self._file.read(length)


def _leading_number(row: bytes) -> int:
    return int(row[: row.index(b"\t")])
