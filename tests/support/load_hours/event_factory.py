"""The parts that payloads of load hours are made of."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from activity.archive.simulate.events import API, Json

from tests.support.load_hours.github_objects import WEB, person, repository
from tests.support.load_hours.population import Population, Repository


class Shape(StrEnum):
    """What events contain: everything (fat), or since 2025-10-07 little of pushes and pull requests (slim)."""

    FAT = "fat"
    SLIM = "slim"


@dataclass(frozen=True)
class EventFactory:
    """Draws the parts of one event: at one time, at one repository."""

    shape: Shape
    random: Random
    population: Population
    repository: Repository
    at: str

    @property
    def api(self) -> str:
        """The URL of the repository in the API."""
        return f"{API}/repos/{self.repository.name}"

    @property
    def web(self) -> str:
        """The URL of the repository on the web."""
        return f"{WEB}/{self.repository.name}"

    def number(self, below: int = 9000) -> int:
        """Draw a number from 1."""
        return self.random.randrange(1, below)

    def object_id(self) -> int:
        """Draw an id such as GitHub assigns."""
        return self.random.randrange(1_000_000_000, 3_000_000_000)

    def person(self) -> Json:
        """Draw a person with all fields."""
        return person(*self.population.person())

    def full_repository(self) -> Json:
        """Return the repository with all fields."""
        login = self.repository.name.partition("/")[0]
        owner = person(login, self.repository.id // 2)
        return repository(self.repository.name, self.repository.id, owner, self.at, self.population.words(8))
