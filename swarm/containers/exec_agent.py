"""Runs in a task on a node that cannot be reached from outside: a command in another container of that node.

It imports nothing of ours: the task gets only its text and /etc/swarmstats/message.json (container, argv, user).
"""

import http.client
import json
import socket
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

SOCKET = "/var/run/docker.sock"
MESSAGE = "/etc/swarmstats/message.json"
HEADER_BYTES = 8
STDERR = 2


class Connection(http.client.HTTPConnection):
    """HTTP through the engine's own socket."""

    def __init__(self, path: str) -> None:
        super().__init__("engine", timeout=None)
        self.path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def ask(path: str, method: str, where: str, body: dict[str, Any] | None = None) -> http.client.HTTPResponse:
    """One question to the engine; a refusal ends the task with what the engine says."""
    connection = Connection(path)
    headers = {"Content-Type": "application/json"}
    connection.request(method, where, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    if answer.status >= http.client.BAD_REQUEST:
        sys.exit(str(json.loads(answer.read() or b"{}").get("message", answer.reason)))
    return answer


def pieces(stream: BinaryIO) -> Iterator[tuple[bool, bytes]]:
    """What a container wrote, as Docker frames it: (whether to its standard error, bytes)."""
    while len(head := stream.read(HEADER_BYTES)) == HEADER_BYTES:
        yield head[0] == STDERR, stream.read(int.from_bytes(head[4:], "big"))


def run(path: str, container: str, argv: list[str], user: str) -> int:
    """Run a command, pass on what it writes, and return its exit code."""
    words = {"AttachStdout": True, "AttachStderr": True, "Cmd": argv, "User": user}
    identity = json.loads(ask(path, "POST", f"/containers/{container}/exec", words).read())["Id"]
    answer = ask(path, "POST", f"/exec/{identity}/start", {"Detach": False, "Tty": False})
    for error, said in pieces(answer):
        out = sys.stderr.buffer if error else sys.stdout.buffer
        out.write(said)
        out.flush()
    return int(json.loads(ask(path, "GET", f"/exec/{identity}/json").read())["ExitCode"])


if __name__ == "__main__":
    with open(MESSAGE) as file:
        message = json.load(file)
    sys.exit(run(SOCKET, message["container"], message["argv"], message["user"]))
