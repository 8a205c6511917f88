"""Wait for a condition with a deadline; the only place where tests pass the time."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
# After this many seconds something hangs, however slow the machine is: what may only take so long is measured instead.
HANG = 300.0


def wait(seconds: float) -> None:
    """Let time pass of which only the clock tells the end: a moment drawn by chance, a span to measure over."""
    time.sleep(seconds)


def until(what: str, look: Callable[[], Found | None], deadline: float = HANG, every: float = 0.25) -> Found:
    """Return what `look` finds as soon as it is true; fails naming `what` and the last thing seen."""
    end = time.monotonic() + deadline
    last: object = None
    while time.monotonic() < end:
        try:
            found = look()
            if found:
                return found
            last = found
        except (OSError, ValueError, LookupError) as error:
            last = error
        time.sleep(every)
    raise AssertionError(f"{what}: not within {deadline:.0f} s; last seen: {last!r}")
