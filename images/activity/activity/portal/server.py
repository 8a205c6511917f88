"""The portal as a process that no visitor sees go: asked to stop, it serves on until the proxy sends nobody more."""

import signal
from threading import Timer
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from activity.settings import Settings


class DrainingServer(uvicorn.Server):
    """A server that, asked to stop by SIGTERM, serves on for some seconds while its health check says no.

    SIGINT and a second SIGTERM end it at once; open requests are answered first.
    """

    def __init__(self, config: uvicorn.Config, app: Starlette, seconds: float) -> None:
        super().__init__(config)
        self._app = app
        self._seconds = seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take the signal."""
        if sig != signal.SIGTERM or self._app.state.leaving or not self._seconds:
            super().handle_exit(sig, frame)
            return
        self._app.state.leaving = True
        timer = Timer(self._seconds, super().handle_exit, (sig, frame))
        timer.daemon = True
        timer.start()


def serve(app: Starlette, settings: Settings) -> None:
    """Serve the portal until it is asked to stop; uvicorn says why when it cannot listen, and ends the process."""
    config = uvicorn.Config(
        app,
        host=settings.listen.host,
        port=settings.listen.port,
        log_level="warning",
        proxy_headers=True,
        forwarded_allow_ips="*",
    )
    DrainingServer(config, app, settings.linger.total_seconds()).run()
