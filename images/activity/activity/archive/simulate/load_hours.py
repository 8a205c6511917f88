"""Hours of any size in the shapes that the archive has had: for tests of load and for benchmarks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import NamedTemporaryFile

import orjson

from activity.archive.simulate.actors import Crowd
from activity.archive.simulate.damage import Damage, compressed, spoiled
from activity.archive.simulate.event_factory import Maker, Shape
from activity.archive.simulate.github_objects import API, Json, actor, organisation
from activity.archive.simulate.load_payloads import MIX, PAYLOADS
from activity.hour import Hour

# Before the restart of 2025-10-08 ids had eleven digits, since then they have ten again.
FIRST_ID = {Shape.FAT: 21_150_000_000, Shape.SLIM: 5_629_000_000}
OWNED_BY_PEOPLE = 0.55


@dataclass(frozen=True)
class Volume:
    """How an hour is made: its shape, number of events, seed, and which share of them is at which repositories."""

    shape: Shape
    events: int
    seed: int = 0
    names: tuple[str, ...] = ()
    hits: float = 0.01


def write_volume(path: Path, volume: Volume, hour: Hour, damages: frozenset[Damage] = frozenset()) -> int:
    """Write an hour as the archive would, in one step that leaves no half file; returns its number of events."""
    lines = spoiled(lines_of(volume, hour), damages, Random(f"{volume}|{hour}|damage"))
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.writelines(compressed(lines, damages))
    made = Path(file.name)
    made.chmod(0o644)
    made.replace(path)
    return volume.events


def lines_of(volume: Volume, hour: Hour) -> Iterator[bytes]:
    """Yield the lines of an hour, ordered by time; the same for the same volume and hour."""
    random = Random(f"{volume}|{hour}")
    crowd = Crowd(random, volume.names, volume.hits)
    kinds = random.choices(list(MIX), list(MIX.values()), k=volume.events)
    first = FIRST_ID[volume.shape] + int(hour.start.timestamp() // 3600 % 500_000) * 5_000_000 // 100
    for number, kind in enumerate(kinds):
        moment = hour.start + timedelta(seconds=number * 3600 // max(volume.events, 1))
        event = _event(volume.shape, random, crowd, first + number * 5, kind, f"{moment:%Y-%m-%dT%H:%M:%SZ}")
        yield orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


def _event(shape: Shape, random: Random, crowd: Crowd, identity: int, kind: str, at: str) -> Json:
    place = crowd.repository()
    event = {
        "id": str(identity),
        "type": kind,
        "actor": actor(*crowd.person()),
        "repo": {"id": place.id, "name": place.name, "url": f"{API}/repos/{place.name}"},
        "payload": PAYLOADS[kind](Maker(shape, random, crowd, place, at)),
        "public": True,
        "created_at": at,
    }
    if place.id % 100 >= OWNED_BY_PEOPLE * 100:
        event["org"] = organisation(place.name.partition("/")[0], place.id // 2)
    return event
