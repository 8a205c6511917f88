"""Hours that look like the archive's and are not: the same hour of the same project is always the same.

Each project's events come from a random stream seeded by the project's names and the hour alone, so another
project beside it changes nothing. People work by day and less at weekends; pull requests are opened, and
some of them are merged a few hours or days later, under the same number.
"""

import gzip
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile

import orjson

from activity.archive.route.patterns import GLOB
from activity.archive.simulate.demo_events import PEOPLE, Scene, events_of
from activity.hour import Hour
from activity.projects import REGEXP, Project

NOISE = "noise"
SUFFIXES = ("core", "website", "docs", "cli", "tools", "examples")
EVENTS_AT_NOON = 24.0
NOISE_AT_NOON = 120.0


def make_hour(folder: Path, projects: tuple[Project, ...], hour: Hour) -> Path:
    """Return the file of a simulated hour, made now unless it is there; projects of another set have their own."""
    scenes = scenes_of(projects)
    place = folder / _digest("|".join(repository for scene in scenes for repository in scene.repositories))
    path = place / f"{hour}.json.gz"
    if not path.exists():
        place.mkdir(parents=True, exist_ok=True)
        write_hour(path, scenes, hour)
    return path


def write_hour(path: Path, scenes: tuple[Scene, ...], hour: Hour) -> int:
    """Write an hour as the archive would, in one step that leaves no half file; returns its number of events."""
    events = sorted(
        (event for scene in scenes for event in events_of(scene, hour)),
        key=lambda event: (event["created_at"], event["id"]),
    )
    lines = b"".join(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE) for event in events)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(gzip.compress(lines, mtime=0))
    made = Path(file.name)
    made.chmod(0o644)
    made.replace(path)
    return len(events)


def scenes_of(projects: tuple[Project, ...]) -> tuple[Scene, ...]:
    """Return the scene of each project, then that of the noise."""
    noise = tuple(f"{name}-{PEOPLE[(number + 5) % len(PEOPLE)]}/{name}" for number, name in enumerate(PEOPLE))
    scenes = [Scene(project.name, _repositories(project), EVENTS_AT_NOON) for project in projects]
    return (*(scene for scene in scenes if scene.repositories), Scene(NOISE, noise, NOISE_AT_NOON))


def _repositories(project: Project) -> tuple[str, ...]:
    organisations = [_literal(pattern) for pattern in project.organisations if not pattern.startswith(REGEXP)]
    made = [f"{name}/{name}" for name in organisations]
    made += [f"{name}/{name}-{suffix}" for name in organisations for suffix in SUFFIXES]
    made += [_literal(pattern) for pattern in project.repositories if not pattern.startswith(REGEXP)]
    return tuple(dict.fromkeys(made))


def _literal(pattern: str) -> str:
    """Return a name that a glob matches, or nearly: `kube*` becomes kube-alpha."""
    organisation, slash, name = pattern.partition("/")
    return slash.join(
        part.replace("*", "-alpha").lstrip("-").replace("?", "x") if GLOB.search(part) else part
        for part in ((organisation, name) if slash else (organisation,))
    )


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=6).hexdigest()
