"""A web server that fails as real ones do: it refuses, falls silent, breaks off, sends too little, starts anew.

"cut" sends too little without a word of how much it would be: only what was sent can tell.
"""

import re
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event

from tests.support import web_server

FAULTS = ("429", "500", "503", "silent", "reset", "short", "whole", None, None)


@dataclass
class FaultyArchive:
    """A directory of hours; which fault comes when is drawn from a seed. `met` counts them."""

    folder: Path
    random: Random
    faults: tuple[str | None, ...] = FAULTS
    url: str = ""
    met: Counter[str] = field(default_factory=Counter)
    ranges: list[str] = field(default_factory=list)
    etag: str = '"one"'
    silence: float = 3.0
    closing: Event = field(default_factory=Event)


@contextmanager
def faulty(folder: Path, seed: int, faults: tuple[str | None, ...] = FAULTS) -> Iterator[FaultyArchive]:
    """Serve a directory, badly."""
    archive = FaultyArchive(folder, Random(seed), faults)

    class Handler(web_server.Handler):
        def do_GET(self) -> None:
            fault = archive.random.choice(archive.faults)
            archive.met[str(fault)] += 1
            if fault and fault.isdecimal():
                self.send_response(int(fault))
                self.send_header("Retry-After", "0")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = (archive.folder / self.path.strip("/")).read_bytes()
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            archive.ranges.append(self.headers.get("Range", ""))
            start = 0
            if asked and fault != "whole" and self.headers.get("If-Range") == archive.etag:
                start = int(asked[1])
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            self.send_header("ETag", archive.etag)
            if fault != "cut":
                self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self._send(content[start:], fault)

        def _send(self, content: bytes, fault: str | None) -> None:
            self.close_connection = True
            if fault in (None, "whole"):
                self.wfile.write(content)
                return
            self.wfile.write(content[: archive.random.randrange(len(content) + 1)])
            if fault == "silent":
                archive.closing.wait(archive.silence)
            elif fault == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()

        def finish(self) -> None:
            if self.connection.fileno() >= 0:
                super().finish()

    with web_server.serving(Handler) as address:
        archive.url = f"http://{address}"
        try:
            yield archive
        finally:
            archive.closing.set()
