"""Edits projects.yaml as text: adds or removes one project and keeps everything else as its author wrote it.

Lines are edited because a round trip through a YAML library would also change spaces in lists, the
indentation of their items and the columns of comments.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from swarm.errors import ProjectsUneditable
from swarm.settings import validation

EMPTY = "projects:\n"


def added(text: str, name: str, entry: Mapping[str, Any]) -> str:
    """The text with one more project at the end of `projects`; raises ProjectsUneditable."""
    lines = (text or EMPTY).splitlines()
    key, projects = _projects(text or EMPTY)
    if key is None:
        lines, at, indent, spaced = [*lines, "projects:"], len(lines) + 1, 2, False
    elif not isinstance(projects, yaml.MappingNode):
        at, indent, spaced = key.start_mark.line + 1, 2, False
        lines[at - 1] = lines[at - 1].replace("{}", "").rstrip()
    else:
        at, indent = _last_line(projects) + 1, projects.value[0][0].start_mark.column
        spaced = len(projects.value) > 1 and not lines[projects.value[-1][0].start_mark.line - 1].strip()
    pad = " " * indent
    written = [
        f"{pad}{name}:{'' if entry else ' {}'}",
        *(f"{pad}  {word}: {_flow(value)}" for word, value in entry.items()),
    ]
    lines[at:at] = ["", *written] if spaced else written
    return _proven(text, "\n".join(lines) + "\n", name, dict(entry))


def removed(text: str, name: str) -> str:
    """The text without a project and the comments right above it; raises ProjectsUneditable."""
    lines = text.splitlines()
    _, projects = _projects(text)
    entries = projects.value if isinstance(projects, yaml.MappingNode) else []
    found = next((pair for pair in entries if pair[0].value == name), None)
    if found is None:
        raise ProjectsUneditable(f"it has no project {name!r}.")
    first, last = found[0].start_mark.line, _last_line(found[1], found[0].start_mark.line)
    while first and lines[first - 1].strip().startswith("#"):
        first -= 1
    # Of the blank lines around it those before it go with it.
    while first and not lines[first - 1].strip():
        first -= 1
    del lines[first : last + 1]
    if len(entries) == 1:
        lines = [f"{line.rstrip()} {{}}" if line.split("#")[0].rstrip() == "projects:" else line for line in lines]
    return _proven(text, "\n".join(lines).rstrip("\n") + "\n", name, None)


def _projects(text: str) -> tuple[yaml.Node | None, yaml.Node | None]:
    """The key `projects` and what stands under it; raises ProjectsUneditable if they are not on separate lines."""
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    if root is None:
        return None, None
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise ProjectsUneditable("expected one key and value per line.")
    for key, value in root.value:
        if key.value == "projects":
            if isinstance(value, yaml.MappingNode) and value.value and value.flow_style:
                raise ProjectsUneditable("the projects are written in braces, not on separate lines.")
            return key, value if isinstance(value, yaml.MappingNode) and value.value else None
    return None, None


def _last_line(node: yaml.Node, first: int = 0) -> int:
    """The last line that has something of a node; a block's own end would count what follows it."""
    if isinstance(node, (yaml.MappingNode, yaml.SequenceNode)) and not node.flow_style:
        inner = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
        # An alias is at home where its anchor is.
        return max([first, *(_last_line(part) for part in inner if part.start_mark.line >= node.start_mark.line)])
    ends = node.end_mark
    return max(first, ends.line - 1 if ends.column == 0 and ends.line > node.start_mark.line else ends.line)


def _flow(value: Any) -> str:
    """A value on one line."""
    written = yaml.dump([value], default_flow_style=True, width=10**9, allow_unicode=True, Dumper=yaml.CSafeDumper)
    return written.strip()[1:-1]


def _proven(before: str, after: str, name: str, entry: Mapping[str, Any] | None) -> str:
    """The edited text, if it differs from the other in this one project and in nothing else."""
    try:
        old, new = validation.parse(before) or {}, validation.parse(after) or {}
    except yaml.YAMLError as error:
        raise ProjectsUneditable(f"unsupported layout ({str(error).splitlines()[0]}).") from error
    wanted = {key: value for key, value in (old.get("projects") or {}).items() if key != name}
    if entry is not None:
        wanted[name] = validation.reread(entry)
    if {**old, "projects": wanted} != {**new, "projects": new.get("projects") or {}}:
        raise ProjectsUneditable("unsupported layout.")
    return after
