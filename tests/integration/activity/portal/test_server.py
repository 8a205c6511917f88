"""A portal that is asked to stop serves on until the proxy knows."""

import socket
import time
from contextlib import closing

import httpx

from tests.support.waiting import HANG, until


def test_a_portal_asked_to_stop_says_so_to_health_checks_and_serves_on_for_a_while(seeded) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    process = seeded.start("serve", ACTIVITY_LISTEN=f"127.0.0.1:{port}", ACTIVITY_LINGER="6s")

    def status(path: str) -> int:
        try:
            return httpx.get(f"http://127.0.0.1:{port}{path}").status_code
        except httpx.TransportError:
            return 0

    try:
        until("the portal", lambda: status("/healthz") == 200)
        began = time.monotonic()
        process.terminate()
        until("its no", lambda: status("/healthz") == 503, deadline=5)
        assert status("/api") == 200
        process.wait(HANG)
        assert 6 <= time.monotonic() - began < 20
    finally:
        process.kill()
        _, told = process.communicate(timeout=HANG)
    assert "Traceback" not in told, told
