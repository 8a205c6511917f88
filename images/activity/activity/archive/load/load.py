"""Loading one project's batch of an hour into its database, within one transaction.

The rows of new events are copied into their tables, once it is known which events the database already has. Rows that
events share are merged, sorted by key and table by table in a fixed order, so that two concurrent hours wait for each
other but never deadlock. Rows that depend on other hours are derived last, under a lock.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from activity.archive.load.encoded_event import encode_event
from activity.archive.load.project_batch import ProjectBatch
from activity.archive.rows.before_2015 import KnownIds, names_in, rows_before_2015
from activity.archive.rows.event_ids import RESTARTED, event_digest, surrogate_id
from activity.archive.rows.records import Actor, Origin, Row
from activity.archive.rows.tables import TABLES
from activity.database.advisory_locks import lock_for_transaction
from activity.database.bulk_copy import Table
from activity.database.queries import composed, query


@dataclass(frozen=True)
class Stored:
    """How many events were new; `collisions` maps ids that another event has to the ids stored instead."""

    events: int
    collisions: dict[int, int]


def store(cursor: Cursor, batch: ProjectBatch) -> Stored:
    """Store the events of a batch that the database lacks; the caller commits."""
    resolve_before_2015(cursor, batch)
    changes, collisions = _changes(cursor, batch)
    batch.rows.copy(cursor, TABLES.values(), changes)
    _store_origins(cursor, batch, collisions)
    new_logins = [login for _, login, _ in _merge(cursor, batch)]
    _derive(cursor, batch, changes, new_logins)
    return Stored(batch.events - sum(event is None for event in changes.values()), collisions)


def resolve_before_2015(cursor: Cursor, batch: ProjectBatch) -> None:
    """Add the rows of events before 2015, whose names are looked up in the database."""
    events = batch.events_before_2015()
    if not events:
        return
    names = [names_in(event) for event in events]
    logins = frozenset[str]().union(*(each.logins for each in names))
    orgs = {each.organisation for each in names if each.organisation is not None}
    org_ids = dict(_pairs(cursor, "ingest/find_orgs", sorted(orgs)))
    cursor.execute(query("ingest/find_repos"), {"names": sorted({each.repository for each in names})})
    repo_ids = {(name, org_id): repo_id for name, org_id, repo_id in cursor.fetchall()}
    ids = KnownIds(dict(_pairs(cursor, "ingest/find_actors", sorted(logins))), org_ids, repo_ids)
    for event in events:
        batch.add(encode_event(rows_before_2015(event, ids)))
    batch.drop_events_before_2015()


def _pairs(cursor: Cursor, name: str, names: list[str]) -> Iterable[tuple[str, int]]:
    cursor.execute(query(name), {"names": names})
    return cursor.fetchall()


def _changes(cursor: Cursor, batch: ProjectBatch) -> tuple[dict[int, int | None], dict[int, int]]:
    """Return the events that the database has, or that need another id, in two ways.

    By number: the id to store, None for an event that the database has. By id: the id to store instead.
    """
    stored = _stored_digests(cursor, sorted(_all_ids(batch)))
    others = {
        event: surrogate_id(batch.contested.get(event, event), batch.digests[event])
        for event in batch.digests
        if event in stored or event in batch.contested
    }
    stored_others = _stored_digests(cursor, sorted(others.values())) if others else {}
    changes: dict[int, int | None] = {}
    for event, digest in batch.digests.items():
        number = batch.numbers[event]
        is_stored = any(stored.get(event_id) == digest for event_id in _ids_of(batch, event))
        if is_stored or others.get(event) in stored_others:
            changes[number] = None
        elif event in stored:
            changes[number] = others[event]
    collisions = {event: other for event, other in others.items() if changes.get(batch.numbers[event]) == other}
    return changes, collisions


def _all_ids(batch: ProjectBatch) -> set[int]:
    return {event_id for event in batch.digests for event_id in _ids_of(batch, event)}


def _ids_of(batch: ProjectBatch, event: int) -> tuple[int, ...]:
    """Return all ids that an event may be stored under: DevStats stored restarted ids unchanged."""
    own = batch.contested.get(event, event)
    return (own, own - RESTARTED) if own >= RESTARTED else (own,)


def _stored_digests(cursor: Cursor, events: list[int]) -> dict[int, int]:
    """Return the digests of the events that the database has under the given ids."""
    cursor.execute(query("ingest/find_events"), {"events": f"{{{','.join(map(str, events))}}}"})
    return {
        event: event_digest(kind, repository, created_at) if digest is None else digest
        for event, kind, repository, created_at, digest in cursor.fetchall()
    }


def _store_origins(cursor: Cursor, batch: ProjectBatch, collisions: dict[int, int]) -> None:
    """Store the origins of events that get another id here; all others have theirs among their rows."""
    origins = [
        Origin(other, event, batch.digests[event]) for event, other in collisions.items() if 0 <= event < RESTARTED
    ]
    if origins:
        _merge_rows(cursor, TABLES[Origin], origins)


def _merge(cursor: Cursor, batch: ProjectBatch) -> list[tuple[Any, ...]]:
    """Merge the rows that events share; returns the accounts that were new."""
    merged = {
        kind: _merge_rows(cursor, table, batch.shared[table].values())
        for kind, table in TABLES.items()
        if table in batch.shared
    }
    return merged.get(Actor, [])


def _merge_rows(cursor: Cursor, table: Table, rows: Iterable[Row]) -> list[tuple[Any, ...]]:
    statement = composed(
        "ingest/merge_shared",
        table=sql.Identifier(table.name),
        columns=_names(table.columns),
        key=_names(table.key),
    )
    objects = [dict(zip(table.columns, row, strict=True)) for row in rows]
    cursor.execute(statement, {"rows": orjson.dumps(objects).decode()})
    return cursor.fetchall()


def _names(names: Iterable[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _derive(cursor: Cursor, batch: ProjectBatch, changes: dict[int, int | None], new_logins: list[str]) -> None:
    """Derive rows from several hours; of two concurrent hours the second sees the rows of the first."""
    lock_for_transaction(cursor, "settle")
    if batch.issues:
        touched = [{"repo_id": repo_id, "number": number} for repo_id, number in sorted(batch.issues)]
        cursor.execute(query("ingest/pair_issues"), {"touched": orjson.dumps(touched).decode()})
    labelled = [changes.get(batch.numbers[event], event) for event in sorted(batch.labelled)]
    if any(labelled):
        cursor.execute(query("ingest/label_events"), {"events": [event for event in labelled if event is not None]})
    names = batch.names.union(new_logins)
    if names:
        cursor.execute(query("ingest/resolve_roles"), {"names": sorted(names)})
