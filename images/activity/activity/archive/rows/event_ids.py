"""The id that an event is stored under: GitHub's own, or one of ours where GitHub has none or uses one twice.

Our ids depend on the event alone, so that reading hours again, in any order, gives the same ones:
- An event before 2015 has no id; as in DevStats, a negative hash of its type, actor, repository and time is its id.
- GitHub restarted its ids on 8 October 2025, and they collide with those of 2016 to 2020. Events since then are
  stored as RESTARTED + id, above all older events: queries rely on newer events having larger ids.
- Of two other events with the same id, the one read later gets an id above COLLIDED, made of a hash.

All of these ids are below 2**48, where the artificial events of DevStats begin.
"""

from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson

RESTARTED = 10**14
COLLIDED = 2 * 10**14
DEVSTATS_OWN = 1 << 48
# On that day old and new ids differ in size: the old ones had reached 55 thousand million.
RESTART_DAY = datetime(2025, 10, 8)
RESTART_DONE = datetime(2025, 10, 9)
BETWEEN_OLD_AND_NEW = 3 * 10**10
# Constants of FNV-1a, 64 bits.
FNV_OFFSET = 0xCBF29CE484222325
FNV_PRIME = 0x100000001B3
RANGE_64_BITS = 1 << 64


def devstats_hash(*words: str) -> int:
    """Return the id that DevStats gives to anything without one: a 64-bit FNV-1a hash of the words, never positive."""
    value = FNV_OFFSET
    for byte in "".join(words).encode():
        value = (value ^ byte) * FNV_PRIME % RANGE_64_BITS
    signed = value - RANGE_64_BITS if value >> 63 else value
    if signed == -(RANGE_64_BITS >> 1):
        return devstats_hash(*words, "a")
    return -abs(signed)


def is_restarted(event_id: int, created_at: datetime) -> bool:
    """Tell whether an id was assigned after GitHub's restart; ids above all of GitHub's are artificial."""
    if created_at >= RESTART_DONE:
        return 0 <= event_id < RESTARTED
    return created_at >= RESTART_DAY and 0 <= event_id < BETWEEN_OLD_AND_NEW


def stored_id(event_id: int, created_at: datetime) -> int:
    """Return the id that an event with an id of GitHub is stored under."""
    return RESTARTED + event_id if is_restarted(event_id, created_at) else event_id


def id_before_2015(kind: str, login: str, repository: str, created_at: datetime) -> int:
    """Return the id that DevStats gives to an event before 2015."""
    return devstats_hash(kind, login, repository, f"{created_at:%Y-%m-%d %H:%M:%S}")


def surrogate_id(event_id: int, digest: int) -> int:
    """Return the id of an event whose own id belongs to another event; an event before 2015 stays below zero."""
    if event_id < 0:
        return devstats_hash(str(event_id), str(digest))
    return COLLIDED + _digest(f"{event_id} {digest}".encode()) % (DEVSTATS_OWN - COLLIDED)


def event_digest(kind: str, repository: str, created_at: datetime) -> int:
    """Return 63 bits that tell two events of the same id apart: type, repository and time, as DevStats compares."""
    return _digest(f"{kind} {repository} {created_at}".encode())


def content_digest(event: dict[str, Any]) -> int:
    """Return 63 bits that tell an event without id from any other, however its JSON is formatted."""
    return _digest(orjson.dumps(event, option=orjson.OPT_SORT_KEYS))


def _digest(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "big") >> 1
