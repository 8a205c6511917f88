"""An event's rows, encoded once for every project that it goes to."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from activity.archive.identity import meaning
from activity.archive.issues import Issue, IssueLabel
from activity.archive.pulls import PullRequest
from activity.archive.pushes import CommitRole
from activity.archive.records import Event, Origin, Row
from activity.archive.tables import TABLES
from activity.database.copy import Table, encode_row, renumber


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one event brings: rows of its own, encoded, and rows that it shares with others, by key.

    `numbers` are issues and pull requests by repository and number, `names` people named in trailers.
    """

    event_id: int
    digest: int
    created_at: datetime
    encoded: tuple[tuple[Table, bytes], ...]
    shared: tuple[tuple[Table, tuple[object, ...], Row], ...]
    numbers: frozenset[tuple[int, int]]
    names: frozenset[str]
    labelled: bool

    def under(self, event_id: int) -> "Parcel":
        """Return the same event under another id, with a note of its own one."""
        encoded = [(table, renumber(table, rows, event_id)) for table, rows in self.encoded]
        origin = TABLES[Origin]
        if not any(table == origin for table, _ in encoded):
            encoded.append((origin, encode_row(Origin(event_id, self.event_id, self.digest))))
        return replace(self, event_id=event_id, encoded=tuple(encoded))


def pack(rows: Iterable[Row]) -> Parcel:
    """Encode all rows of an event; of rows with one key the first counts."""
    own: dict[Table, dict[tuple[object, ...], Row]] = defaultdict(dict)
    numbers: set[tuple[int, int]] = set()
    names: set[str] = set()
    event, origin = None, None
    for row in rows:
        table = TABLES[type(row)]
        own[table].setdefault(tuple([row[place] for place in table.places]), row)
        match row:
            case Event():
                event = row
            case Origin():
                origin = row
            case Issue() | PullRequest():
                numbers.add((row.dup_repo_id, row.number))
            case CommitRole():
                names.add(row.actor_name)
    event = cast(Event, event)
    known = origin.digest if origin else None
    return Parcel(
        event_id=event.id,
        digest=meaning(event.type, event.dup_repo_name, event.created_at) if known is None else known,
        created_at=event.created_at,
        encoded=tuple(
            (table, b"".join(map(encode_row, keyed.values())))
            for table, keyed in own.items()
            if table.event is not None
        ),
        shared=tuple(
            (table, key, row) for table, keyed in own.items() if table.event is None for key, row in keyed.items()
        ),
        numbers=frozenset(numbers),
        names=frozenset(names),
        labelled=TABLES[IssueLabel] in own,
    )
