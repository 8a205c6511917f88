"""Pushing by way of an engine that begins to answer and then falls silent."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from swarm.engine.client import Engine
from swarm.errors import ImageFailed
from swarm.report import Report
from swarm.stacks import images
from swarm.stacks.images import Image
from tests.support import web_server

ITEM = Image("nginx", "registry/nginx:1", Path("images/nginx"))


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    over = threading.Event()

    class Handler(web_server.Handler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            content = json.dumps({"ApiVersion": "1.41", "MinAPIVersion": "1.12"}).encode()
            self._head("Content-Length", str(len(content)))
            self.wfile.write(content)

        def do_POST(self) -> None:
            content = json.dumps({"status": "Preparing"}).encode()
            self._head("Transfer-Encoding", "chunked")
            self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
            self.wfile.flush()
            over.wait(60)

        def _head(self, header: str, value: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header(header, value)
            self.end_headers()

    with web_server.serving(Handler) as address:
        monkeypatch.setattr(images, "Engine", lambda timeout=30: Engine(host=f"tcp://{address}", timeout=timeout))
        monkeypatch.setattr(images, "PUSH_TIMEOUT_SECONDS", 1)
        monkeypatch.setattr(images, "is_pushed", lambda *_: False)
        yield
        over.set()


@pytest.mark.usefixtures("silent")
def test_an_engine_that_falls_silent_in_the_middle_is_one_clear_error() -> None:
    with pytest.raises(ImageFailed, match=r"registry/nginx:1 could not be pushed: .*timed out"):
        images.push([ITEM], Report())
