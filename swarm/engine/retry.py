"""Retries while managers do not answer for a moment: one restarts, or a leader is elected.

Retrying is safe: a repeated create answers 409, a repeated update "out of sequence"; the caller then checks whether the
first attempt took effect and only its answer was lost.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError, Timeout

PAUSE_SECONDS = 0.5
# What a manager says that cannot speak for the swarm right now: it starts, or does not reach the others.
LEADERLESS = ("does not have a leader", "not a swarm manager", "lost leadership", "leadership lost", "not the leader")
Answer = TypeVar("Answer")


class RetryAdapter(BaseAdapter):
    """A transport that retries for `seconds`; once that was in vain it does not retry until an answer comes."""

    def __init__(self, inner: BaseAdapter, seconds: float, pause: float) -> None:
        super().__init__()
        self.inner = inner
        self.seconds = seconds
        self.pause = pause
        self.given_up = False

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        """Send a request until it is answered or time is up: then the last refusal is returned or raised."""
        end = time.monotonic() + (0 if self.given_up else self.seconds)
        while True:
            late = time.monotonic() >= end
            try:
                answer = self.inner.send(request, *arguments, **options)
            except (ConnectionError, Timeout):
                self.given_up = late
                if late:
                    raise
            else:
                if not is_leaderless(answer):
                    self.given_up = False
                    return answer
                self.given_up = late
                if late:
                    return answer
                answer.close()
            time.sleep(self.pause)

    def close(self) -> None:
        """Close the transport below."""
        self.inner.close()


def mount_retries(session: Session, seconds: float, pause: float = PAUSE_SECONDS) -> None:
    """Let a session retry for so many seconds, with pauses between, whatever its transports are."""
    for prefix, adapter in list(session.adapters.items()):
        inner = adapter.inner if isinstance(adapter, RetryAdapter) else adapter
        session.mount(prefix, RetryAdapter(inner, seconds, pause))


def until_accepted(
    act: Callable[[], Answer], seconds: float, refusals: tuple[type[Exception], ...], pause: float = PAUSE_SECONDS
) -> Answer:
    """What `act` returns, retried while it raises one of `refusals`; raises the last one when time is up."""
    end = time.monotonic() + seconds
    while True:
        late = time.monotonic() >= end
        try:
            return act()
        except refusals:
            if late:
                raise
        time.sleep(pause)


def is_leaderless(answer: Response) -> bool:
    """Whether a manager says that it cannot speak for the swarm right now."""
    return answer.status_code >= 500 and any(words in answer.text for words in LEADERLESS)
