"""How long reading the archive waits: for connections, for silent servers, and before it tries again."""

from dataclasses import dataclass

import httpx


@dataclass(frozen=True)
class Timing:
    """Waiting times in seconds; tests hand in shorter ones."""

    connect_seconds: float = 10
    # A server that sends nothing for so long has failed.
    silence_seconds: float = 60
    # Before a broken download continues: doubled each time.
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 8
    # A server's Retry-After is obeyed up to this.
    longest_retry_after_seconds: float = 120
    # Before an hour is read again from its start: doubled each time, with jitter.
    first_retry_seconds: float = 1
    longest_retry_seconds: float = 20

    def timeout(self) -> httpx.Timeout:
        """Return the timeouts of an HTTP client."""
        return httpx.Timeout(self.silence_seconds, connect=self.connect_seconds)
