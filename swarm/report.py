"""The only module that prints: steps with their time, tables, errors. Rich on a terminal, plain lines in a pipe."""

import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Lock
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.status import Status
from rich.table import Table as Grid
from rich.text import Text

from swarm.errors import NotConfirmed, SwarmstatsError

Table = tuple[Sequence[str], Sequence[Sequence[str]]]
PIPE_WIDTH = 240
QUIET_SECONDS = 5.0
WATCH_SECONDS = 2.0
AGE = re.compile(r"\b\d+[smhd] ago\b")
# Cyan, green, yellow, magenta, blue and their bright sisters: readable on dark and on light.
COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)


class Step:
    """One line of progress: `detail` is shown when it is done, `note` while it runs, each `warn` below it."""

    def __init__(
        self,
        title: str,
        status: Status | None,
        say: Callable[[str], None] | None = None,
        cancelled: Event | None = None,
    ) -> None:
        self.title = title
        self.detail = ""
        self.skipped = False
        self.cancelled = cancelled or Event()
        self.warnings: list[str] = []
        self._status = status
        self._say = say
        self._said = ("", time.monotonic())
        self._lock = Lock()

    def silent(self) -> "Step":
        """A silent part of this step: it is cancelled with it and warns through it."""
        part = Step(self.title, None, cancelled=self.cancelled)
        part.warnings = self.warnings
        return part

    def note(self, text: str) -> None:
        """Say what is happening right now: at once on a terminal, every few seconds in a log."""
        with self._lock:
            if self._status is not None:
                self._status.update(f"{escape(self.title)}  [dim]{escape(text)}[/dim]")
            elif self._say is not None and text != self._said[0] and time.monotonic() - self._said[1] > QUIET_SECONDS:
                self._said = (text, time.monotonic())
                self._say(f"    {self.title}: {text}")

    def warn(self, text: str) -> None:
        """Say once the step has ended what it did not do, though it succeeded."""
        self.warnings.append(text)


class Report:
    """Everything that a user sees: progress, tables and machine output on stdout, errors on stderr."""

    def __init__(self) -> None:
        self.console = _console(stderr=False)
        self.errors = _console(stderr=True)

    @contextmanager
    def step(self, title: str, cancelled: Event | None = None) -> Iterator[Step]:
        """Show a step while its block runs, then one line with how long it took; `cancelled` may end it."""
        began = time.monotonic()
        status = self.console.status(escape(title)) if self.console.is_terminal else None
        step = Step(title, status, None if status else self.line, cancelled)
        if status is not None:
            status.start()
        mark, colour = "✗", "red"
        try:
            yield step
            mark, colour = ("·", "dim") if step.skipped else ("✓", "green")
        finally:
            if status is not None:
                status.stop()
            left = f"{step.title}  {step.detail}" if step.detail else step.title
            self.console.print(
                f"  [{colour}]{mark}[/{colour}] {escape(left):<64} {duration(time.monotonic() - began):>9}"
            )
            for text in step.warnings:
                self.warn(text)

    @contextmanager
    def quiet(self) -> Iterator[Step]:
        """A step of which nothing but warnings is shown, for machine output."""
        step = Step("", None)
        try:
            yield step
        finally:
            for text in step.warnings:
                self.warn(text)

    def line(self, text: str = "") -> None:
        """Print one line of text as it is."""
        self.console.print(escape(text))

    def would(self, deeds: Iterable[str], otherwise: str) -> None:
        """Print what `--dry` leaves undone, a line each: `would build ...`; `otherwise` when there is nothing."""
        for line in [f"would {deed}" for deed in deeds] or [otherwise]:
            self.line(line)

    def lines(self, lines: Iterable[tuple[str, str]]) -> None:
        """Print lines of (style, text); styles are rich's, e.g. `green`, and vanish in a pipe."""
        for style, text in lines:
            self.console.print(f"[{style}]{escape(text)}[/{style}]" if style else escape(text))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table without borders; cells are plain text."""
        self.console.print(_grid(columns, rows))

    def watch(self, look: Callable[[], Table], gone: tuple[type[Exception], ...]) -> None:
        """Show a table again and again, for ever: repainted on a terminal, in a pipe whenever it is another.

        The first `look` may raise; when a later one raises an error of ours or one of `gone`, the last table stays.
        """
        failures: tuple[type[Exception], ...] = (SwarmstatsError, *gone)
        table, problem = look(), ""
        with self._canvas() as paint:
            while True:
                paint(table, problem)
                time.sleep(WATCH_SECONDS)
                try:
                    table, problem = look(), ""
                except failures as error:
                    problem = f"Refresh failed: {error}"

    @contextmanager
    def _canvas(self) -> Iterator[Callable[[Table, str], None]]:
        shown: list[object] = [None, ""]

        def write(table: Table, problem: str) -> None:
            if problem and problem != shown[1]:
                self.warn(problem)
            if (timeless := _without_ages(table)) != shown[0]:
                self.table(*table)
                sys.stdout.flush()
            shown[:] = [timeless, problem]

        if not self.console.is_terminal:
            yield write
            return
        with Live(console=self.console, screen=True, auto_refresh=False) as live:

            def repaint(table: Table, problem: str) -> None:
                line = f"{time.strftime('%H:%M:%S')}  {problem or 'Press Ctrl-C to stop.'}"
                foot = Text(line, style="red" if problem else "dim")
                live.update(Group(_grid(*table), Text(""), foot), refresh=True)

            yield repaint

    def data(self, value: Any) -> None:
        """Print a value as JSON for machines."""
        sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")

    def record(self, value: Any, *, flush: bool = False) -> None:
        """Print a value as JSON on a line of its own, one of many."""
        sys.stdout.write(json.dumps(value, default=str) + "\n")
        if flush:
            sys.stdout.flush()

    def text(self, text: str) -> None:
        """Write text to stdout untouched, for pipes."""
        sys.stdout.write(text if text.endswith("\n") else text + "\n")

    def log(self, label: str, number: int, text: str, *, flush: bool = False) -> None:
        """Print one line of a log behind its label; on a terminal the number gives the label a colour."""
        if self.console.is_terminal and not self.console.no_color:
            label = f"\x1b[{COLOURS[number % len(COLOURS)]}m{label}\x1b[0m"
        sys.stdout.write(f"{label} | {text}\n")
        if flush:
            sys.stdout.flush()

    def raw(self, chunk: bytes) -> None:
        """Write bytes to stdout as they are, at once."""
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()

    def raw_error(self, chunk: bytes) -> None:
        """Write bytes to stderr as they are, at once."""
        sys.stderr.buffer.write(chunk)
        sys.stderr.buffer.flush()

    def warn(self, text: str) -> None:
        """Warn on stderr, e.g. that an answer is incomplete."""
        self.errors.print(f"[yellow]![/yellow] {escape(text)}")

    def confirm(self, what: str, name: str) -> None:
        """Print what will be destroyed and ask for a name; raises NotConfirmed unless that name is typed.

        Every verb that destroys something asks here, unless it has `--yes`.
        """
        self.console.print(escape(what))
        if not sys.stdin.isatty():
            raise NotConfirmed(
                "Cannot ask for confirmation: standard input is not a terminal.",
                hint="Use --yes to skip the prompt.",
            )
        try:
            typed = self.console.input(escape(f"Type {name} to continue: "))
        except EOFError:
            typed = ""
        if typed.strip() != name:
            raise NotConfirmed("Not confirmed; nothing was changed.")

    def given(self, what: str) -> bytes:
        """What is piped in, or typed without being shown."""
        if sys.stdin.isatty():
            return self.console.input(escape(f"{what}: "), password=True).encode()
        return sys.stdin.buffer.read()

    def error(self, error: SwarmstatsError) -> None:
        """Print an error, what to do next, and the exit code."""
        self.errors.print(f"[red]✗[/red] {escape(error.message)}")
        if error.hint:
            self.errors.print(f"  {escape(error.hint)}")
        self.errors.print(f"[dim]Exit {error.exit_code}.[/dim]")


def _grid(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Grid:
    grid = Grid(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(escape(cell) for cell in row))
    return grid


def _without_ages(table: Table) -> Table:
    """A table without its ages, so that `3m ago` does not count as a change."""
    columns, rows = table
    return columns, [tuple(AGE.sub("", cell) for cell in row) for row in rows]


def _console(*, stderr: bool) -> Console:
    """A pipe has no width: nothing is wrapped there."""
    console = Console(stderr=stderr, highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, soft_wrap=True, width=PIPE_WIDTH)


def duration(seconds: float) -> str:
    """Seconds as people read them: `0.2s`, `2m 31.0s`."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m {rest:04.1f}s" if minutes else f"{rest:.1f}s"
