"""What a made event is drawn from: the shape of the archive at its time, chance, who is there, where and when."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from activity.archive.simulate.actors import Crowd, Repository
from activity.archive.simulate.github_objects import API, WEB, Json, person, repository


class Shape(StrEnum):
    """How much GitHub tells in an event: everything, or since 2025-10-07 little of pushes and pull requests."""

    FAT = "fat"
    SLIM = "slim"


@dataclass(frozen=True)
class Maker:
    """Makes the payloads of an hour at one moment and place."""

    shape: Shape
    random: Random
    crowd: Crowd
    place: Repository
    at: str

    @property
    def api(self) -> str:
        """Where the repository is in the API."""
        return f"{API}/repos/{self.place.name}"

    @property
    def web(self) -> str:
        """Where the repository is for people."""
        return f"{WEB}/{self.place.name}"

    def number(self, below: int = 9000) -> int:
        """Return a number from 1."""
        return self.random.randrange(1, below)

    def identity(self) -> int:
        """Return an id that GitHub could have given."""
        return self.random.randrange(1_000_000_000, 3_000_000_000)

    def someone(self) -> Json:
        """Return a person with all fields."""
        return person(*self.crowd.person())

    def home(self) -> Json:
        """Return the repository with all fields."""
        login = self.place.name.partition("/")[0]
        owner = person(login, self.place.id // 2)
        return repository(self.place.name, self.place.id, owner, self.at, self.crowd.words(8))
