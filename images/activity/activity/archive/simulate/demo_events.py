"""What happens in simulated hours: where, how much of it at which hour, and which pull requests come and go."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from math import cos, pi
from random import Random

from activity.archive.simulate.demo_payloads import Json, Pull, account, identity, payload, pull_payload
from activity.hour import Hour

# Roughly the mix of the real archive, per thousand.
MIX = (
    ("PushEvent", 480),
    ("IssueCommentEvent", 130),
    ("WatchEvent", 110),
    ("CreateEvent", 80),
    ("PullRequestEvent", 70),
    ("IssuesEvent", 50),
    ("ForkEvent", 35),
    ("PullRequestReviewEvent", 20),
    ("DeleteEvent", 15),
    ("ReleaseEvent", 10),
)
MERGED_AFTER_HOURS = (1, 5, 22, 70)
MERGED_OF_FOUR = 0.17
PEOPLE = ("amber", "birch", "cedar", "delta", "ember", "flint", "grove", "heron", "iris", "juniper", "kestrel", "lark")
WEEKEND = 0.45
QUIET = 0.25


@dataclass(frozen=True)
class Scene:
    """Where simulated events happen: the repositories of a project, or the noise around all projects."""

    name: str
    repositories: tuple[str, ...]
    at_noon: float

    def random(self, hour: Hour, purpose: str) -> Random:
        """Return the random stream of an hour for one purpose, the same each time."""
        return Random("|".join((self.name, *self.repositories, str(hour), purpose)))


def events_of(scene: Scene, hour: Hour) -> Iterator[Json]:
    """Yield the events of an hour at one place, in no order."""
    random = scene.random(hour, "events")
    kinds, weights = zip(*MIX, strict=True)
    others = [kind for kind in random.choices(kinds, weights, k=_count(scene, hour)) if kind != "PullRequestEvent"]
    for number, kind in enumerate(others):
        yield _event(scene, hour, random, number, kind, payload(kind, hour, random, _person(scene, random)))
    number = len(others)
    for opened in _opened(scene, hour):
        yield _event(scene, hour, random, number, "PullRequestEvent", pull_payload(opened, None), opened.repository)
        number += 1
    for merged in _merged(scene, hour):
        yield _event(scene, hour, random, number, "PullRequestEvent", pull_payload(merged, hour), merged.repository)
        number += 1


def _count(scene: Scene, hour: Hour) -> int:
    """Return how many events an hour has: most in the early afternoon, fewest at night, fewer at weekends."""
    daily = QUIET + (1 - QUIET) * (0.5 - 0.5 * cos(2 * pi * (hour.start.hour - 2) / 24))
    weekly = WEEKEND if hour.start.weekday() >= 5 else 1.0
    return round(scene.at_noon * daily * weekly * scene.random(hour, "size").uniform(0.7, 1.3))


def _event(
    scene: Scene, hour: Hour, random: Random, number: int, kind: str, payload: Json, repository: str | None = None
) -> Json:
    repository = repository or random.choice(scene.repositories)
    login = _person(scene, random)
    organisation = repository.partition("/")[0]
    moment = hour.start + timedelta(seconds=random.randrange(3600))
    return {
        "id": str(identity(scene.name, str(hour), str(number))),
        "type": kind,
        "actor": account(login),
        "repo": {"id": identity(repository), "name": repository, "url": f"https://api.github.com/repos/{repository}"},
        "payload": payload,
        "public": True,
        "created_at": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "org": account(organisation),
    }


@lru_cache(maxsize=4096)
def _opened(scene: Scene, hour: Hour) -> tuple[Pull, ...]:
    random = scene.random(hour, "pull requests")
    share = dict(MIX)["PullRequestEvent"] / sum(weight for _, weight in MIX)
    count = sum(random.random() < share for _ in range(_count(scene, hour)))
    since = int(hour.start.timestamp() // 3600)
    return tuple(
        Pull(random.choice(scene.repositories), since * 100 + number, _person(scene, random), hour)
        for number in range(count)
    )


def _merged(scene: Scene, hour: Hour) -> Iterator[Pull]:
    for number, hours in enumerate(MERGED_AFTER_HOURS):
        for pull in _opened(scene, hour.shift(-hours)):
            # One draw decides after which of the delays, if any, this one is merged.
            draw = scene.random(pull.opened, f"merge {pull.number}").random()
            if number * MERGED_OF_FOUR <= draw < (number + 1) * MERGED_OF_FOUR:
                yield pull


def _person(scene: Scene, random: Random) -> str:
    """Return a login; few people do most of the work."""
    place = min(int(random.paretovariate(0.9)), 60)
    return f"{PEOPLE[place % len(PEOPLE)]}-{scene.name}-{place}"
