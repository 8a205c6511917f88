"""What a service without pages answers over HTTP: /healthz and /metrics."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event as Signal
from threading import Thread
from time import monotonic

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from activity import log
from activity.settings import Listen

PATIENCE_SECONDS = 900.0
TICK_SECONDS = 1.0
# How soon the server notices that it is to end.
POLL_SECONDS = 0.05
STUCK = 75


class Watchdog:
    """Tells whether the work goes on: it has to beat now and then."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._last = monotonic()

    def beat(self) -> None:
        """Say that the work goes on."""
        self._last = monotonic()

    def silence(self) -> float:
        """Return the seconds since the last beat."""
        return monotonic() - self._last

    @property
    def patience(self) -> float:
        """The seconds that may pass between two beats."""
        return self._patience

    def is_alive(self) -> bool:
        """Tell whether the last beat is not too long ago."""
        return self.silence() < self._patience


@contextmanager
def health_server(listen: Listen, pulse: Watchdog, registry: CollectorRegistry) -> Iterator[int]:
    """Answer in the background for the length of a block; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/healthz":
                alive = pulse.is_alive()
                words = "ok" if alive else f"no progress for {pulse.silence():.0f} s"
                self._answer(200 if alive else 503, "text/plain; charset=utf-8", f"{words}\n".encode())
            elif self.path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest(registry))
            else:
                self._answer(404, "text/plain; charset=utf-8", b"not found; only /healthz and /metrics exist\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """A request to these two pages is not worth a line."""

    server = ThreadingHTTPServer((listen.host, listen.port), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_SECONDS}, daemon=True)
    thread.start()
    ended = Signal()
    Thread(target=_watch, args=(pulse, ended), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _watch(pulse: Watchdog, ended: Signal) -> None:
    """End a process that is stuck twice as long as it may be: a connection that hangs gives it no chance to by itself.

    By then its health check has failed; this is for where nobody looks at that.
    """
    while not ended.wait(TICK_SECONDS):
        if pulse.silence() > 2 * pulse.patience > 0:
            log.error("no progress; exiting so that the service is restarted", silence=pulse.silence(), exit=STUCK)
            os._exit(STUCK)
