"""Verbs of a checkout, each in a process of its own that is forked from one that has imported everything already.

Starting an interpreter and importing takes most of the time of a short verb. Where the process itself is the point (a
signal, a terminal, a pipe, `./run` itself), tests start it as a user does.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO

from tests.support.waiting import until

SERVER = Path(__file__).resolve().parent / "fork_server.py"
TIMEOUT_SECONDS = 1800.0


@dataclass
class Verbs:
    """The verbs of one checkout; its server starts with the first of them, and again after `close`."""

    root: Path
    server: "subprocess.Popen[bytes] | None" = None
    folder: Path = field(default_factory=Path)

    def run(
        self,
        words: tuple[str, ...],
        environment: Mapping[str, str],
        directory: Path,
        timeout: float = TIMEOUT_SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end; raises TimeoutExpired after it was killed."""
        request = {"words": words, "environment": dict(environment), "directory": str(directory)}
        with (
            tempfile.TemporaryFile() as output,
            tempfile.TemporaryFile() as errors,
            open(os.devnull, "rb") as nothing,
            self._connected() as connection,
            connection.makefile("rb") as answer,
        ):
            socket.send_fds(connection, [b"\n"], [nothing.fileno(), output.fileno(), errors.fileno()])
            connection.sendall(json.dumps(request).encode() + b"\n")
            process = int(answer.readline())
            connection.settimeout(timeout)
            try:
                code = int(answer.readline())
            except TimeoutError:
                os.killpg(process, signal.SIGKILL)
                raise subprocess.TimeoutExpired(words, timeout, _text(output), _text(errors)) from None
            return subprocess.CompletedProcess(words, code, _text(output), _text(errors))

    def close(self) -> None:
        """End the server; the next verb finds the code as it is then."""
        if self.server:
            self.server.terminate()
            self.server.wait()
            shutil.rmtree(self.folder)
        self.server = None

    def _connected(self) -> socket.socket:
        if self.server is None:
            # The path of a socket is short: pytest's folders are not.
            self.folder = Path(tempfile.mkdtemp(prefix="verbs-"))
            argv = (sys.executable, "-P", str(SERVER), str(self.root), str(self.folder / "socket"))
            self.server = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True)
        return until("the server of verbs", self._connect, every=0.05)

    def _connect(self) -> socket.socket:
        assert self.server is not None
        assert self.server.poll() is None, f"the server of verbs ended with {self.server.returncode}"
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self.folder / "socket"))
        except OSError:
            connection.close()
            raise
        return connection


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()


@cache
def of(root: Path) -> Verbs:
    """The verbs of a checkout, for the whole session."""
    made = Verbs(root)
    _all.append(made)
    return made


def close() -> None:
    """End all servers."""
    while _all:
        _all.pop().close()


_all: list[Verbs] = []
