"""The rows of an event, encoded once for all projects that receive it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar, cast

from activity.archive.rows.event_ids import event_digest
from activity.archive.rows.issues import Issue, IssueLabel
from activity.archive.rows.pull_requests import PullRequest
from activity.archive.rows.pushes import CommitRole
from activity.archive.rows.records import Event, Origin, Row
from activity.archive.rows.tables import TABLES
from activity.database.bulk_copy import Table, encode_row, encode_rows, renumber

Kind = TypeVar("Kind")
SHARED_ROWS = frozenset(kind for kind, table in TABLES.items() if table.event is None)


@dataclass(frozen=True, slots=True)
class EncodedEvent:
    """An event: rows of its own, encoded for COPY, and rows that it shares with other events, by key.

    `numbers` holds issues and pull requests as (repository id, number), `names` the people in commit trailers.
    """

    event_id: int
    digest: int
    created_at: datetime
    encoded: tuple[tuple[Table, bytes], ...]
    shared: tuple[tuple[Table, dict[object, Row]], ...]
    numbers: frozenset[tuple[int, int]]
    names: frozenset[str]
    has_labels: bool

    def with_id(self, event_id: int) -> "EncodedEvent":
        """Return the event under another id, with an event_origins row for its own."""
        renumbered = [(table, renumber(table, rows, event_id)) for table, rows in self.encoded]
        origin = TABLES[Origin]
        if not any(table == origin for table, _ in renumbered):
            renumbered.append((origin, encode_row(Origin(event_id, self.event_id, self.digest))))
        return replace(self, event_id=event_id, encoded=tuple(renumbered))


def encode_event(rows: Iterable[Row]) -> EncodedEvent:
    """Encode all rows of an event; of rows with equal keys the first counts."""
    by_kind: dict[type[Any], dict[object, Row]] = defaultdict(dict)
    for row in rows:
        kind = type(row)
        by_kind[kind].setdefault(TABLES[kind].key_of(row), row)
    event, origin = cast(Event, _only(by_kind, Event)), cast(Origin | None, _only(by_kind, Origin))
    digest = origin.digest if origin else None
    numbered: list[Issue | PullRequest] = [*_all(by_kind, Issue), *_all(by_kind, PullRequest)]
    return EncodedEvent(
        event_id=event.id,
        digest=event_digest(event.type, event.dup_repo_name, event.created_at) if digest is None else digest,
        created_at=event.created_at,
        encoded=tuple(
            [(TABLES[kind], encode_rows(by_kind[kind].values())) for kind in by_kind if kind not in SHARED_ROWS]
        ),
        shared=tuple([(TABLES[kind], by_kind[kind]) for kind in by_kind if kind in SHARED_ROWS]),
        numbers=frozenset((row.dup_repo_id, row.number) for row in numbered),
        names=frozenset(row.actor_name for row in _all(by_kind, CommitRole)),
        has_labels=IssueLabel in by_kind,
    )


def _all(by_kind: dict[type[Any], dict[object, Row]], kind: type[Kind]) -> Iterable[Kind]:
    return cast(Iterable[Kind], by_kind[kind].values() if kind in by_kind else ())


def _only(by_kind: dict[type[Any], dict[object, Row]], kind: type[Kind]) -> Kind | None:
    return next(iter(_all(by_kind, kind)), None)
