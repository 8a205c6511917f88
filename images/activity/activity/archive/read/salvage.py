"""Salvaging events from a line that is not one event: several events without a newline, cut events, other bytes."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson

Json = dict[str, Any]

# Bytes between events that carry no content.
FILLER = b" \t\r\n\x00,"
# Where an event may begin: with its id since 2015, or with any top-level key of events before 2015.
CANDIDATE = re.compile(
    rb'\{\s*+"(?:id|type|actor|repo|repository|actor_attributes|payload|created_at|public|org|url)"\s*+:'
)
# A line with more false beginnings than this is not worth the quadratic time.
MOST_ATTEMPTS = 1000


@dataclass(frozen=True, slots=True)
class SalvagedEvent:
    """An event, the bytes it was read from, and their position in the line."""

    start: int
    data: bytes
    event: Json


@dataclass(frozen=True, slots=True)
class Fragment:
    """Bytes of a line that are not an event, and their position in the line."""

    start: int
    data: bytes


def salvage_events(data: bytes) -> Iterator[SalvagedEvent | Fragment]:
    """Yield the events in a line that is not one JSON object, and the fragments between them, in order."""
    # Latin-1 has one character for each byte: positions in the text are positions in the line.
    text = data.decode("latin-1")
    place = unread = attempts = 0
    while attempts < MOST_ATTEMPTS and (candidate := CANDIDATE.search(data, place)):
        start = candidate.start()
        try:
            value, end = DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            attempts += 1
            place = start + 1
            continue
        event = _event(data[start:end]) if _is_event(value) else None
        if event is not None:
            yield from _fragment(data, unread, start)
            yield SalvagedEvent(start, data[start:end], event)
            unread = end
        place = end
    yield from _fragment(data, unread, len(data))


def _fragment(data: bytes, start: int, end: int) -> Iterator[Fragment]:
    without_end = data[start:end].rstrip(FILLER)
    content = without_end.lstrip(FILLER)
    if content:
        yield Fragment(start + len(without_end) - len(content), content)


def _is_event(value: Any) -> bool:
    """Tell an event from an object inside an event."""
    return isinstance(value, dict) and str(value.get("type")).endswith("Event") and "created_at" in value


def _event(data: bytes) -> Json | None:
    """Parse an event; bytes that are not UTF-8 become replacement characters, control characters stay."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            value = DECODER.decode(data.decode(errors="replace"))
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not valid JSON")


DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse)
