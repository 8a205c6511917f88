"""Verbs of the service in the process of the tests: a process of its own would first spend a second on imports."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from subprocess import CompletedProcess
from unittest.mock import patch

from activity.__main__ import main


def run(arguments: tuple[str, ...], environ: Mapping[str, str]) -> CompletedProcess[str]:
    """Run a verb with exactly this environment; returns its exit code and output as of a process.

    An exception that the verb does not turn into an exit code is raised. Processes that the verb starts write to the
    standard error of the tests.
    """
    output, errors = StringIO(), StringIO()
    with patch.dict(os.environ, environ, clear=True), redirect_stdout(output), redirect_stderr(errors), _handlers():
        code = main(list(arguments))
    return CompletedProcess(["activity", *arguments], code, output.getvalue(), errors.getvalue())


@contextmanager
def _handlers() -> Iterator[None]:
    """Give back the signal handlers that a verb sets for its process."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
