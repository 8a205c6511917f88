"""An hour as it arrives over the network: where the connection breaks, the rest of the same file is asked for."""

import io
from collections.abc import Iterator, Mapping
from threading import Event as Signal

import httpx

from activity import log
from activity.errors import ArchiveUnreachable, HourMissing

# The file is gzip by itself: it is asked for and taken as it is stored, whatever the headers call it.
HEADERS = {"Accept-Encoding": "gzip", "User-Agent": "swarmstats"}
VALIDATORS = ("ETag", "Last-Modified")
PASSING = (408, 425, 429)
# So often in a row the rest is asked for without a byte of it arriving.
RESUMED = 5
FIRST_PAUSE, LONGEST_PAUSE, LONGEST_RETRY_AFTER = 0.5, 8.0, 120.0
NEVER = Signal()


class Download(io.RawIOBase):
    """A file of bytes that are still on their way; opening it raises HourMissing or ArchiveUnreachable.

    A connection that breaks, falls silent or ends early is taken up again where it broke, if the server still has the
    same file by its validators. ArchiveUnreachable when it does not come back, or has another file by now.
    """

    def __init__(self, url: str, timeout: httpx.Timeout, stop: Signal = NEVER) -> None:
        self._url = url
        self._stop = stop
        self._client = httpx.Client(headers=HEADERS, timeout=timeout, follow_redirects=True)
        self._place = 0
        self._rest = memoryview(b"")
        try:
            self._response = self._ask({})
            _check(url, self._response)
        except BaseException:
            self._client.close()
            raise
        self._identity = _identity(self._response)
        self._chunks: Iterator[bytes] = self._response.iter_raw()

    def close(self) -> None:
        """Let go of the connection."""
        if not self.closed:
            self._response.close()
            self._client.close()
        super().close()

    def readable(self) -> bool:
        """It can only be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill some of the buffer; 0 when all has arrived."""
        failed, pause = 0, FIRST_PAUSE
        while not self._rest:
            try:
                chunk = next(self._chunks, None)
            except httpx.HTTPError as error:
                failed, pause = failed + 1, min(2 * pause, LONGEST_PAUSE)
                self._resume(error, failed, pause)
                continue
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self._place += count
        return count

    def _resume(self, error: httpx.HTTPError, failed: int, pause: float) -> None:
        """Ask for what is lacking; whatever is wrong with the answer shows when it is read."""
        words = str(error) or type(error).__name__
        if failed > RESUMED or not any(self._identity):
            raise ArchiveUnreachable(self._url, f"{words}, after {self._place} bytes") from error
        log.warning("download broken off, going on", url=self._url, at=self._place, error=words)
        self._response.close()
        if self._stop.wait(pause if failed > 1 else 0):
            raise ArchiveUnreachable(self._url, "not waited for any longer") from error
        validator = self._identity[0] if self._identity[0].startswith('"') else self._identity[1]
        headers = {"Range": f"bytes={self._place}-", **({"If-Range": validator} if validator else {})}
        self._chunks = self._continued(headers)

    def _continued(self, headers: Mapping[str, str]) -> Iterator[bytes]:
        self._response = self._ask(headers, translate=False)
        status = self._response.status_code
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in PASSING:
            wait = _retry_after(self._response)
            self._stop.wait(wait or 0)
            raise httpx.HTTPError(f"answered with status {status}")
        if _identity(self._response) != self._identity:
            raise ArchiveUnreachable(self._url, "was replaced while it was read")
        if status == httpx.codes.PARTIAL_CONTENT:
            if not self._response.headers.get("Content-Range", "").startswith(f"bytes {self._place}-"):
                raise ArchiveUnreachable(self._url, "answered with another part than was asked for")
            yield from self._response.iter_raw()
            return
        _check(self._url, self._response)
        # A server that knows no ranges sends all of it again.
        known = self._place
        for chunk in self._response.iter_raw():
            if known < len(chunk):
                yield chunk[known:]
            known = max(known - len(chunk), 0)

    def _ask(self, headers: Mapping[str, str], *, translate: bool = True) -> httpx.Response:
        try:
            return self._client.send(self._client.build_request("GET", self._url, headers=headers), stream=True)
        except httpx.HTTPError as error:
            if not translate:
                raise
            raise ArchiveUnreachable(self._url, str(error) or type(error).__name__) from error


def _check(url: str, response: httpx.Response) -> None:
    status = response.status_code
    if status == httpx.codes.OK:
        return
    response.close()
    if status == httpx.codes.NOT_FOUND:
        raise HourMissing(url)
    passing = status >= httpx.codes.INTERNAL_SERVER_ERROR or status in PASSING
    raise ArchiveUnreachable(url, f"answered with status {status}", passing=passing, wait=_retry_after(response))


def _identity(response: httpx.Response) -> tuple[str, ...]:
    return tuple(response.headers.get(name, "") for name in VALIDATORS)


def _retry_after(response: httpx.Response) -> float | None:
    """Return how many seconds the server asks to wait; a date is answered by our own pauses."""
    value = response.headers.get("Retry-After", "")
    return min(float(value), LONGEST_RETRY_AFTER) if value.isdecimal() else None
