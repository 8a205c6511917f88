"""Advisory locks: Postgres releases them automatically when their holder is gone."""

from collections.abc import Iterable
from hashlib import blake2b

from psycopg2.extensions import cursor as Cursor

from activity.database.queries import query


def lock_for_transaction(cursor: Cursor, *words: str) -> None:
    """Hold a lock until the transaction ends; waits while another session holds it."""
    cursor.execute(query("locks/lock_for_transaction"), {"key": _key(words)})


def lock_for_connection(cursor: Cursor, *words: str) -> None:
    """Hold a lock until the connection closes; waits while another session holds it."""
    cursor.execute(query("locks/lock_for_connection"), {"key": _key(words)})


def try_shared_locks(cursor: Cursor, names: Iterable[tuple[str, ...]]) -> frozenset[tuple[str, ...]]:
    """Share locks with others until they are given back or the connection closes; returns the free ones."""
    keys = {_key(words): words for words in names}
    cursor.execute(query("locks/try_shared_locks"), {"keys": list(keys)})
    return frozenset(keys[row[0]] for row in cursor.fetchall())


def unlock_shared(cursor: Cursor, names: Iterable[tuple[str, ...]]) -> None:
    """Give shared locks back."""
    cursor.execute(query("locks/unlock_shared"), {"keys": [_key(words) for words in names]})


def try_lock_for_connection(cursor: Cursor, *words: str) -> bool:
    """Hold a lock until the connection closes, or return False at once if another session holds it."""
    cursor.execute(query("locks/try_lock_for_connection"), {"key": _key(words)})
    row = cursor.fetchone()
    return row is not None and bool(row[0])


def _key(words: tuple[str, ...]) -> int:
    digest = blake2b("\n".join(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
