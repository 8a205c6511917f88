"""A client that asks through Traefik ten times a second and remembers every answer that was none."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from types import TracebackType

import requests

EVERY = 0.1
AT_ONCE = 16


@dataclass(frozen=True)
class Failure:
    """A request that was not served: when it was sent, how long it took, and what came instead."""

    when: datetime
    seconds: float
    what: str


class Traffic:
    """Asks for as long as its block runs; a slow answer delays no other request."""

    def __init__(self, ask: Callable[[], requests.Response]) -> None:
        self.ask = ask
        self.asked = 0
        self.failures: list[Failure] = []
        self.seconds = 0.0
        self._over = Event()
        self._lock = Lock()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Traffic":
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self.seconds = time.monotonic() - self._began

    def demand_no_failure(self) -> None:
        """Fail unless it asked all the time and every request was served."""
        assert not self.failures, f"{len(self.failures)} of {self.asked} requests failed: {self.failures[:10]}"
        assert self.asked > 0.8 * self.seconds / EVERY, f"only {self.asked} requests in {self.seconds:.0f} s"

    def _run(self) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while not self._over.wait(max(0.0, self._began + self.asked * EVERY - time.monotonic())):
                self.asked += 1
                pool.submit(self._one)

    def _one(self) -> None:
        when, began = datetime.now(UTC), time.monotonic()
        try:
            answer = self.ask()
            what = "" if answer.status_code == 200 else f"{answer.status_code} {answer.text[:80]}"
        except requests.RequestException as error:
            what = repr(error)
        if what:
            with self._lock:
                self.failures.append(Failure(when, time.monotonic() - began, what))
