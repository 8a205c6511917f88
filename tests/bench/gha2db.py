"""The same rows the way DevStats's gha2db stores them: each line read as JSON, each row a statement of its own.

As there, an event begins with statements that commit by themselves (is it known, gha_events, gha_repos, gha_orgs,
gha_payloads), and the rest goes into one transaction, row by row and everyone anew at each mention; each statement
goes to the server and back twice, once to be prepared and once to be run, as with lib/pq. Looking up a trailer takes
up to four queries. Here it is kinder than the original: lines are parsed by orjson, which is quicker than what
gha2db uses, tables have our few indexes, and what its scripts derive afterwards is left out.
"""

import gzip
from collections.abc import Iterable
from typing import Any

import orjson
from activity.archive.rows.issues import Label
from activity.archive.rows.pushes import CommitRole, MissingCommits
from activity.archive.rows.records import Actor, Event, Org, Origin, Payload, Repo
from activity.archive.rows.since_2015 import rows_since_2015
from activity.archive.rows.tables import TABLES
from activity.archive.rows.texts import Text

ALONE = (Event, Repo, Org, Payload)
NOT_GHA2DB = (Text, MissingCommits, Origin)
LOOKUPS = (
    "select a.id, a.login from gha_actors a, gha_actors_emails e where a.id = e.actor_id and e.email = %s",
    "select a.id, a.login from gha_actors a, gha_actors_names n where a.id = n.actor_id and n.name = %s",
    "select id, login from gha_actors where name = %s order by id desc limit 1",
    "select id, login from gha_actors where login = %s order by id desc limit 1",
)


def load(path: str, names: Iterable[str], connection: Any) -> int:
    """Load the events of these organisations and repositories; returns how many there were."""
    followed, stored = frozenset(names), 0
    connection.autocommit = True
    with gzip.open(path) as file, connection.cursor() as cursor:
        for line in file.read().split(b"\n"):
            event = orjson.loads(line) if line else None
            name = event["repo"]["name"] if event else ""
            if event and (name in followed or name.partition("/")[0] in followed):
                _store(cursor, event)
                stored += 1
    return stored


def _store(cursor: Any, event: dict[str, Any]) -> None:
    rows = rows_since_2015(event)
    _twice(cursor, "select type, dup_repo_name, created_at from gha_events where id = %s", (rows[0][0],))
    for row in rows:
        if isinstance(row, ALONE):
            _insert(cursor, row)
    cursor.execute("begin")
    for row in rows:
        if isinstance(row, CommitRole):
            for lookup, value in zip(LOOKUPS, (row.actor_email, *[row.actor_name] * 3), strict=True):
                _twice(cursor, lookup, (value,))
        if not isinstance(row, (*ALONE, *NOT_GHA2DB)):
            _insert(cursor, row)
    cursor.execute("commit")


def _insert(cursor: Any, row: tuple[Any, ...]) -> None:
    table = TABLES[type(row)]
    marks = ", ".join(["%s"] * len(row))
    shared = isinstance(row, Actor | Label | Org | Repo)
    text = f"insert into {table.name} ({', '.join(table.columns)}) values ({marks})"
    _twice(cursor, text + (" on conflict do nothing" if shared or table.key != ("id",) else ""), row)


def _twice(cursor: Any, text: str, values: tuple[Any, ...]) -> None:
    """Have a statement prepared, then run: two messages to the server, two answers."""
    numbered = text
    for number in range(1, len(values) + 1):
        numbered = numbered.replace("%s", f"${number}", 1)
    cursor.execute(f"deallocate all; prepare once as {numbered}")
    marks = ", ".join(["%s"] * len(values))
    cursor.execute(f"execute once ({marks})", values)
