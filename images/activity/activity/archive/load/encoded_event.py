"""An event's rows, encoded once for every project that it goes to."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar, cast

from activity.archive.rows.event_ids import meaning
from activity.archive.rows.issues import Issue, IssueLabel
from activity.archive.rows.pull_requests import PullRequest
from activity.archive.rows.pushes import CommitRole
from activity.archive.rows.records import Event, Origin, Row
from activity.archive.rows.tables import TABLES
from activity.database.bulk_copy import Table, encode_row, encode_rows, renumber

Kind = TypeVar("Kind")
SHARED = frozenset(kind for kind, table in TABLES.items() if table.event is None)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one event brings: rows of its own, encoded, and rows that it shares with others, by key.

    `numbers` are issues and pull requests by repository and number, `names` people named in trailers.
    """

    event_id: int
    digest: int
    created_at: datetime
    encoded: tuple[tuple[Table, bytes], ...]
    shared: tuple[tuple[Table, dict[object, Row]], ...]
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
    own: dict[type[Any], dict[object, Row]] = defaultdict(dict)
    for row in rows:
        kind = type(row)
        own[kind].setdefault(TABLES[kind].key_of(row), row)
    event, origin = cast(Event, _only(own, Event)), cast(Origin | None, _only(own, Origin))
    digest = origin.digest if origin else None
    named: list[Issue | PullRequest] = [*_all(own, Issue), *_all(own, PullRequest)]
    return Parcel(
        event_id=event.id,
        digest=meaning(event.type, event.dup_repo_name, event.created_at) if digest is None else digest,
        created_at=event.created_at,
        encoded=tuple([(TABLES[kind], encode_rows(own[kind].values())) for kind in own if kind not in SHARED]),
        shared=tuple([(TABLES[kind], own[kind]) for kind in own if kind in SHARED]),
        numbers=frozenset((row.dup_repo_id, row.number) for row in named),
        names=frozenset(row.actor_name for row in _all(own, CommitRole)),
        labelled=IssueLabel in own,
    )


def _all(own: dict[type[Any], dict[object, Row]], kind: type[Kind]) -> Iterable[Kind]:
    return cast(Iterable[Kind], own[kind].values() if kind in own else ())


def _only(own: dict[type[Any], dict[object, Row]], kind: type[Kind]) -> Kind | None:
    return next(iter(_all(own, kind)), None)
