"""Runs in a task that mounts secrets: writes them to its log, encrypted for the client that asked.

It imports nothing of ours: the task gets only its text and /etc/swarmstats/message.json, with a one-time key in
hexadecimal and the paths of the secrets. The log is kept in files on the node; without the key it is useless.
"""

import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping

MESSAGE = "/etc/swarmstats/message.json"
# Longer lines are split by Docker's log drivers.
LINE = 4096


def sealed(key: bytes, content: bytes) -> bytes:
    """The content combined with a key stream (SHAKE-256 of a key for one use); the same again gives it back."""
    stream = hashlib.shake_256(key).digest(len(content))
    combined = int.from_bytes(content, "big") ^ int.from_bytes(stream, "big")
    return combined.to_bytes(len(content), "big")


def written(key: bytes, contents: Mapping[str, bytes]) -> list[str]:
    """Lines that hold contents by path, readable with the key alone."""
    told = {path: base64.b64encode(content).decode() for path, content in contents.items()}
    text = base64.b64encode(sealed(key, json.dumps(told).encode())).decode()
    return [text[start : start + LINE] for start in range(0, len(text), LINE)]


def read(key: bytes, lines: Iterable[str]) -> dict[str, bytes]:
    """Path -> content, from such lines."""
    contents = json.loads(sealed(key, base64.b64decode("".join(lines))))
    return {path: base64.b64decode(content) for path, content in contents.items()}


def content(path: str) -> bytes:
    """What a file holds."""
    with open(path, "rb") as file:
        return file.read()


if __name__ == "__main__":
    message = json.loads(content(MESSAGE))
    for line in written(bytes.fromhex(message["key"]), {path: content(path) for path in message["paths"]}):
        sys.stdout.write(f"{line}\n")
