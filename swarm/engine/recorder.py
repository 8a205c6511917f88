"""A recording endpoint: it answers the docker client as a manager would, does nothing, and keeps what it was sent."""

import json
import re
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Body = dict[str, Any]
VERSION = re.compile(r"^/v[0-9.]+")
CREATED = ("/services/create", "/networks/create", "/secrets/create", "/configs/create")


class Recorder(socketserver.ThreadingUnixStreamServer):
    """Listens on a unix socket; `created` holds (path, body) of every object that a client asked to create."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path: Path, api: str) -> None:
        self.api = api
        self.host = f"unix://{path}"
        self.created: list[tuple[str, Body]] = []
        self.guard = Lock()
        super().__init__(str(path), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def do_HEAD(self) -> None:
        self._answer({})

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        path = VERSION.sub("", address.path)
        filters = json.loads(parse_qs(address.query).get("filters", ["{}"])[0])
        if path == "/info":
            self._answer({"Swarm": {"ControlAvailable": True, "LocalNodeState": "active"}})
        elif path.startswith("/networks/"):
            name = unquote(path.removeprefix("/networks/"))
            self._answer({"Name": name, "Id": name, "Scope": "swarm"})
        elif path in ("/configs", "/secrets"):
            self._answer([{"ID": name, "Spec": {"Name": name}} for name in filters.get("name", ())])
        else:
            self._answer({} if path == "/_ping" else [])

    def do_POST(self) -> None:
        path = VERSION.sub("", urlsplit(self.path).path)
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if path in CREATED:
            with self.server.guard:
                self.server.created.append((path, body))
        self._answer({"ID": body.get("Name", ""), "Id": body.get("Name", "")}, 201)

    def _answer(self, body: Any, code: int = 200) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        for key, value in (("Api-Version", self.server.api), ("Ostype", "linux"), ("Content-Type", "application/json")):
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def address_string(self) -> str:
        return "client"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the report is the only one that prints."""


@contextmanager
def listening(api: str) -> Iterator[Recorder]:
    """An endpoint that speaks the API of a version, e.g. `1.45`, for as long as the block runs."""
    with TemporaryDirectory(prefix="swarmstats-") as folder, Recorder(Path(folder) / "engine.sock", api) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
