"""The only module that starts processes."""

import os
import shlex
import subprocess
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from swarm.errors import CommandFailed, ToolMissing

Argv = tuple[str, ...]
TAIL_LINES = 12
KEPT_LINES = 1000


@dataclass(frozen=True)
class Result:
    """What a process left behind: exit code and decoded output."""

    argv: Argv
    code: int
    stdout: str = ""
    stderr: str = ""

    def tail(self) -> str:
        """The last lines of what it said, stderr first."""
        lines = (self.stderr.strip() or self.stdout.strip()).splitlines()
        return "\n".join(lines[-TAIL_LINES:])


class Shell:
    """Runs commands given as tuples; secrets go in by `stdin`, never by argv."""

    def run(
        self,
        argv: Argv,
        *,
        stdin: str | None = None,
        environment: Mapping[str, str] | None = None,
        check: bool = True,
        timeout: float | None = None,
        directory: str | None = None,
    ) -> Result:
        """Run a command to its end; raises CommandFailed on a non-zero code and ToolMissing when it is not there."""
        try:
            done = subprocess.run(
                argv,
                input=stdin,
                env={**os.environ, **(environment or {})},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                cwd=directory,
                check=False,
            )
        except FileNotFoundError as error:
            raise ToolMissing(f"`{argv[0]}` is not installed on this machine.", hint=f"Install {argv[0]}.") from error
        except subprocess.TimeoutExpired as error:
            raise CommandFailed(f"`{shlex.join(argv)}` did not finish within {timeout:.0f} s.") from error
        result = Result(argv, done.returncode, done.stdout, done.stderr)
        if check and result.code != 0:
            raise CommandFailed(f"`{shlex.join(argv)}` exited with {result.code}:\n{result.tail()}")
        return result

    def attach(self, argv: Argv, *, environment: Mapping[str, str] | None = None) -> int:
        """Run a command on this terminal, its output unchanged; returns its exit code."""
        try:
            return subprocess.run(argv, env={**os.environ, **(environment or {})}, check=False).returncode
        except FileNotFoundError as error:
            raise ToolMissing(f"`{argv[0]}` is not installed on this machine.", hint=f"Install {argv[0]}.") from error

    def follow(
        self, argv: Argv, line: Callable[[str], None], *, environment: Mapping[str, str] | None = None
    ) -> Result:
        """Run a command and hand over each line of its output as it comes; the result keeps the last of them."""
        try:
            process = subprocess.Popen(
                argv,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except FileNotFoundError as error:
            raise ToolMissing(f"`{argv[0]}` is not installed on this machine.", hint=f"Install {argv[0]}.") from error
        with process:
            said: deque[str] = deque(maxlen=KEPT_LINES)
            for text in process.stdout or ():
                said.append(text)
                line(text.rstrip("\n"))
        return Result(argv, process.returncode, "".join(said))

    def spawn(self, argv: Argv, *, log: str) -> int:
        """Start a process that outlives us, its output appended to the file `log`; returns its process id."""
        try:
            with open(log, "ab") as output:
                process = subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
                )
        except FileNotFoundError as error:
            raise ToolMissing(f"`{argv[0]}` is not installed on this machine.", hint=f"Install {argv[0]}.") from error
        return process.pid


@dataclass
class RecordingShell(Shell):
    """Runs nothing: records every command and answers from a table of prefixes, for dry runs and tests."""

    answers: Mapping[Argv, Result] = field(default_factory=dict)
    ran: list[Argv] = field(default_factory=list)
    given: list[str | None] = field(default_factory=list)

    def run(
        self,
        argv: Argv,
        *,
        stdin: str | None = None,
        environment: Mapping[str, str] | None = None,
        check: bool = True,
        timeout: float | None = None,
        directory: str | None = None,
    ) -> Result:
        self.ran.append(argv)
        self.given.append(stdin)
        result = self._answer(argv)
        if check and result.code != 0:
            raise CommandFailed(f"`{shlex.join(argv)}` exited with {result.code}:\n{result.tail()}")
        return result

    def attach(self, argv: Argv, *, environment: Mapping[str, str] | None = None) -> int:
        self.ran.append(argv)
        return self._answer(argv).code

    def follow(
        self, argv: Argv, line: Callable[[str], None], *, environment: Mapping[str, str] | None = None
    ) -> Result:
        self.ran.append(argv)
        return self._answer(argv)

    def spawn(self, argv: Argv, *, log: str) -> int:
        self.ran.append(argv)
        return 0

    def _answer(self, argv: Argv) -> Result:
        for length in range(len(argv), 0, -1):
            if argv[:length] in self.answers:
                return self.answers[argv[:length]]
        return Result(argv, 0)
