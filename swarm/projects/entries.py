"""Who is on the roster of an environment: adding a project to its projects.yaml and taking one off it."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from swarm.errors import ArgumentInvalid, EnvironmentInvalid, ProjectExists, ProjectsUneditable
from swarm.files import write_atomically
from swarm.projects import yaml_edit
from swarm.settings import validation
from swarm.settings.environment import Environment, relative, reserved
from swarm.settings.projects import Projects


@dataclass(frozen=True)
class NewProject:
    """What an operator says of a new project."""

    name: str
    organisations: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    start: str = ""
    foundation: str = ""
    display_name: str = ""

    def entry(self) -> dict[str, Any]:
        """Its keys in projects.yaml, without those that say nothing."""
        keys = {
            "display_name": self.display_name,
            "foundation": self.foundation,
            "organisations": list(self.organisations),
            "repositories": list(self.repositories),
            "start": day(self.start) if self.start else None,
        }
        return {key: value for key, value in keys.items() if value}


def day(text: str) -> date:
    """A day as it is written; raises ArgumentInvalid."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentInvalid(f"--start {text!r} is not a valid date.", hint="E.g. --start 2015-01-01") from error


def file(environment: Environment) -> Path:
    """Where the projects of an environment are written down."""
    return environment.directory / "projects.yaml"


def add(environment: Environment, wanted: NewProject, *, dry: bool = False) -> bool:
    """Write a project into projects.yaml unless it is there with all this; returns whether it is new.

    Raises ProjectExists when it is there as something else, EnvironmentInvalid with every mistake, ProjectsUneditable.
    """
    path, entry = file(environment), wanted.entry()
    text = path.read_text() if path.exists() else ""
    before = _entries(text).get(wanted.name)
    if before is not None:
        if differing := sorted(key for key, value in validation.reread(entry).items() if before.get(key) != value):
            raise ProjectExists(
                f"{wanted.name} already exists with another {' and '.join(differing)}.",
                hint=f"Change it in {relative(path)}, then run ./run deploy admin,archive,{wanted.name}",
            )
        return False
    _write(path, _edited(path, lambda: yaml_edit.added(text, wanted.name, entry)), dry=dry)
    return True


def remove(environment: Environment, name: str, *, dry: bool = False) -> None:
    """Take a project out of projects.yaml; raises UnknownName, EnvironmentInvalid, ProjectsUneditable."""
    environment.projects.get(name)
    path = file(environment)
    text = path.read_text()
    _write(path, _edited(path, lambda: yaml_edit.removed(text, name)), dry=dry)


def _edited(path: Path, edit: Any) -> str:
    try:
        return str(edit())
    except ProjectsUneditable as error:
        raise ProjectsUneditable(
            f"{relative(path)} cannot be edited: {error.message}",
            hint="Edit it by hand, then run the same command again.",
        ) from error


def _entries(text: str) -> Mapping[str, Any]:
    document = validation.parse(text) if text else None
    projects = document.get("projects") if isinstance(document, dict) else None
    return projects if isinstance(projects, dict) else {}


def _write(path: Path, text: str, *, dry: bool) -> None:
    """Put the new text in the place of the old one at once, if it has no mistake."""
    with TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        draft.write_text(text)
        _, mistakes = Projects.load(draft, relative(path), reserved())
    if mistakes:
        raise EnvironmentInvalid(mistakes)
    if not dry:
        write_atomically(path, text, stat.S_IMODE(path.stat().st_mode) if path.exists() else None)
