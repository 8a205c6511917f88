"""Waiting for a condition, never longer than a deadline."""

import time
from collections.abc import Callable


def until(condition: Callable[[], bool], seconds: float, *, every: float = 0.1) -> bool:
    """Ask again and again until the condition holds; False when the time was up before it did."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(every)
    return True
