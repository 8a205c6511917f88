"""projects.yaml -> Projects: which repositories belong together, and how they are run."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from swarm import documents
from swarm.documents import Strict
from swarm.errors import EnvironmentInvalid, UnknownName

NAME = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
RESERVED_DATABASES = ("postgres", "template0", "template1", "devstats")

Organisation = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.*?\[\]-]+$")]
Repository = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.*?\[\]-]+/[A-Za-z0-9_.*?\[\]-]+$")]
Database = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]


class Resources(Strict):
    """What one task of the project's sync may use."""

    memory: Annotated[str, StringConstraints(pattern=r"^[0-9]+[KMG]$")] = "192M"
    cpus: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?$")] = "0.50"


class ProjectFile(Strict):
    """The keys of one project in projects.yaml."""

    display_name: str | None = None
    foundation: str = "Independent"
    organisations: list[Organisation] = []
    repositories: list[Repository] = []
    exclude: list[Repository] = []
    start: date = date(2012, 7, 1)
    database: Database | None = None
    minute: int | None = Field(default=None, ge=0, le=59)
    resources: Resources = Resources()

    @model_validator(mode="after")
    def _has_repositories(self) -> "ProjectFile":
        if not self.organisations and not self.repositories:
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
            start=file.start,
            database=file.database or name.replace("-", "_"),
            minute=spread if file.minute is None else file.minute,
            resources=file.resources,
        )

    def route(self) -> dict[str, Any]:
        """The project as the ingest and the portal read it."""
        return {
            "name": self.name,
            "display_name": self.display_name,
            "foundation": self.foundation,
            "organisations": list(self.organisations),
            "repositories": list(self.repositories),
            "exclude": list(self.exclude),
            "start": self.start.isoformat(),
            "database": self.database,
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
            value = _without_templates(documents.load(path, shown))
            file, mistakes = documents.check(ProjectsFile, value, path, shown)
        except EnvironmentInvalid as error:
            return cls(), list(error.mistakes)
        if file is None:
            return cls(), mistakes
        projects = cls(tuple(Project.of(name, item) for name, item in file.projects.items()))
        return projects, [f"{shown}: {mistake}" for mistake in projects.clashes(tuple(reserved))]

    def clashes(self, reserved: tuple[str, ...]) -> list[str]:
        """Names and databases that stand in each other's way."""
        found = [f"projects.{name}: a stack is called so" for name in self.names if name in reserved]
        databases: dict[str, str] = dict.fromkeys(RESERVED_DATABASES, "the platform")
        for project in self.items:
            if owner := databases.get(project.database):
                found.append(f"projects.{project.name}.database: {project.database!r} belongs to {owner}")
            databases.setdefault(project.database, project.name)
        return found


def _without_templates(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out the top-level `x-` keys, which only hold anchors for aliases."""
    return {key: item for key, item in value.items() if not str(key).startswith("x-")}
