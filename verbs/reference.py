"""The reference of all verbs, docs/verbs.md, from their own usage, help and flags.

`python -m verbs.reference` writes it; a unit test fails when it is out of date.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from invoke import Collection
from invoke.parser import Argument

from swarm.report import Report
from verbs.arguments import Verb

FILE = Path(__file__).resolve().parent.parent / "docs" / "verbs.md"
# A flag that so many verbs have with the same meaning is explained once, at the top.
SHARED = 4
INTRODUCTION = """\
# Verbs

Generated from the code by `python -m verbs.reference`; do not edit.

`./run VERB --help` prints the same on the terminal, `./run --list` lists all verbs. Words in brackets are optional.
[Selecting a part of the platform](selection.md) explains STACK, `--label` and `--projects`;
[Troubleshooting](troubleshooting.md) lists the exit codes.
"""
# Verbs without a namespace come first; a namespace without a title here gets its name.
TITLES = {
    "": "Stacks and services",
    "db": "Database and backups",
    "project": "Projects",
    "secret": "Secrets",
    "swarm": "Nodes",
    "lock": "Deploy lock",
    "release": "Releases",
    "bench": "Benchmarks",
}

Row = tuple[str, ...]


@dataclass(frozen=True)
class Flag:
    """A flag as the page shows it: its names with its value (`-e`, `--env ENV`), and what it means."""

    names: str
    meaning: str

    @property
    def long(self) -> str:
        """Its long name alone."""
        return self.names.split("`")[-2].partition(" ")[0]


def text(verbs: Collection) -> str:
    """The whole page as Markdown."""
    names = sorted(verbs.task_names, key=_position)
    flags = {name: _flags(_verb(verbs, name)) for name in names}
    shared = _shared(flags)
    lines = [INTRODUCTION, "## Shared flags"]
    lines += _table(("Flag", "Meaning"), ((flag.names, flag.meaning) for flag in shared))
    for namespace, members in groupby(names, _namespace):
        lines += ["", f"## {TITLES.get(namespace, namespace)}"]
        lines += _section(verbs, list(members), flags, shared)
    return "\n".join([*lines, ""])


def _section(verbs: Collection, names: list[str], flags: Mapping[str, list[Flag]], shared: list[Flag]) -> Iterator[str]:
    """A table of verbs, and one of the flags that are not shared."""
    rows: list[Row] = []
    own: list[Row] = []
    for name in names:
        verb = _verb(verbs, name)
        common = [f"`{flag.long}`" for flag in flags[name] if flag in shared]
        rows.append((f"`{_usage(name, verb)}`", (verb.__doc__ or "").strip(), " ".join(common)))
        own += [(f"`{name}`", flag.names, flag.meaning) for flag in flags[name] if flag not in shared]
    yield from _table(("Verb", "What it does", "Shared flags"), rows)
    if own:
        yield ""
        yield from _table(("Verb", "Flag", "Meaning"), own)


def _verb(verbs: Collection, name: str) -> Verb:
    found = verbs[name]
    assert isinstance(found, Verb)
    return found


def _usage(name: str, verb: Verb) -> str:
    return verb.usage(name).removeprefix("./run ").replace(" [options]", "")


def _namespace(name: str) -> str:
    return name.rpartition(".")[0]


def _position(name: str) -> tuple[int, str, str]:
    """Sort by section in the order of TITLES, then by name."""
    namespace = _namespace(name)
    order = list(TITLES)
    section = order.index(namespace) if namespace in order else len(order)
    return section, namespace, name


def _flags(verb: Verb) -> list[Flag]:
    """The flags of a verb in the order of its parameters."""
    arguments = verb.get_arguments()
    return [Flag(_written(item), item.help or "") for item in arguments if not item.positional]


def _written(argument: Argument) -> str:
    """A flag with its short form and its value: `-e`, `--env ENV`."""
    dashed = [name.replace("_", "-") for name in sorted(argument.names, key=len)]
    names = [f"-{name}" if len(name) == 1 else f"--{name}" for name in dashed]
    if argument.takes_value:
        names[-1] = f"{names[-1]} {dashed[-1].upper()}"
    return ", ".join(f"`{name}`" for name in names)


def _shared(flags: Mapping[str, list[Flag]]) -> list[Flag]:
    """The flags that many verbs have with the same meaning, the most common first."""
    counted = Counter(flag for found in flags.values() for flag in found)
    return [flag for flag, number in counted.most_common() if number >= SHARED]


def _table(head: Row, rows: Iterable[Row]) -> Iterator[str]:
    """A Markdown table; a vertical bar in a cell is escaped."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        cells = (cell.replace("|", r"\|") for cell in row)
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    """Write the page."""
    import tasks  # which imports all other modules of this package

    FILE.write_text(text(tasks.namespace))
    Report().line(f"{FILE.relative_to(FILE.parent.parent)} written")


if __name__ == "__main__":
    main()
