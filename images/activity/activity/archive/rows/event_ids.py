"""Under which id an event is stored: GitHub's own, or one of ours where GitHub has none or gives one twice.

Ids of ours are made of the event alone, so that every reading gives the same ones, in any order of hours:
- An event of before 2015 has no id; DevStats's is a negative hash of what it is, which is taken over.
- GitHub began to count anew on 8 October 2025, and its ids meet those of 2016 to 2020. All events since then are
  stored above all events before them: RESTARTED + id. So a newer event keeps having the larger id, as SQL expects.
- Two events of one id that remain are told apart by a hash: the later one read gets an id above COLLIDED.

All of them lie below 2**48, where DevStats's own made-up events begin.
"""

from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson

RESTARTED = 10**14
COLLIDED = 2 * 10**14
DEVSTATS_OWN = 1 << 48
# On the day itself old and new ids are told apart by their size: the old ones had reached 55 thousand million.
RESTART_DAY = datetime(2025, 10, 8)
RESTART_DONE = datetime(2025, 10, 9)
BETWEEN_OLD_AND_NEW = 3 * 10**10
FNV_OFFSET = 0xCBF29CE484222325
FNV_PRIME = 0x100000001B3
WRAP = 1 << 64


def hash_words(*words: str) -> int:
    """Return the id that DevStats gives to what has none: FNV-1a over the words, 64 bits, never positive."""
    value = FNV_OFFSET
    for byte in "".join(words).encode():
        value = (value ^ byte) * FNV_PRIME % WRAP
    signed = value - WRAP if value >> 63 else value
    if signed == -(WRAP >> 1):
        return hash_words(*words, "a")
    return -abs(signed)


def is_restarted(identity: int, created_at: datetime) -> bool:
    """Tell whether an event is one that GitHub counted anew; numbers beyond all of GitHub's are made up."""
    if created_at >= RESTART_DONE:
        return 0 <= identity < RESTARTED
    return created_at >= RESTART_DAY and 0 <= identity < BETWEEN_OLD_AND_NEW


def stored_id(identity: int, created_at: datetime) -> int:
    """Return the id that an event of GitHub's is stored under."""
    return RESTARTED + identity if is_restarted(identity, created_at) else identity


def old_id(kind: str, login: str, repository: str, created_at: datetime) -> int:
    """Return the id that DevStats gives to an event of before 2015."""
    return hash_words(kind, login, repository, f"{created_at:%Y-%m-%d %H:%M:%S}")


def surrogate(identity: int, digest: int) -> int:
    """Return the id of an event whose own stands for another event; one without id stays below zero."""
    if identity < 0:
        return hash_words(str(identity), str(digest))
    return COLLIDED + _digest(f"{identity} {digest}".encode()) % (DEVSTATS_OWN - COLLIDED)


def meaning(kind: str, repository: str, created_at: datetime) -> int:
    """Return what tells two events of one id apart, in 63 bits: type, repository and time, as DevStats compares."""
    return _digest(f"{kind} {repository} {created_at}".encode())


def digest_of(event: dict[str, Any]) -> int:
    """Return 63 bits that tell an event without id from every other, however its line is written."""
    return _digest(orjson.dumps(event, option=orjson.OPT_SORT_KEYS))


def _digest(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "big") >> 1
