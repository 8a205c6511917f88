"""The projects that the platform follows, as the stack manager wrote them down."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

RESERVED = ("postgres", "devstats", "template0", "template1")
REGEXP = "regexp:"
KEYS = (
    "name",
    "display_name",
    "foundation",
    "organisations",
    "repositories",
    "exclude",
    "start",
    "database",
    "whole_foundation",
    "renamed",
    "actors_allowed",
    "actors_forbidden",
)
RENAMED_KEYS = ("was", "now", "since", "until")


@dataclass(frozen=True)
class Renamed:
    """What an organisation, or a repository (with a slash), was called, from a moment on and before another."""

    was: str
    now: str
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True)
class Project:
    """A set of repositories with its own database; `archive.route` says what its patterns mean."""

    name: str
    display_name: str
    foundation: str
    organisations: tuple[str, ...]
    repositories: tuple[str, ...]
    exclude: tuple[str, ...]
    start: datetime
    database: str
    whole_foundation: bool = False
    renamed: tuple[Renamed, ...] = ()
    actors_allowed: tuple[str, ...] = ()
    actors_forbidden: tuple[str, ...] = ()


def read_projects(path: Path) -> tuple[tuple[Project, ...], list[str]]:
    """Read projects.json; returns the projects and every mistake found, each with its place."""
    try:
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        return (), [f"ACTIVITY_PROJECTS: {path}: {error.strerror or error}"]
    except orjson.JSONDecodeError as error:
        return (), [f"{path}: not JSON: {error}"]
    entries = document.get("projects") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        return (), [f"{path}: projects: expected a list with at least one project, found {entries!r}"]
    projects: list[Project] = []
    mistakes: list[str] = []
    for number, entry in enumerate(entries):
        project = _project(entry, f"{path}: projects[{number}]", mistakes)
        if project is not None:
            projects.append(project)
    for word in ("name", "database"):
        mistakes.extend(_repeated(path, word, [getattr(project, word) for project in projects]))
    return tuple(projects), mistakes


def _project(entry: Any, place: str, mistakes: list[str]) -> Project | None:
    if not isinstance(entry, dict):
        mistakes.append(f"{place}: expected an object, found {entry!r}")
        return None
    before = len(mistakes)
    mistakes.extend(f"{place}.{key}: unknown; allowed: {', '.join(KEYS)}" for key in entry if key not in KEYS)
    name = _text(entry, "name", place, mistakes)
    project = Project(
        name=name,
        display_name=_text(entry, "display_name", place, mistakes, default=name),
        foundation=_text(entry, "foundation", place, mistakes, default=""),
        organisations=_texts(entry, "organisations", place, mistakes),
        repositories=_texts(entry, "repositories", place, mistakes),
        exclude=_texts(entry, "exclude", place, mistakes),
        start=_day(entry, "start", place, mistakes),
        database=_text(entry, "database", place, mistakes, default=name),
        whole_foundation=_flag(entry, "whole_foundation", place, mistakes),
        renamed=_renames(entry, place, mistakes),
        actors_allowed=_texts(entry, "actors_allowed", place, mistakes),
        actors_forbidden=_texts(entry, "actors_forbidden", place, mistakes),
    )
    mistakes.extend(_no_expressions(project, place))
    if project.database in RESERVED:
        mistakes.append(f"{place}.database: {project.database!r} is reserved; choose another name")
    if not (project.organisations or project.repositories or project.whole_foundation):
        mistakes.append(f"{place}: must name organisations or repositories")
    return project if len(mistakes) == before else None


def _text(entry: dict[str, Any], key: str, place: str, mistakes: list[str], default: str | None = None) -> str:
    value = entry.get(key, default)
    if isinstance(value, str) and (value or default == ""):
        return value
    mistakes.append(f"{place}.{key}: expected a string, found {value!r}")
    return ""


def _texts(entry: dict[str, Any], key: str, place: str, mistakes: list[str]) -> tuple[str, ...]:
    value = entry.get(key, [])
    if isinstance(value, list) and all(isinstance(text, str) and text for text in value):
        return tuple(value)
    mistakes.append(f"{place}.{key}: expected a list of strings, found {value!r}")
    return ()


def _flag(entry: dict[str, Any], key: str, place: str, mistakes: list[str]) -> bool:
    value = entry.get(key, False)
    if not isinstance(value, bool):
        mistakes.append(f"{place}.{key}: expected true or false, found {value!r}")
    return value is True


def _day(entry: dict[str, Any], key: str, place: str, mistakes: list[str]) -> datetime:
    value = entry.get(key)
    try:
        return datetime.strptime(str(value), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        mistakes.append(f"{place}.{key}: expected a day such as 2015-01-01, found {value!r}")
        return datetime(2015, 1, 1, tzinfo=UTC)


def _renames(entry: dict[str, Any], place: str, mistakes: list[str]) -> tuple[Renamed, ...]:
    value = entry.get("renamed", [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        mistakes.append(f"{place}.renamed: expected a list of objects, found {value!r}")
        return ()
    return tuple(_rename(item, f"{place}.renamed[{number}]", mistakes) for number, item in enumerate(value))


def _rename(item: dict[str, Any], place: str, mistakes: list[str]) -> Renamed:
    mistakes.extend(
        f"{place}.{key}: unknown; allowed: {', '.join(RENAMED_KEYS)}" for key in item if key not in RENAMED_KEYS
    )
    since, until = (
        _day(item, key, place, mistakes).replace(tzinfo=None) if key in item else None for key in ("since", "until")
    )
    return Renamed(
        was=_text(item, "was", place, mistakes),
        now=_text(item, "now", place, mistakes),
        since=since,
        # The last day belongs to the old name.
        before=until and until + timedelta(days=1),
    )


def _no_expressions(project: Project, place: str) -> Iterator[str]:
    """Yield a mistake for each regular expression that is none."""
    names = (*project.organisations, *project.repositories, *project.exclude)
    given = [name.removeprefix(REGEXP) for name in names if name.startswith(REGEXP)]
    for text in (*given, *project.actors_allowed, *project.actors_forbidden):
        try:
            re.compile(text)
        except re.error as error:
            yield f"{place}: {text!r} is not a valid regular expression: {error}"


def _repeated(path: Path, word: str, values: list[str]) -> list[str]:
    twice = sorted({value for value in values if values.count(value) > 1})
    return [f"{path}: {word} {value!r} is used by more than one project" for value in twice]
