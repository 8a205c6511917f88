"""Load hours: hours of any size in the shapes that the archive has had, for benchmarks and tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

import orjson
from activity.archive.simulate.events import Json, draw_types, make_event, timestamp
from activity.archive.simulate.hour_files import write_whole
from activity.hour import Hour

from tests.support.load_hours.damage import NO_DAMAGE, Damage, compressed, damaged
from tests.support.load_hours.event_factory import EventFactory, Shape
from tests.support.load_hours.github_objects import actor, organisation
from tests.support.load_hours.payloads import PAYLOADS
from tests.support.load_hours.population import Population

# Before the restart of 2025-10-08 ids had eleven digits, since then they have ten again.
FIRST_ID = {Shape.FAT: 21_150_000_000, Shape.SLIM: 5_629_000_000}
# Of a hundred repositories so many belong to a person, not to an organisation.
OWNED_BY_PEOPLE = 56


@dataclass(frozen=True)
class Volume:
    """An hour to make: its shape, number of events and seed; a share `hits` of them is at the repositories `names`."""

    shape: Shape
    events: int
    seed: int = 0
    names: tuple[str, ...] = ()
    hits: float = 0.01


def write_volume(path: Path, volume: Volume, hour: Hour, damage: Damage = NO_DAMAGE) -> int:
    """Write an hour as the archive would; returns its number of events."""
    lines = damaged(lines_of(volume, hour), damage, Random(f"{volume}|{hour}|damage"))
    write_whole(path, compressed(lines, damage))
    return volume.events


def lines_of(volume: Volume, hour: Hour) -> Iterator[bytes]:
    """Yield the lines of an hour, sorted by time: the same for the same volume and hour."""
    random = Random(f"{volume}|{hour}")
    population = Population(random, volume.names, volume.hits)
    first = FIRST_ID[volume.shape] + int(hour.start.timestamp() // 3600 % 500_000) * 5_000_000 // 100
    for number, event_type in enumerate(draw_types(random, volume.events)):
        at = timestamp(hour.start + timedelta(seconds=number * 3600 // max(volume.events, 1)))
        event = _event(volume.shape, random, population, first + number * 5, event_type, at)
        yield orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


def _event(shape: Shape, random: Random, population: Population, event_id: int, event_type: str, at: str) -> Json:
    repository = population.repository()
    person = actor(*population.person())
    owner = None
    if repository.id % 100 >= OWNED_BY_PEOPLE:
        owner = organisation(repository.name.partition("/")[0], repository.id // 2)
    payload = PAYLOADS[event_type](EventFactory(shape, random, population, repository, at))
    return make_event(event_id, event_type, person, (repository.id, repository.name), payload, at, owner)
