"""Plans as people read them: one glance tells what will happen, in lines of (style, text)."""

import re
from collections.abc import Sequence
from typing import Any

from swarm.plan import Change, Kind, NetworkChange, StackPlan

Line = tuple[str, str]
MARKS = {
    Kind.CREATE: ("+", "green"),
    Kind.REMOVE: ("-", "red"),
    Kind.RECREATE: ("-", "red"),
    Kind.RESTART: ("~", "yellow"),
    Kind.UPDATE: ("~", "cyan"),
    Kind.LABELS: ("~", "cyan"),
    Kind.RESUME: ("~", "cyan"),
}
VERSION = re.compile(r"^(?P<key>.+)_(?P<hash>[0-9a-f]{10})$")
DIGEST = re.compile(r"@sha256:([0-9a-f]{12})[0-9a-f]*$")
HIDDEN = ("labels.com.docker.stack.image",)
WIDTH = 44
NOTHING = "nothing to do"


def outline(plans: Sequence[StackPlan]) -> list[Line]:
    """A paragraph for each stack, those of like content together, and a last line that counts."""
    paragraphs: dict[tuple[Line, ...], list[str]] = {}
    for done in plans:
        paragraphs.setdefault(tuple(_paragraph(done)), []).append(done.stack)
    lines: list[Line] = []
    for body, stacks in paragraphs.items():
        head = _together(stacks)
        if not body:
            lines.append(("dim", f"{head:<10} {NOTHING}"))
            continue
        count = sum(1 for style, text in body if style and not text.startswith("    "))
        lines += [("bold", f"{head:<10} {count} change{'s' if count != 1 else ''}{' each' if len(stacks) > 1 else ''}")]
        lines += body
    return [*lines, ("", summary(plans))]


def summary(plans: Sequence[StackPlan]) -> str:
    """`4 stacks: 1 create, 3 rolling restart.`"""
    kinds = [change.kind for done in plans for change in done.pending]
    words = [f"{kinds.count(kind)} {kind}" for kind in Kind if kind in kinds]
    networks = sum(len(done.missing_networks) for done in plans)
    words += [f"{networks} network{'s' if networks > 1 else ''} to create"] if networks else []
    return f"{len(plans)} stack{'s' if len(plans) != 1 else ''}: {', '.join(words) or NOTHING}."


def told(done: StackPlan) -> dict[str, Any]:
    """A plan for machines."""
    return {
        "stack": done.stack,
        "services": [
            {
                "service": change.service,
                "change": str(change.kind),
                "restarts_tasks": change.restarts,
                "tasks": change.tasks,
                "fields": [{"path": item.path, "old": item.old, "new": item.new} for item in change.differences],
            }
            for change in done.changes
        ],
        "networks": [
            {
                "network": network.name,
                "change": "ignored by Swarm" if network.ignored else "create",
                "fields": [{"path": item.path, "old": item.old, "new": item.new} for item in network.ignored],
            }
            for network in done.networks
        ],
    }


def _paragraph(done: StackPlan) -> list[Line]:
    lines: list[Line] = []
    for network in done.networks:
        lines += _network(network)
    for change in done.pending:
        lines += _change(change, done.stack)
    return lines


def _change(change: Change, stack: str) -> list[Line]:
    mark, style = MARKS[change.kind]
    name = change.service.removeprefix(f"{stack}_")
    lines = [(style, f"  {mark} {name:<12} {change.kind}{_tasks(change)}")]
    for item in change.differences:
        if item.path not in HIDDEN:
            lines.append(("", f"      {item.path:<{WIDTH}} {_value(item.old)} -> {_value(item.new)}"))
    return lines


def _tasks(change: Change) -> str:
    if change.kind is Kind.CREATE or not change.restarts:
        return f", {change.tasks} task{'s' if change.tasks != 1 else ''}" if change.kind is Kind.CREATE else ""
    after = " one sibling at a time" if change.rollout else ""
    return f", {change.tasks} task{'s' if change.tasks != 1 else ''}{after}"


def _network(network: NetworkChange) -> list[Line]:
    if not network.ignored:
        return [("green", f"  + network {network.name} create")]
    fields = ", ".join(f"{item.path} {_value(item.old)} -> {_value(item.new)}" for item in network.ignored)
    return [
        ("magenta", f"  ! network {network.name}: {fields}"),
        ("", "      Swarm never changes a network that exists: clean what uses it, then deploy again."),
    ]


def _value(text: str | None) -> str:
    """A value as short as it can be without losing what differs."""
    if text is None:
        return "(none)"
    if found := VERSION.match(text):
        return found["hash"]
    short = DIGEST.sub(r" (\1)", text)
    return short.rpartition("/")[2] if short != text else text


def _together(stacks: Sequence[str]) -> str:
    return ", ".join(stacks) if len(stacks) <= 3 else f"{', '.join(stacks[:2])} and {len(stacks) - 2} more"
