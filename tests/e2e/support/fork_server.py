"""`python -P fork_server.py ROOT SOCKET`: run verbs of the checkout ROOT in processes that need not import anything.

It imports all modules once, and forks a process for each connection. That process is as one that was started by
itself: it has the given words, environment, directory and streams, and ends with an exit code of its own. The
connection carries the streams and the request, then the id of the process, then its exit code, negative for a signal.
"""

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

# What verbs import late, because not every verb needs it.
LIBRARIES = ("docker", "jinja2", "pydantic", "requests", "rich.console", "yaml")
PARENT_SECONDS = 5.0


def load(root: str) -> None:
    """Import every module that a verb may need."""
    sys.path.insert(0, root)
    for name in LIBRARIES:
        importlib.import_module(name)
    for room in ("swarm", "verbs"):
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            importlib.import_module(module.name)
    # What is there now stays: collecting it in each process would only copy its pages.
    gc.collect()
    gc.freeze()


def serve(path: str) -> dict[str, Any]:
    """Answer connections until the parent has gone; returns a request, in the process that is to run it."""
    parent = os.getppid()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    listener.settimeout(PARENT_SECONDS)
    while os.getppid() == parent:
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        attendant = os.fork()
        if attendant == 0:
            listener.close()
            return attend(connection)
        connection.close()
        ended()
    sys.exit()


def ended() -> None:
    """Let attendants that have ended go."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            continue
    except ChildProcessError:
        return


def attend(connection: socket.socket) -> dict[str, Any]:
    """Read one request and report how its process ends; returns in that process only."""
    connection.settimeout(None)
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rb") as lines:
        request: dict[str, Any] = json.loads(lines.readline())
    process = os.fork()
    if process:
        # Who asked may have been killed meanwhile.
        with suppress(BrokenPipeError):
            connection.sendall(b"%d\n" % process)
            _, status = os.waitpid(process, 0)
            connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        # Nothing of what was imported is to be ended here.
        os._exit(0)
    connection.close()
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    return request


if __name__ == "__main__":
    root, path = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    load(root)
    wanted = serve(path)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(wanted["directory"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    program = os.path.join(root, "tasks.py")
    sys.argv = [program, *wanted["words"]]
    runpy.run_path(program, run_name="__main__")
