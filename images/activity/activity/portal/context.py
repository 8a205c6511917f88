"""What every page and every answer of the API reads from."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from activity.database.connect import Role
from activity.portal.cluster import ClusterReader
from activity.portal.connections import Connections, Server
from activity.portal.docker_api import DockerApi
from activity.portal.errors import NotFound, nearest
from activity.portal.summaries import Summaries
from activity.projects import Project
from activity.settings import Settings

INDEPENDENT = "Independent projects"


@dataclass(frozen=True)
class PortalContext:
    """The projects, and where their numbers and the cluster are read."""

    projects: tuple[Project, ...]
    domain: str
    public_url: str
    # The folder of the projects' dumps; it may be absent.
    dumps: Path
    connections: Connections
    summaries: Summaries
    docker: DockerApi
    cluster: ClusterReader

    def project(self, name: str) -> Project:
        """The project of that name, in any case. Raises NotFound, which suggests the nearest."""
        found = next((project for project in self.projects if project.name.lower() == name.lower()), None)
        if found is None:
            raise NotFound(f"Project “{name}” not found.", self.near(name))
        return found

    def near(self, name: str) -> tuple[str, ...]:
        """The names of projects most like a name."""
        return nearest(name, (project.name for project in self.projects))

    def matching(self, text: str) -> list[Project]:
        """Projects whose name, foundation, organisations or repositories hold every word of the text."""
        words = text.lower().split()
        return [project for project in self.projects if all(word in _searched(project) for word in words)]

    def address(self, project: Project) -> str:
        """The project's own address, with the scheme and port of the portal's."""
        parts = urlsplit(self.public_url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme or 'http'}://{project.name}.{self.domain}{port}/"

    def close(self) -> None:
        """Let threads and connections go."""
        self.summaries.close()
        self.connections.close()
        self.docker.close()


def open_context(settings: Settings) -> PortalContext:
    """A portal for the settings; nothing is connected before the first visitor asks."""
    reader = settings.password(Role.READER.secret)
    server = Server(settings.database_host, settings.database_port_read, Role.READER.login, reader.reveal)
    connections = Connections(server)
    docker = DockerApi(settings.docker_url)
    return PortalContext(
        projects=settings.projects,
        domain=settings.domain,
        public_url=settings.public_url.rstrip("/"),
        dumps=settings.backups.folder / "dumps",
        connections=connections,
        summaries=Summaries(connections),
        docker=docker,
        cluster=ClusterReader(docker),
    )


def by_foundation(projects: Iterable[Project]) -> dict[str, list[Project]]:
    """Projects under their foundations, both by name; those without one come last."""
    grouped: dict[str, list[Project]] = {}
    for project in sorted(projects, key=lambda project: (not project.foundation, *_order(project))):
        grouped.setdefault(project.foundation or INDEPENDENT, []).append(project)
    return grouped


def _order(project: Project) -> tuple[str, str]:
    return project.foundation.lower(), project.display_name.lower()


def _searched(project: Project) -> str:
    texts = (project.name, project.display_name, project.foundation, *project.organisations, *project.repositories)
    return "\n".join(texts).lower()
