"""What changes inside a config: the lines in which a new version differs from the one that runs. Secrets have none."""

from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff

from swarm.engine.client import Engine
from swarm.plan.plan import StackPlan
from swarm.stacks import versions
from swarm.stacks.stack import Stack

CONFIG = "configs."


@dataclass(frozen=True)
class ConfigDiff:
    """The lines of a config that come and go, as `diff -u` shows them, without its head."""

    lines: tuple[str, ...]

    @property
    def added(self) -> int:
        """How many lines come."""
        return sum(line.startswith("+") for line in self.lines)

    @property
    def removed(self) -> int:
        """How many lines go."""
        return sum(line.startswith("-") for line in self.lines)


Edits = Mapping[tuple[str, str], ConfigDiff]


def config_diffs(rendered: Sequence[Stack], plans: Iterable[StackPlan], engine: Engine) -> Edits:
    """(old version, new version) -> what changes in it, of every config that a plan replaces."""
    pairs = {
        (item.old, item.new)
        for done in plans
        for change in done.pending
        for item in change.differences
        if item.path.startswith(CONFIG) and item.old and item.new
    }
    if not pairs:
        return {}
    running = engine.configs.list(versions.LABEL)
    held = {str(item["Spec"]["Name"]): b64decode(item["Spec"].get("Data") or "") for item in running}
    new = {config.name: config.content for stack in rendered for config in stack.configs}
    texts = {**held, **new}
    return {pair: _edit(texts[pair[0]], texts[pair[1]]) for pair in sorted(pairs) if texts.keys() >= set(pair)}


def _edit(old: bytes, new: bytes) -> ConfigDiff:
    before, after = (text.decode(errors="replace").splitlines() for text in (old, new))
    return ConfigDiff(tuple(unified_diff(before, after, lineterm="", n=2))[2:])
