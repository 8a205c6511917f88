"""The HTTP server of a service without pages (/healthz, /metrics) and the watchdog behind it."""

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

MAX_SILENCE_SECONDS = 900.0
CHECK_SECONDS = 1.0
# How soon the server notices that it is to end.
POLL_SECONDS = 0.05
STUCK_EXIT_CODE = 75


class Watchdog:
    """Detects a stuck service: the work must call `beat` at least every `patience` seconds."""

    def __init__(self, patience: float = MAX_SILENCE_SECONDS) -> None:
        self._patience = patience
        self._last = monotonic()

    def beat(self) -> None:
        """Report progress."""
        self._last = monotonic()

    def silence(self) -> float:
        """Return the seconds since the last beat."""
        return monotonic() - self._last

    @property
    def patience(self) -> float:
        """The seconds allowed between two beats."""
        return self._patience

    def is_alive(self) -> bool:
        """Tell whether the last beat is recent enough."""
        return self.silence() < self._patience


@contextmanager
def health_server(listen: Listen, watchdog: Watchdog, registry: CollectorRegistry) -> Iterator[int]:
    """Serve in a background thread for the duration of a block; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/healthz":
                alive = watchdog.is_alive()
                words = "ok" if alive else f"no progress for {watchdog.silence():.0f} s"
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
            """Requests for health and metrics are not logged."""

    server = ThreadingHTTPServer((listen.host, listen.port), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_SECONDS}, daemon=True)
    thread.start()
    ended = Signal()
    Thread(target=_watch, args=(watchdog, ended), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _watch(watchdog: Watchdog, ended: Signal) -> None:
    """Exit when there was no progress for twice the allowed time: a hanging connection cannot be interrupted otherwise.

    By then the health check has failed; this is for setups where nothing acts on the health check.
    """
    while not ended.wait(CHECK_SECONDS):
        if watchdog.silence() > 2 * watchdog.patience > 0:
            log.error(
                "no progress; exiting so that the service is restarted",
                silence=watchdog.silence(),
                exit=STUCK_EXIT_CODE,
            )
            os._exit(STUCK_EXIT_CODE)
