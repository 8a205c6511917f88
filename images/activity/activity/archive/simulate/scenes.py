"""Where simulated events happen, how many at each hour, and which pull requests are opened and merged."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from math import cos, pi
from random import Random

from activity.archive.simulate.events import Json, draw_types, make_event, share_of, timestamp
from activity.archive.simulate.payloads import Pull, account, make_payload, object_id, pull_payload
from activity.hour import Hour

MERGED_AFTER_HOURS = (1, 5, 22, 70)
# The share of pull requests that are merged after each of these delays.
MERGED_SHARE = 0.17
PEOPLE = ("amber", "birch", "cedar", "delta", "ember", "flint", "grove", "heron", "iris", "juniper", "kestrel", "lark")
# The number of events at weekends and at night, as a share of that on a workday at noon.
WEEKEND_SHARE = 0.45
NIGHT_SHARE = 0.25


@dataclass(frozen=True)
class Scene:
    """Repositories where simulated events happen, and how many happen in the busiest hour of a workday."""

    name: str
    repositories: tuple[str, ...]
    events_at_noon: float

    def random(self, hour: Hour, purpose: str) -> Random:
        """Return the random stream of an hour for one purpose: the same each time."""
        return Random("|".join((self.name, *self.repositories, str(hour), purpose)))


def events_of(scene: Scene, hour: Hour) -> Iterator[Json]:
    """Yield the events of an hour in a scene, in no order."""
    random = scene.random(hour, "events")
    number = 0
    for event_type in draw_types(random, _event_count(scene, hour)):
        # Pull requests have a history of their own, below.
        if event_type == "PullRequestEvent":
            continue
        payload = make_payload(event_type, hour, random, _draw_person(scene, random))
        yield _event(scene, hour, random, number, event_type, payload, random.choice(scene.repositories))
        number += 1
    pulls = [(pull, None) for pull in _opened(scene, hour)] + [(pull, hour) for pull in _merged(scene, hour)]
    for pull, merged in pulls:
        yield _event(scene, hour, random, number, "PullRequestEvent", pull_payload(pull, merged), pull.repository)
        number += 1


def _event_count(scene: Scene, hour: Hour) -> int:
    """Return the number of events of an hour: most in the early afternoon, fewest at night, fewer at weekends."""
    daylight = 0.5 - 0.5 * cos(2 * pi * (hour.start.hour - 2) / 24)
    daily = NIGHT_SHARE + (1 - NIGHT_SHARE) * daylight
    weekly = WEEKEND_SHARE if hour.start.weekday() >= 5 else 1.0
    return round(scene.events_at_noon * daily * weekly * scene.random(hour, "size").uniform(0.7, 1.3))


def _event(
    scene: Scene, hour: Hour, random: Random, number: int, event_type: str, payload: Json, repository: str
) -> Json:
    return make_event(
        object_id(scene.name, str(hour), str(number)),
        event_type,
        account(_draw_person(scene, random)),
        (object_id(repository), repository),
        payload,
        timestamp(hour.start + timedelta(seconds=random.randrange(3600))),
        account(repository.partition("/")[0]),
    )


@lru_cache(maxsize=4096)
def _opened(scene: Scene, hour: Hour) -> tuple[Pull, ...]:
    random = scene.random(hour, "pull requests")
    share = share_of("PullRequestEvent")
    count = sum(random.random() < share for _ in range(_event_count(scene, hour)))
    hours_since_1970 = int(hour.start.timestamp() // 3600)
    return tuple(
        Pull(random.choice(scene.repositories), hours_since_1970 * 100 + number, _draw_person(scene, random), hour)
        for number in range(count)
    )


def _merged(scene: Scene, hour: Hour) -> Iterator[Pull]:
    for number, hours in enumerate(MERGED_AFTER_HOURS):
        for pull in _opened(scene, hour.shift(-hours)):
            # One draw decides after which of the delays, if any, a pull request is merged.
            draw = scene.random(pull.opened, f"merge {pull.number}").random()
            if number * MERGED_SHARE <= draw < (number + 1) * MERGED_SHARE:
                yield pull


def _draw_person(scene: Scene, random: Random) -> str:
    """Return a login; few people do most of the work."""
    rank = min(int(random.paretovariate(0.9)), 60)
    return f"{PEOPLE[rank % len(PEOPLE)]}-{scene.name}-{rank}"
