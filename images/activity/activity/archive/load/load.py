"""A project's share of an hour into its database, within one transaction.

Rows of the hour's own events are copied straight into their tables: which events the database has already is asked
first. Rows that events share are merged, sorted by key, tables always in the same order, so that two hours at once
wait for one another and never in a circle. What depends on rows of other hours is settled last, one hour at a time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from activity.archive.load.encoded_event import pack
from activity.archive.load.project_batch import Share
from activity.archive.rows.before_2015 import Names, named_in, old_rows_of
from activity.archive.rows.event_ids import RESTARTED, meaning, surrogate
from activity.archive.rows.records import Actor, Origin, Row
from activity.archive.rows.tables import TABLES
from activity.database.advisory_locks import lock_for_transaction
from activity.database.bulk_copy import Table
from activity.database.queries import composed, query


@dataclass(frozen=True)
class Stored:
    """How many events were new, and under which ids those are stored whose own stood for another event."""

    events: int
    collisions: dict[int, int]


def store(cursor: Cursor, share: Share) -> Stored:
    """Store what the database lacks of a share; the caller commits."""
    take_old(cursor, share)
    changes, collisions = _changes(cursor, share)
    share.batch.copy(cursor, TABLES.values(), changes)
    _note_origins(cursor, share, collisions)
    newcomers = [login for _, login, _ in _merge(cursor, share)]
    _settle(cursor, share, changes, newcomers)
    return Stored(share.events - sum(event is None for event in changes.values()), collisions)


def take_old(cursor: Cursor, share: Share) -> None:
    """Make rows of the events of before 2015, now that it can be asked whom their names mean."""
    events = share.old_events()
    if not events:
        return
    named = [named_in(event) for event in events]
    logins = {login for names in named for login in names.logins}
    orgs = {names.organisation for names in named if names.organisation is not None}
    found = dict(_pairs(cursor, "ingest/find_orgs", sorted(orgs)))
    cursor.execute(query("ingest/find_repos"), {"names": sorted({names.repository for names in named})})
    repos = {(name, org_id): identity for name, org_id, identity in cursor.fetchall()}
    names = Names(dict(_pairs(cursor, "ingest/find_actors", sorted(logins))), found, repos)
    for event in events:
        share.take(pack(old_rows_of(event, names)))
    share.forget_old()


def _pairs(cursor: Cursor, name: str, names: list[str]) -> Iterable[tuple[str, int]]:
    cursor.execute(query(name), {"names": names})
    return cursor.fetchall()


def _changes(cursor: Cursor, share: Share) -> tuple[dict[int, int | None], dict[int, int]]:
    """Return, by number, events that are there already (None) and those that need another id; the latter by id too."""
    known = _known(cursor, sorted(_asked(share)))
    others = {
        event: surrogate(share.contested.get(event, event), share.digests[event])
        for event in share.digests
        if event in known or event in share.contested
    }
    held = _known(cursor, sorted(others.values())) if others else {}
    changes: dict[int, int | None] = {}
    for event, digest in share.digests.items():
        if any(known.get(name) == digest for name in _names_of(share, event)) or others.get(event) in held:
            changes[share.numbers[event]] = None
        elif event in known:
            changes[share.numbers[event]] = others[event]
    return changes, {event: other for event, other in others.items() if changes.get(share.numbers[event]) == other}


def _asked(share: Share) -> set[int]:
    return {name for event in share.digests for name in _names_of(share, event)}


def _names_of(share: Share, event: int) -> tuple[int, ...]:
    """Return all ids that an event may have: a database that DevStats filled has restarted ones as they were."""
    own = share.contested.get(event, event)
    return (own, own - RESTARTED) if own >= RESTARTED else (own,)


def _known(cursor: Cursor, events: list[int]) -> dict[int, int]:
    """Return which of these ids stand for an event already, and what tells that one from others."""
    cursor.execute(query("ingest/find_events"), {"events": f"{{{','.join(map(str, events))}}}"})
    return {
        event: meaning(kind, repository, created_at) if digest is None else digest
        for event, kind, repository, created_at, digest in cursor.fetchall()
    }


def _note_origins(cursor: Cursor, share: Share, collisions: dict[int, int]) -> None:
    """Note where events come from that got another id just now; others brought their note along."""
    noted = [
        Origin(other, event, share.digests[event]) for event, other in collisions.items() if 0 <= event < RESTARTED
    ]
    if noted:
        _merge_rows(cursor, TABLES[Origin], noted)


def _merge(cursor: Cursor, share: Share) -> list[tuple[Any, ...]]:
    """Merge what events share; returns the accounts that the database did not have."""
    merged = {
        kind: _merge_rows(cursor, table, share.shared[table].values())
        for kind, table in TABLES.items()
        if table in share.shared
    }
    return merged.get(Actor, [])


def _merge_rows(cursor: Cursor, table: Table, rows: Iterable[Row]) -> list[tuple[Any, ...]]:
    statement = composed(
        "ingest/merge_shared",
        table=sql.Identifier(table.name),
        columns=_names(table.columns),
        key=_names(table.key),
    )
    named = [dict(zip(table.columns, row, strict=True)) for row in rows]
    cursor.execute(statement, {"rows": orjson.dumps(named).decode()})
    return cursor.fetchall()


def _names(names: Iterable[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _settle(cursor: Cursor, share: Share, changes: dict[int, int | None], newcomers: list[str]) -> None:
    """Derive what takes rows of several hours; whoever comes second sees what the first one stored."""
    lock_for_transaction(cursor, "settle")
    if share.issues:
        touched = [{"repo_id": repo_id, "number": number} for repo_id, number in sorted(share.issues)]
        cursor.execute(query("ingest/pair_issues"), {"touched": orjson.dumps(touched).decode()})
    labelled = [changes.get(share.numbers[event], event) for event in sorted(share.labelled)]
    if any(labelled):
        cursor.execute(query("ingest/label_events"), {"events": [event for event in labelled if event is not None]})
    names = share.names.union(newcomers)
    if names:
        cursor.execute(query("ingest/resolve_roles"), {"names": sorted(names)})
