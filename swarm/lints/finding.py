"""What a lint says and where: a finding has a path in its stack, a Lint the file and line of the template."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from swarm.lints import lines
from swarm.settings.environment import ROOT
from swarm.settings.yaml_lines import Location
from swarm.stacks.stack import Stack


@dataclass(frozen=True)
class Lint:
    """Something in a stack that Docker takes and people regret: `place` is file and line of its template."""

    place: str
    service: str
    message: str
    hint: str


@dataclass(frozen=True)
class Finding:
    """A lint before its line is looked up."""

    path: Location
    message: str
    hint: str


def placed(stack: Stack, service: str, finding: Finding) -> Lint:
    """Look up the line; `service` is a short name, or nothing for the stack as a whole."""
    place = f"stacks/{stack.target.template}/stack.yml.j2"
    if stack.source:
        origins = lines.origins(_template(ROOT / place), stack.source)
        place += f":{origins[lines.line(stack.source, finding.path) - 1]}"
    return Lint(place, f"{stack.name}_{service}" if service else stack.name, finding.message, finding.hint)


def pairs(section: Any) -> dict[str, str]:
    """Labels or an environment, in either of a stack file's forms, with every `$` single again."""
    if isinstance(section, Mapping):
        given = {str(key): "" if value is None else str(value) for key, value in section.items()}
    else:
        given = dict(str(item).partition("=")[::2] for item in section or ())
    return {key: plain(value) for key, value in given.items()}


def plain(value: Any) -> str:
    """A text of a document as Docker reads it."""
    return str(value).replace("$$", "$")


def listed(command: Any) -> list[str]:
    """The words of a command or entrypoint in either form."""
    given = command.split() if isinstance(command, str) else command or ()
    return [plain(word) for word in given]


@lru_cache
def _template(path: Path) -> str:
    return path.read_text()
