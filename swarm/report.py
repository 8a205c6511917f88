"""The only module that prints: steps with their time, tables, errors. Rich on a terminal, plain lines in a pipe."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Lock
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from swarm.errors import NotConfirmed, SwarmstatsError

PIPE_WIDTH = 240
QUIET = 5.0


class Step:
    """One line of progress: `detail` is shown when it is done, `note` while it runs."""

    def __init__(self, title: str, status: Status | None, say: Callable[[str], None] | None = None) -> None:
        self.title = title
        self.detail = ""
        self.skipped = False
        self.cancelled = Event()
        self._status = status
        self._say = say
        self._said = ("", time.monotonic())
        self._lock = Lock()

    def silent(self) -> "Step":
        """A part of this step that says nothing by itself, and is cancelled with it."""
        part = Step(self.title, None)
        part.cancelled = self.cancelled
        return part

    def note(self, text: str) -> None:
        """Say what is happening right now: at once on a terminal, every few seconds in a log."""
        with self._lock:
            if self._status is not None:
                self._status.update(f"{escape(self.title)}  [dim]{escape(text)}[/dim]")
            elif self._say is not None and text != self._said[0] and time.monotonic() - self._said[1] > QUIET:
                self._said = (text, time.monotonic())
                self._say(f"    {self.title}: {text}")


class Report:
    """Everything that a user sees: progress, tables and machine output on stdout, errors on stderr."""

    def __init__(self) -> None:
        self.console = _console(stderr=False)
        self.errors = _console(stderr=True)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step while its block runs, then one line with how long it took."""
        began = time.monotonic()
        status = self.console.status(escape(title)) if self.console.is_terminal else None
        step = Step(title, status, None if status else self.line)
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

    @contextmanager
    def quiet(self) -> Iterator[Step]:
        """A step of which nothing is shown, for machine output."""
        yield Step("", None)

    def line(self, text: str = "") -> None:
        """Print one line of text as it is."""
        self.console.print(escape(text))

    def lines(self, lines: Iterable[tuple[str, str]]) -> None:
        """Print lines of (style, text); styles are rich's, e.g. `green`, and vanish in a pipe."""
        for style, text in lines:
            self.console.print(f"[{style}]{escape(text)}[/{style}]" if style else escape(text))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table without borders; cells are plain text."""
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        self.console.print(table)

    def data(self, value: Any) -> None:
        """Print a value as JSON for machines."""
        sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")

    def text(self, text: str) -> None:
        """Write text to stdout untouched, for pipes."""
        sys.stdout.write(text if text.endswith("\n") else text + "\n")

    def confirm(self, what: str, name: str) -> None:
        """Say what will be destroyed and ask for a name; raises NotConfirmed unless it is typed."""
        self.console.print(escape(what))
        if not sys.stdin.isatty():
            raise NotConfirmed("Nobody is here to confirm.", hint="Say --yes to go on without being asked.")
        if self.console.input(f"Type {name} to go on: ").strip() != name:
            raise NotConfirmed("Not confirmed; nothing was done.")

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


def _console(*, stderr: bool) -> Console:
    """A pipe has no width: nothing is wrapped there."""
    console = Console(stderr=stderr, highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, soft_wrap=True, width=PIPE_WIDTH)


def duration(seconds: float) -> str:
    """Seconds as people read them: `0.2s`, `2m 31.0s`."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m {rest:04.1f}s" if minutes else f"{rest:.1f}s"
