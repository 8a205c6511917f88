"""YAML files checked against pydantic models: every mistake at once, each with file, line, path and what is allowed."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from swarm.errors import EnvironmentInvalid
from swarm.settings import yaml_lines
from swarm.settings.yaml_lines import Location

Model = TypeVar("Model", bound=BaseModel)
ESCAPE = re.compile(r"\\(?:u(d[89ab]..)\\u(d[c-f]..)|.)", re.DOTALL)


class Strict(BaseModel):
    """A frozen model that knows every key it takes."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class _Reader(yaml.CSafeLoader):
    """Leaves dates the text that they are: Docker accepts text, and the models that expect a date validate it."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def load(path: Path, shown: str) -> Mapping[str, Any]:
    """Read a YAML mapping; `shown` is how the file is named in mistakes."""
    try:
        text = path.read_text()
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
        value = parse(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise EnvironmentInvalid([f"{shown}:{line}: {error.problem or 'is not YAML'}"]) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise EnvironmentInvalid([f"{shown}: {error}"]) from error
    if not isinstance(value, dict):
        raise EnvironmentInvalid([f"{shown}: expected keys and values, found {describe(value)}"])
    if twice := tuple(_duplicates(root, shown)):
        raise EnvironmentInvalid(twice)
    return value


def parse(text: str) -> Any:
    """YAML text as plain values; raises yaml.YAMLError, also for an alias of what it stands in: it has no end."""
    if "&" in text and "*" in text:
        _require_end(text)
    return yaml.load(text, Loader=_Reader)  # noqa: S506 - it is the safe loader but for dates


def written(document: Mapping[str, Any]) -> str:
    """A stack file's text, fit for `docker stack deploy -c -`."""
    return yaml.dump(dict(document), sort_keys=False, width=120, Dumper=yaml.CSafeDumper)


def reread(document: Mapping[str, Any]) -> Any:
    """A document as it is read back from its own text."""
    return parse(written(document))


def text(value: Any) -> str:
    """A value as JSON that YAML readers take as well: a character beyond 16 bits is one escape, not two halves."""
    written = json.dumps(value)
    return ESCAPE.sub(_whole, written) if "\\ud" in written else written


def check(model: type[Model], value: Mapping[str, Any], path: Path, shown: str) -> tuple[Model | None, list[str]]:
    """Validate a mapping; returns the model or the list of mistakes."""
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        root = yaml.compose(path.read_text(), Loader=yaml.CSafeLoader)
        return None, [_mistake(model, detail, root, shown) for detail in error.errors()]


def places(path: Path, shown: str, locations: Iterable[Location]) -> list[str]:
    """Where each location stands in a YAML file: `FILE:LINE: PATH`."""
    wanted = list(locations)
    root = yaml.compose(path.read_text(), Loader=yaml.CSafeLoader) if wanted else None
    return [f"{shown}:{yaml_lines.value_line(root, location) or 1}: {_path(location)}" for location in wanted]


def describe(value: Any) -> str:
    """A value as it is shown in a mistake."""
    return "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)


def _require_end(text: str) -> None:
    """Raise yaml.MarkedYAMLError where an alias is an alias inside its own anchor."""
    around: list[str | None] = []
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            around.append(event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            around.pop()
        elif isinstance(event, yaml.AliasEvent) and event.anchor in around:
            problem = f"*{event.anchor} is an alias inside its own anchor"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=cast(yaml.Mark, event.start_mark))


def _whole(escape: re.Match[str]) -> str:
    high, low = escape.groups()
    if high is None:
        return escape[0]
    return f"\\U{0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00):08x}"


def _mistake(model: type[BaseModel], detail: ErrorDetails, root: yaml.Node | None, shown: str) -> str:
    location = tuple(part for part in detail["loc"] if part != "[key]")
    line = yaml_lines.value_line(root, location)
    place = f"{shown}:{line}" if line else shown
    return f"{place}: {_path(location)}: {_sentence(model, detail, location)}"


def _sentence(model: type[BaseModel], detail: ErrorDetails, location: Location) -> str:
    kind, given = detail["type"], describe(detail["input"])
    match kind:
        case "extra_forbidden":
            return f"unknown key; allowed: {', '.join(_allowed(model, location[:-1]))}"
        case "missing":
            return "is missing"
        case "literal_error":
            return f"{given} is not one of {detail['ctx']['expected'].replace(' or ', ', ')}"
        case "value_error":
            return str(detail["ctx"]["error"])
        case _:
            message = detail["msg"].removeprefix("Input should be ").removeprefix("a valid ")
            return f"expected {message[0].lower()}{message[1:]}, found {given}"


def _path(location: Location) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.lstrip(".") or "(file)"


def _allowed(model: type[BaseModel], location: Location) -> list[str]:
    current: Any = model
    for part in location:
        if isinstance(part, str) and isinstance(current, type) and issubclass(current, BaseModel):
            fields = {field.alias or name: field.annotation for name, field in current.model_fields.items()}
            current = fields.get(part)
        current = _inner(current)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return sorted(field.alias or name for name, field in current.model_fields.items())
    return []


def _inner(annotation: Any) -> Any:
    """The model inside `list[Model]`, `dict[str, Model]`, `Model | None`; anything else as it is."""
    if get_origin(annotation) in (Union, UnionType, list, tuple, dict):
        for argument in get_args(annotation):
            found = _inner(argument)
            if isinstance(found, type) and issubclass(found, BaseModel):
                return found
    return annotation


def _duplicates(node: yaml.Node | None, shown: str, path: str = "") -> Iterator[str]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            here = f"{path}.{key.value}".lstrip(".")
            if key.value in seen:
                yield f"{shown}:{key.start_mark.line + 1}: {here}: is given twice"
            seen.add(key.value)
            yield from _duplicates(value, shown, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _duplicates(value, shown, f"{path}[{index}]")
