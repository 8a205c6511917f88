"""Exclusion by advisory locks: Postgres frees them by itself when their holder is gone."""

from hashlib import blake2b

from psycopg2.extensions import cursor as Cursor

from activity.database.queries import query


def lock(cursor: Cursor, *words: str) -> None:
    """Hold a lock until the transaction ends; waits for whoever holds it."""
    cursor.execute(query("locks/lock_for_transaction"), {"key": _key(words)})


def lock_connection(cursor: Cursor, *words: str) -> None:
    """Hold a lock until the connection closes; waits for whoever holds it."""
    cursor.execute(query("locks/lock_for_connection"), {"key": _key(words)})


def _key(words: tuple[str, ...]) -> int:
    digest = blake2b("\n".join(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
