"""The events of one hour for one project."""

from collections import defaultdict
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Any

import orjson

from activity.archive.load.encoded_event import EncodedEvent
from activity.archive.rows.event_ids import surrogate_id
from activity.archive.rows.records import Row
from activity.database.bulk_copy import IN_MEMORY, Batch, Table
from activity.hour import Hour, hour_at


class ProjectBatch:
    """The events of an hour for one project: their rows, and what storing them needs to know.

    By event id: `numbers` (the position in the batch), `digests`, and `contested` (the event's own id, which another
    event of the hour has).
    """

    def __init__(self) -> None:
        self._files = ExitStack()
        self.rows = self._files.enter_context(Batch())
        self.numbers: dict[int, int] = {}
        self.digests: dict[int, int] = {}
        self.contested: dict[int, int] = {}
        self.labelled: set[int] = set()
        self.hours: set[Hour] = set()
        self.shared: dict[Table, dict[object, Row]] = defaultdict(dict)
        self.issues: set[tuple[int, int]] = set()
        self.names: set[str] = set()
        self._unresolved: SpooledTemporaryFile[bytes] | None = None

    def __enter__(self) -> "ProjectBatch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()

    def __bool__(self) -> bool:
        return bool(self.numbers) or self._unresolved is not None

    @property
    def events(self) -> int:
        """The number of distinct events."""
        return len(self.numbers)

    def add(self, encoded: EncodedEvent) -> None:
        """Add an event unless the batch has it; of two different events with the same id both are added."""
        known = self.digests.get(encoded.event_id)
        if known is not None and known != encoded.digest:
            contested = encoded.event_id
            encoded = encoded.with_id(surrogate_id(contested, encoded.digest))
            self.contested[encoded.event_id] = contested
            known = self.digests.get(encoded.event_id)
        if known is not None:
            return
        number = len(self.numbers)
        self.numbers[encoded.event_id] = number
        self.digests[encoded.event_id] = encoded.digest
        for table, rows in encoded.encoded:
            self.rows.add(table, number, rows)
        for table, keyed in encoded.shared:
            shared = self.shared[table]
            for key, row in keyed.items():
                shared.setdefault(key, row)
        if encoded.has_labels:
            self.labelled.add(encoded.event_id)
        self.hours.add(hour_at(encoded.created_at))
        self.issues |= encoded.numbers
        self.names |= encoded.names

    def add_before_2015(self, event: dict[str, Any]) -> None:
        """Add an event before 2015 as JSON: its names have to be looked up in the project's database first."""
        if self._unresolved is None:
            # The exit stack closes it.
            self._unresolved = self._files.enter_context(SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115
        self._unresolved.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))

    def events_before_2015(self) -> list[dict[str, Any]]:
        """Return the events before 2015."""
        if self._unresolved is None:
            return []
        self._unresolved.seek(0)
        return [orjson.loads(line) for line in self._unresolved]

    def drop_events_before_2015(self) -> None:
        """Drop the events before 2015, once they are added with their rows."""
        self._unresolved = None
