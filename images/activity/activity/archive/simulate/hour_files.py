"""Files of simulated hours: the same hour of the same projects is always the same, to the byte.

The events of a project come from a random stream that depends only on its names and the hour, so other projects
change nothing. People work by day and less at weekends; pull requests are opened, and some of them are merged under
the same number hours or days later.
"""

import gzip
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile

import orjson

from activity.archive.route.patterns import GLOB
from activity.archive.simulate.scenes import PEOPLE, Scene, events_of
from activity.hour import Hour
from activity.projects import REGEXP, Project

# The scene of repositories that belong to no project.
NOISE = "noise"
SUFFIXES = ("core", "website", "docs", "cli", "tools", "examples")
PROJECT_EVENTS_AT_NOON = 24.0
NOISE_EVENTS_AT_NOON = 120.0


def make_hour(folder: Path, projects: tuple[Project, ...], hour: Hour) -> Path:
    """Return the file of a simulated hour, written unless it exists; other projects have another file."""
    scenes = scenes_of(projects)
    repositories = "|".join(repository for scene in scenes for repository in scene.repositories)
    path = folder / _digest(repositories) / f"{hour}.json.gz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_hour(path, scenes, hour)
    return path


def write_hour(path: Path, scenes: tuple[Scene, ...], hour: Hour) -> int:
    """Write an hour in the format of the archive; returns its number of events."""
    events = [event for scene in scenes for event in events_of(scene, hour)]
    events.sort(key=lambda event: (event["created_at"], event["id"]))
    lines = b"".join(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE) for event in events)
    write_whole(path, [gzip.compress(lines, mtime=0)])
    return len(events)


def write_whole(path: Path, blocks: Iterable[bytes]) -> None:
    """Write a file that appears under its name only once it is complete."""
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.writelines(blocks)
    partial = Path(file.name)
    partial.chmod(0o644)
    partial.replace(path)


def scenes_of(projects: tuple[Project, ...]) -> tuple[Scene, ...]:
    """Return the scene of each project that has repositories, then the noise around them."""
    noise = tuple(f"{name}-{PEOPLE[(number + 5) % len(PEOPLE)]}/{name}" for number, name in enumerate(PEOPLE))
    scenes = [Scene(project.name, repositories_of(project), PROJECT_EVENTS_AT_NOON) for project in projects]
    return (*(scene for scene in scenes if scene.repositories), Scene(NOISE, noise, NOISE_EVENTS_AT_NOON))


def repositories_of(project: Project) -> tuple[str, ...]:
    """Return simulated repositories that belong to a project; none for one that has only regular expressions."""
    organisations = [_literal(pattern) for pattern in project.organisations if not pattern.startswith(REGEXP)]
    repositories = [f"{name}/{name}" for name in organisations]
    repositories += [f"{name}/{name}-{suffix}" for name in organisations for suffix in SUFFIXES]
    repositories += [_literal(pattern) for pattern in project.repositories if not pattern.startswith(REGEXP)]
    return tuple(dict.fromkeys(repositories))


def _literal(pattern: str) -> str:
    """Return a name that a glob matches, or nearly: `kube*` becomes kube-alpha."""
    return "/".join(_literal_part(part) for part in pattern.split("/", 1))


def _literal_part(part: str) -> str:
    if not GLOB.search(part):
        return part
    return part.replace("*", "-alpha").lstrip("-").replace("?", "x")


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=6).hexdigest()
