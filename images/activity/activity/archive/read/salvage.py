"""Taking apart a line that is no event: events that run into each other, cut ones, bytes that mean nothing."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson

Json = dict[str, Any]

# What may stand between events without anything being lost.
NOTHING = b" \t\r\n\x00,"
# Where an event can begin: with its id, as since 2015, or with any key that events before 2015 have at their top.
CANDIDATE = re.compile(
    rb'\{\s*+"(?:id|type|actor|repo|repository|actor_attributes|payload|created_at|public|org|url)"\s*+:'
)
TRIES = 1000


@dataclass(frozen=True, slots=True)
class Piece:
    """An event and the bytes it was read from, so many bytes into its line."""

    start: int
    data: bytes
    event: Json


@dataclass(frozen=True, slots=True)
class Scrap:
    """Bytes of a line that are no event."""

    start: int
    data: bytes


def take_apart(data: bytes) -> Iterator[Piece | Scrap]:
    """Yield the events in a line that is not one JSON object, and what is left between them, in their order."""
    # One character for each byte: places in the text are places in the line.
    text = data.decode("latin-1")
    place = lost = tries = 0
    while tries < TRIES and (candidate := CANDIDATE.search(data, place)):
        start = candidate.start()
        try:
            value, end = DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            tries += 1
            place = start + 1
            continue
        event = _event(data[start:end]) if _is_event(value) else None
        if event is not None:
            yield from _scrap(data, lost, start)
            yield Piece(start, data[start:end], event)
            lost = end
        place = end
    yield from _scrap(data, lost, len(data))


def _scrap(data: bytes, start: int, end: int) -> Iterator[Scrap]:
    rest = data[start:end].rstrip(NOTHING)
    left = rest.lstrip(NOTHING)
    if left:
        yield Scrap(start + len(rest) - len(left), left)


def _is_event(value: Any) -> bool:
    """Tell an event from an object inside of one."""
    return isinstance(value, dict) and str(value.get("type")).endswith("Event") and "created_at" in value


def _event(data: bytes) -> Json | None:
    """Read an event; bytes that are not UTF-8 become replacement characters, control characters stay."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            value = DECODER.decode(data.decode(errors="replace"))
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse)
