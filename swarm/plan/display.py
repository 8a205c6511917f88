"""Plans as people read them: one glance tells what will happen, in lines of (style, text)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import takewhile
from typing import Any

from swarm.live.orphans import Orphan
from swarm.plan.config_diff import Edits
from swarm.plan.plan import Change, Difference, Kind, NetworkChange, StackPlan
from swarm.plan.warnings import PlanWarning

Line = tuple[str, str]
MARKS = {
    Kind.CREATE: ("+", "green"),
    Kind.REMOVE: ("-", "red"),
    Kind.RECREATE: ("-", "red"),
    Kind.RESTART: ("~", "yellow"),
    Kind.RERUN: ("~", "yellow"),
    Kind.UPDATE: ("~", "cyan"),
    Kind.LABELS: ("~", "cyan"),
    Kind.RESUME: ("~", "cyan"),
}
VERSION = re.compile(r"^(?P<key>.+)_(?P<hash>[0-9a-f]{10})$")
DIGEST = re.compile(r"@sha256:([0-9a-f]{12})[0-9a-f]*$")
EDITS = {"+": "green", "-": "red"}
HIDDEN = ("labels.com.docker.stack.image",)
WIDTH = 36
LONG = 60
NOTHING = "nothing to do"
NO_CHANGES = "no changes, but not healthy or not complete"


@dataclass(frozen=True)
class PlanContext:
    """What stands context plans: notes, the edits of configs, whole or (not `full`) counted, and what has no plan.

    Also, by stack, what a deploy acts upon without any change: a release left unfinished, services that are unhealthy.
    """

    notes: Sequence[PlanWarning] = ()
    edits: Edits = field(default_factory=dict)
    full: bool = False
    orphans: Sequence[Orphan] = ()
    unfinished: Mapping[str, str] = field(default_factory=dict)
    unhealthy: Mapping[str, Sequence[str]] = field(default_factory=dict)


def lines(plans: Sequence[StackPlan], context: PlanContext | None = None) -> list[Line]:
    """A paragraph for each stack, those of like content together, and a last line that counts."""
    context = context or PlanContext()
    notes = context.notes
    paragraphs: dict[tuple[tuple[Line, ...], int], list[str]] = {}
    for done in plans:
        body = (
            *_paragraph(done, context),
            *_standing(done.stack, context),
            *(line for note in notes if note.stack == done.stack for line in _note(note)),
        )
        count = _count(done)
        paragraphs.setdefault((body, count), []).append(done.stack)
    lines: list[Line] = []
    for (body, count), stacks in paragraphs.items():
        each = " each" if len(stacks) > 1 else ""
        acts = any(stack in context.unfinished or stack in context.unhealthy for stack in stacks)
        words = f"{count} change{'s' if count != 1 else ''}{each}" if count else NO_CHANGES if acts else NOTHING
        lines += [("bold" if count or acts else "dim", f"{_together(stacks):<10} {words}"), *body]
    lines += [line for orphan in context.orphans for line in _orphan(orphan)]
    return [*lines, ("", summary(plans, context))]


def summary(plans: Sequence[StackPlan], context: PlanContext | None = None) -> str:
    """`4 stacks: 1 create, 3 rolling restart, 1 blocked, 1 unfinished, 1 unhealthy.`"""
    context = context or PlanContext()
    kinds = [change.kind for done in plans for change in done.pending]
    words = [f"{kinds.count(kind)} {kind}" for kind in Kind if kind in kinds]
    networks = sum(len(done.missing_networks) for done in plans)
    words += [f"{networks} network{'s' if networks > 1 else ''} to create"] if networks else []
    unwanted = sum(len(done.unwanted_networks) for done in plans)
    words += [f"{unwanted} network{'s' if unwanted > 1 else ''} to remove"] if unwanted else []
    blocked = sum(note.blocks for note in context.notes)
    words += [f"{blocked} blocked"] if blocked else []
    for said, stacks in (("unfinished", context.unfinished), ("unhealthy", context.unhealthy)):
        number = sum(done.stack in stacks for done in plans)
        words += [f"{number} {said}"] if number else []
    return f"{len(plans)} stack{'s' if len(plans) != 1 else ''}: {', '.join(words) or NOTHING}."


def as_json(done: StackPlan, context: PlanContext | None = None) -> dict[str, Any]:
    """A plan for machines: always the same keys, and everything that people get to see."""
    context = context or PlanContext()
    notes = [note for note in context.notes if note.stack == done.stack]
    return {
        "stack": done.stack,
        "changes": _count(done),
        "blocked": sum(note.blocks for note in notes),
        "services": [
            {
                "service": change.service,
                "change": str(change.kind),
                "restarts_tasks": change.restarts,
                "tasks": change.tasks,
                "fields": [
                    {"path": item.path, "old": item.old, "new": item.new, "lines": _lines(item, context)}
                    for item in change.differences
                ],
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
        ]
        + [{"network": name, "change": "remove", "fields": []} for name in done.unwanted_networks],
        "notes": [asdict(note) for note in notes],
        "unfinished": context.unfinished.get(done.stack),
        "unhealthy": list(context.unhealthy.get(done.stack, ())),
    }


def _count(done: StackPlan) -> int:
    return len(done.pending) + len(done.missing_networks) + len(done.unwanted_networks)


def _lines(item: Difference, context: PlanContext) -> dict[str, Any] | None:
    """What changes in a config, for machines: the lines themselves only where they are asked for."""
    edit = context.edits.get((item.old or "", item.new or ""))
    if edit is None:
        return None
    return {"added": edit.added, "removed": edit.removed, "diff": list(edit.lines) if context.full else None}


def _paragraph(done: StackPlan, context: PlanContext) -> list[Line]:
    lines: list[Line] = []
    for network in done.networks:
        lines += _network(network)
    lines += [("red", f"  - network {name} remove") for name in done.unwanted_networks]
    for change in done.pending:
        lines += _change(change, done.stack, context)
    return lines


def _standing(stack: str, context: PlanContext) -> list[Line]:
    """What a deploy acts upon though nothing is to be changed."""
    lines: list[Line] = []
    if stack in context.unfinished:
        lines.append(("magenta", f"  ! {context.unfinished[stack]}: a deploy completes or abandons it"))
    if stack in context.unhealthy:
        lines.append(("magenta", f"  ! unhealthy: {', '.join(context.unhealthy[stack])}; a deploy waits for them"))
    return lines


def _change(change: Change, stack: str, context: PlanContext) -> list[Line]:
    mark, style = MARKS[change.kind]
    name = change.service.removeprefix(f"{stack}_")
    lines = [(style, f"  {mark} {name:<15} {change.kind}{_tasks(change)}")]
    for item in change.differences:
        if item.path not in HIDDEN:
            edit = context.edits.get((item.old or "", item.new or ""))
            more = (
                f"   (+{edit.added} -{edit.removed} lines{'' if context.full else '; --diff shows them'})"
                if edit
                else ""
            )
            lines.append(("", f"      {item.path:<{WIDTH}} {_both(item)}{more}"))
            if edit and context.full:
                lines += [(EDITS.get(line[:1], "dim"), f"        {line}") for line in edit.lines]
    return lines


def _note(note: PlanWarning) -> list[Line]:
    mark, style = ("✗", "red") if note.blocks else ("!", "magenta")
    subject = note.subject.removeprefix(f"{note.stack}_")
    return [(style, f"  {mark} {subject}: {note.text}"), *([("", f"      {note.hint}")] if note.hint else [])]


def _orphan(orphan: Orphan) -> list[Line]:
    return [("bold", f"{orphan.stack:<10} still running, but {orphan.words}"), ("", f"      {orphan.advice}")]


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
        ("", "      Swarm cannot change an existing network: clean the stacks that use it, then deploy again."),
    ]


def _both(item: Difference) -> str:
    """`old -> new`; of long values only the words between what they have in common."""
    if item.path == "image":
        return f"{_image(item.old)} -> {_image(item.new)}"
    old, new = _value(item.old), _value(item.new)
    if item.old is None or item.new is None or max(len(old), len(new)) < LONG:
        return f"{old} -> {new}"
    before, after = old.split(" "), new.split(" ")
    head = _alike(before, after)
    tail = _alike(before[head:][::-1], after[head:][::-1])
    middle = (words[head : len(words) - tail] for words in (before, after))
    return " -> ".join(f"{'... ' if head else ''}{' '.join(words)}{' ...' if tail else ''}" for words in middle)


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words two sequences begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _value(text: str | None) -> str:
    """A value as short as it can be without losing what differs."""
    if text is None:
        return "(none)"
    if found := VERSION.match(text):
        return found["hash"]
    return text


def _image(text: str | None) -> str:
    """An image without its registry, its digest shortened."""
    return DIGEST.sub(r" (\1)", text).rpartition("/")[2] if text else "(none)"


def _together(stacks: Sequence[str]) -> str:
    return ", ".join(stacks) if len(stacks) <= 3 else f"{', '.join(stacks[:2])} and {len(stacks) - 2} more"
