"""A client that asks through Traefik ten times a second and remembers every answer that was none."""

import time
from collections import Counter
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
    """Asks for as long as its block runs; a slow answer delays no other request.

    `story` tells what the swarm did meanwhile, for the message of a failure.
    """

    def __init__(self, ask: Callable[[], requests.Response], story: Callable[[], str]) -> None:
        self.ask = ask
        self.story = story
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
        assert not self.failures, f"{self._failed()}\n{self.story()}"
        assert self.asked > 0.8 * self.seconds / EVERY, f"only {self.asked} requests in {self.seconds:.0f} s"

    def _failed(self) -> str:
        """How many failed, from when to when, of what kinds, and the slowest."""
        when = sorted(failure.when for failure in self.failures)
        kinds = Counter(failure.what.strip() for failure in self.failures).most_common(5)
        return (
            f"{len(self.failures)} of {self.asked} requests failed, from {when[0]:%T.%f} to {when[-1]:%T.%f}, "
            f"the slowest after {max(failure.seconds for failure in self.failures):.1f} s: {kinds}"
        )

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
