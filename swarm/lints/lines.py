"""From a key of a rendered stack back to the line of its template."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import yaml

from swarm.settings import yaml_lines
from swarm.settings.yaml_lines import Location

# Jinja2's own; `{{.Node.ID}}` is Swarm's and stands in the rendered text as it is.
DYNAMIC = re.compile(r"\{\{(?!\s*\.).*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
PRINTED, SILENT = "\0", "\1"

# What it costs to believe that a rendered line comes from a template line other than the next one.
LOOP, SKIP, SAME, LOST = 1.0, 0.1, 1.5, 3.0


@dataclass(frozen=True)
class _Line:
    """One line of a template that can be seen in the rendered text."""

    number: int
    pattern: re.Pattern[str]
    letters: int

    def cost(self, text: str) -> float | None:
        """0 for the same text, more the more of it comes from variables, None if it cannot come from here."""
        if not self.pattern.fullmatch(text):
            return None
        return 0.0 if self.letters == len(text) else 1.0 - self.letters / (len(text) + 1)


@lru_cache(maxsize=512)
def origins(template: str, rendered: str) -> tuple[int, ...]:
    """The template's line of each rendered line, from 1 on: the cheapest walk through the template."""
    lines = tuple(_visible(template))
    if not lines:
        return (1,) * len(rendered.splitlines())
    costs, steps = {0: 0.0}, []
    for index, text in enumerate(rendered.splitlines()):
        found = {at: cost for at, line in enumerate(lines) if (cost := line.cost(text)) is not None}
        best = {}
        for at, own in found.items():
            before, cost = min(((here, so_far + _walk(here, at, index)) for here, so_far in costs.items()), key=_second)
            best[at] = (before, cost + own)
        best = best or {here: (here, so_far + LOST) for here, so_far in costs.items()}
        steps.append({at: before for at, (before, _) in best.items()})
        costs = {at: cost for at, (_, cost) in best.items()}
    return tuple(lines[at].number for at in _backwards(steps, min(costs.items(), key=_second)[0]))


def line(rendered: str, path: Location) -> int:
    """The line of a rendered text, from 1 on, of the deepest key of a path that is there."""
    return yaml_lines.key_line(_composed(rendered), path)


def _second(pair: tuple[int, float]) -> float:
    return pair[1]


def _walk(here: int, at: int, index: int) -> float:
    if index == 0:
        return SKIP * at
    if at > here:
        return SKIP * (at - here - 1)
    return SAME if at == here else LOOP + SKIP * (here - at) / 10


def _backwards(steps: Sequence[dict[int, int]], last: int) -> list[int]:
    walked = list(accumulate(reversed(steps), lambda at, step: step[at], initial=last))
    return walked[:-1][::-1]


def _visible(template: str) -> Iterator[_Line]:
    marked = DYNAMIC.sub(lambda found: _mark(found[0]) + "\n" * found[0].count("\n"), template)
    for number, text in enumerate(marked.splitlines(), 1):
        if text.strip().startswith(SILENT):
            text = text.strip()
        if text and not text.strip(SILENT + " "):
            continue
        pieces = re.split(f"[{PRINTED}{SILENT}]", text)
        yield _Line(number, re.compile(".*".join(map(re.escape, pieces)), re.DOTALL), sum(map(len, pieces)))


def _mark(found: str) -> str:
    return PRINTED if found.startswith("{{") else SILENT


@lru_cache(maxsize=16)
def _composed(rendered: str) -> yaml.Node | None:
    node: yaml.Node | None = yaml.compose(rendered, Loader=yaml.CSafeLoader)
    return node
