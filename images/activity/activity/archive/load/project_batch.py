"""What one project gets of an hour."""

from collections import defaultdict
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Any

import orjson

from activity.archive.load.encoded_event import Parcel
from activity.archive.rows.event_ids import surrogate
from activity.archive.rows.records import Row
from activity.database.bulk_copy import IN_MEMORY, Batch, Table
from activity.hour import Hour, hour_at


class Share:
    """The events of an hour for one project: their rows, and what has to be known to store them.

    By the ids of events: `numbers` in the batch, `digests`, and `contested`, the id that another event has.
    """

    def __init__(self) -> None:
        self._files = ExitStack()
        self.batch = self._files.enter_context(Batch())
        self.numbers: dict[int, int] = {}
        self.digests: dict[int, int] = {}
        self.contested: dict[int, int] = {}
        self.labelled: set[int] = set()
        self.hours: set[Hour] = set()
        self.shared: dict[Table, dict[object, Row]] = defaultdict(dict)
        self.issues: set[tuple[int, int]] = set()
        self.names: set[str] = set()
        self._lines: SpooledTemporaryFile[bytes] | None = None

    def __enter__(self) -> "Share":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()

    def __bool__(self) -> bool:
        return bool(self.numbers) or self._lines is not None

    @property
    def events(self) -> int:
        """How many events there are, each counted once however often it comes."""
        return len(self.numbers)

    def take(self, parcel: Parcel) -> None:
        """Take an event in, unless it is there already; two events of one id are both taken."""
        known = self.digests.get(parcel.event_id)
        if known is not None and known != parcel.digest:
            contested = parcel.event_id
            parcel = parcel.under(surrogate(contested, parcel.digest))
            self.contested[parcel.event_id] = contested
            known = self.digests.get(parcel.event_id)
        if known is not None:
            return
        number = len(self.numbers)
        self.numbers[parcel.event_id] = number
        self.digests[parcel.event_id] = parcel.digest
        for table, rows in parcel.encoded:
            self.batch.add(table, number, rows)
        for table, keyed in parcel.shared:
            mine = self.shared[table]
            for key, row in keyed.items():
                mine.setdefault(key, row)
        if parcel.labelled:
            self.labelled.add(parcel.event_id)
        self.hours.add(hour_at(parcel.created_at))
        self.issues |= parcel.numbers
        self.names |= parcel.names

    def keep_old(self, event: dict[str, Any]) -> None:
        """Keep an event of before 2015 until its names can be looked up in the project's database."""
        if self._lines is None:
            # The exit stack closes it.
            self._lines = self._files.enter_context(SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115
        self._lines.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))

    def old_events(self) -> list[dict[str, Any]]:
        """Return the events of before 2015."""
        if self._lines is None:
            return []
        self._lines.seek(0)
        return [orjson.loads(line) for line in self._lines]

    def forget_old(self) -> None:
        """Let go of the events of before 2015, which are taken."""
        self._lines = None
