"""projects.yaml -> Projects: which repositories belong together, and how they are run."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from swarm.errors import EnvironmentInvalid, UnknownName
from swarm.settings import validation
from swarm.settings.patterns import Excluded, Expression, Organisation, Plain, Repository
from swarm.settings.validation import Strict
from swarm.settings.yaml_lines import Location

NAME = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
RESERVED_DATABASES = ("postgres", "template0", "template1", "devstats")

INDEPENDENT = "Independent"

Database = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]


class Resources(Strict):
    """What one task of the project's sync may use."""

    memory: Annotated[str, StringConstraints(pattern=r"^[0-9]+[KMG]$")] = "192M"
    cpus: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?$")] = "0.50"


class Renamed(Strict):
    """What an organisation or a repository was called, and on which days: both ends included, open without them."""

    was: Plain
    now: Plain
    since: date | None = None
    until: date | None = None

    @model_validator(mode="after")
    def _is_a_rename(self) -> "Renamed":
        if ("/" in self.was) != ("/" in self.now):
            raise ValueError(f"{self.was!r} and {self.now!r}: one is an organisation, the other a repository")
        if self.since and self.until and self.since > self.until:
            raise ValueError(f"since {self.since} is after until {self.until}")
        return self

    def route(self) -> dict[str, str]:
        """The rename as the service reads it."""
        days = {"since": self.since, "until": self.until}
        return {"was": self.was, "now": self.now, **{key: day.isoformat() for key, day in days.items() if day}}


class Actors(Strict):
    """Whose events count: regular expressions on logins; without `allow` everybody, and `forbid` wins."""

    allow: tuple[Expression, ...] = ()
    forbid: tuple[Expression, ...] = ()


class ProjectFile(Strict):
    """The keys of one project in projects.yaml."""

    display_name: str | None = None
    foundation: str = INDEPENDENT
    whole_foundation: bool = False
    organisations: list[Organisation] = []
    repositories: list[Repository] = []
    exclude: list[Excluded] = []
    renamed: list[Renamed] = []
    actors: Actors = Actors()
    start: date = date(2012, 7, 1)
    database: Database | None = None
    minute: int | None = Field(default=None, ge=0, le=59)
    resources: Resources = Resources()

    @model_validator(mode="after")
    def _has_repositories(self) -> "ProjectFile":
        if self.whole_foundation and self.foundation == INDEPENDENT:
            raise ValueError("whole_foundation needs the name of a foundation")
        if not (self.organisations or self.repositories or self.whole_foundation):
            raise ValueError("needs organisations or repositories")
        return self


class ProjectsFile(Strict):
    """The whole of projects.yaml."""

    projects: dict[Annotated[str, StringConstraints(pattern=NAME)], ProjectFile]


@dataclass(frozen=True)
class Project:
    """A set of repositories with its own database, sync and route."""

    name: str
    display_name: str
    foundation: str
    organisations: tuple[str, ...]
    repositories: tuple[str, ...]
    exclude: tuple[str, ...]
    whole_foundation: bool
    renamed: tuple[Renamed, ...]
    actors: Actors
    start: date
    database: str
    minute: int
    resources: Resources

    @classmethod
    def of(cls, name: str, file: ProjectFile) -> "Project":
        """Fill in what the file leaves out; the minute spreads projects over the hour and never moves."""
        spread = int.from_bytes(sha256(name.encode()).digest()[:4], "big") % 60
        return cls(
            name=name,
            display_name=file.display_name or name,
            foundation=file.foundation,
            organisations=tuple(file.organisations),
            repositories=tuple(file.repositories),
            exclude=tuple(file.exclude),
            whole_foundation=file.whole_foundation,
            renamed=tuple(file.renamed),
            actors=file.actors,
            start=file.start,
            database=file.database or name.replace("-", "_"),
            minute=spread if file.minute is None else file.minute,
            resources=file.resources,
        )

    def route(self) -> dict[str, Any]:
        """The project as the ingest and the portal read it; what says nothing is left out."""
        rare = {
            "whole_foundation": self.whole_foundation,
            "renamed": [renamed.route() for renamed in self.renamed],
            "actors_allowed": list(self.actors.allow),
            "actors_forbidden": list(self.actors.forbid),
        }
        return {
            "name": self.name,
            "display_name": self.display_name,
            "foundation": self.foundation,
            "organisations": list(self.organisations),
            "repositories": list(self.repositories),
            "exclude": list(self.exclude),
            "start": self.start.isoformat(),
            "database": self.database,
            **{key: value for key, value in rare.items() if value},
        }


@dataclass(frozen=True)
class Projects:
    """The projects of an environment, in the order of the file."""

    items: tuple[Project, ...] = ()

    def __iter__(self) -> Iterator[Project]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order of the file."""
        return tuple(project.name for project in self.items)

    def get(self, name: str) -> Project:
        """One project; raises UnknownName with the nearest names."""
        for project in self.items:
            if project.name == name:
                return project
        raise UnknownName("project", name, self.names)

    @classmethod
    def load(cls, path: Path, shown: str, reserved: Iterable[str]) -> tuple["Projects", list[str]]:
        """Read projects.yaml; returns the projects and every mistake found."""
        if not path.exists():
            return cls(), []
        try:
            value = _without_templates(validation.load(path, shown))
            file, mistakes = validation.check(ProjectsFile, value, path, shown)
        except EnvironmentInvalid as error:
            return cls(), list(error.mistakes)
        if file is None:
            return cls(), mistakes
        projects = cls(tuple(Project.of(name, item) for name, item in file.projects.items()))
        clashes = list(projects.clashes(tuple(reserved)))
        places = validation.places(path, shown, [location for location, _ in clashes])
        return projects, [f"{place}: {words}" for place, (_, words) in zip(places, clashes, strict=True)]

    def clashes(self, reserved: tuple[str, ...]) -> Iterator[tuple[Location, str]]:
        """What stands in the way of something else: names, databases, a foundation without projects."""
        databases: dict[str, str] = dict.fromkeys(RESERVED_DATABASES, "the platform")
        for project in self.items:
            place = ("projects", project.name)
            if project.name in reserved:
                yield place, "a stack has this name"
            if owner := databases.get(project.database):
                yield (*place, "database"), f"{project.database!r} belongs to {owner}"
            databases.setdefault(project.database, project.name)
            if project.whole_foundation and not any(self.members(project)):
                yield (*place, "whole_foundation"), f"no other project belongs to {project.foundation!r}"

    def members(self, project: Project) -> Iterator[Project]:
        """The projects whose events a whole foundation receives."""
        return (item for item in self.items if item.foundation == project.foundation and not item.whole_foundation)


def _without_templates(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out the top-level `x-` keys, which only hold anchors for aliases."""
    return {key: item for key, item in value.items() if not str(key).startswith("x-")}
