"""Managers that do not answer for a moment (one restarts, a leader is elected) are asked again for a while.

The same request twice does no harm: whoever creates what exists is told so, and so is whoever changes what has changed.
Who is told so looks whether it is as it was to be: the first request may have been done, and only its answer lost.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError, Timeout

PAUSE = 0.5
# What a manager says that cannot speak for the swarm right now: it starts, or does not reach the others.
SPEECHLESS = ("does not have a leader", "not a swarm manager", "lost leadership", "leadership lost", "not the leader")
Answer = TypeVar("Answer")


class Patient(BaseAdapter):
    """A transport that tries again for `seconds`; once that was in vain it waits no more until an answer comes."""

    def __init__(self, inner: BaseAdapter, seconds: float) -> None:
        super().__init__()
        self.inner = inner
        self.seconds = seconds
        self.given_up = False

    def send(self, request: PreparedRequest, *words: Any, **named: Any) -> Response:
        """Send a request until it is answered, or time is up: then the last refusal is what is found."""
        end = time.monotonic() + (0 if self.given_up else self.seconds)
        while True:
            late = time.monotonic() >= end
            try:
                answer = self.inner.send(request, *words, **named)
            except (ConnectionError, Timeout):
                self.given_up = late
                if late:
                    raise
            else:
                if not speechless(answer):
                    self.given_up = False
                    return answer
                self.given_up = late
                if late:
                    return answer
                answer.close()
            time.sleep(PAUSE)

    def close(self) -> None:
        """Close what is below."""
        self.inner.close()


def teach(session: Session, seconds: float) -> None:
    """Make a session patient for so many seconds, whatever it speaks through."""
    for prefix, adapter in list(session.adapters.items()):
        session.mount(prefix, Patient(adapter.inner if isinstance(adapter, Patient) else adapter, seconds))


def patiently(act: Callable[[], Answer], seconds: float, refusals: tuple[type[Exception], ...]) -> Answer:
    """What `act` returns once it does, however often it refuses until then; raises its refusal when time is up."""
    end = time.monotonic() + seconds
    while True:
        late = time.monotonic() >= end
        try:
            return act()
        except refusals:
            if late:
                raise
        time.sleep(PAUSE)


def speechless(answer: Response) -> bool:
    """Whether a manager says that it cannot speak for the swarm right now."""
    return answer.status_code >= 500 and any(words in answer.text for words in SPEECHLESS)
