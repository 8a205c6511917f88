"""Rows into tables the fast way: COPY into staging, then one merge per table."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from tempfile import SpooledTemporaryFile
from types import TracebackType

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from activity.database.queries import composed

IN_MEMORY = 256 * 1024
NULL = b"\\N"
ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\x00": ""})


@dataclass(frozen=True)
class Table:
    """A table that rows are merged into, its columns in the order they are given, and its key."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def staging(self) -> str:
        """The name of its staging table."""
        return f"staged_{self.name}"


def encode_row(line: int, values: Iterable[int | str | bool | datetime | None]) -> bytes:
    """Return a row in COPY's text format, the number of its line in front."""
    return b"\t".join((b"%d" % line, *map(_encode, values))) + b"\n"


def _encode(value: int | str | bool | datetime | None) -> bytes:
    match value:
        case None:
            return NULL
        case bool():
            return b"t" if value else b"f"
        case int():
            return b"%d" % value
        case datetime():
            return value.isoformat(" ").encode()
    return value.translate(ESCAPES).encode()


class Batch:
    """Rows on their way to one database, by table; beyond a little memory they wait on disk."""

    def __init__(self) -> None:
        self._files = ExitStack()
        self._spools: dict[Table, SpooledTemporaryFile[bytes]] = {}

    def __enter__(self) -> "Batch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()

    def __bool__(self) -> bool:
        return bool(self._spools)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that rows were added to, always in the same order."""
        return tuple(sorted(self._spools, key=lambda table: table.name))

    def add(self, table: Table, encoded: bytes) -> None:
        """Add an encoded row."""
        spool = self._spools.get(table)
        if spool is None:
            # The exit stack closes it.
            spool = self._spools[table] = self._files.enter_context(SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115
        spool.write(encoded)

    def stage(self, cursor: Cursor) -> None:
        """Put all rows into staging tables that last as long as the transaction."""
        for table in self.tables:
            names = {"staging": sql.Identifier(table.staging), "table": sql.Identifier(table.name)}
            cursor.execute(composed("ingest/create_staging", **names))
            columns = _names(("line", *table.columns))
            statement = composed("ingest/copy_into_staging", staging=names["staging"], columns=columns)
            spool = self._spools[table]
            spool.seek(0)
            cursor.copy_expert(statement, spool, 1 << 16)

    def merge(self, cursor: Cursor) -> None:
        """Move what is new from staging into the tables, sorted by key so that parallel merges queue up."""
        for table in self.tables:
            cursor.execute(
                composed(
                    "ingest/merge_staging",
                    table=sql.Identifier(table.name),
                    staging=sql.Identifier(table.staging),
                    columns=_names(table.columns),
                    key=_names(table.key),
                )
            )


def _names(names: Iterable[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, names))
