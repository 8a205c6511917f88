"""An HTTP download that resumes where the connection broke."""

import io
from collections.abc import Iterator, Mapping
from threading import Event as Signal

import httpx

from activity import log
from activity.archive.read.timing import Timing
from activity.errors import ArchiveUnreachable, HourMissing

# The stored file is gzip: it is requested and read as it is, whatever Content-Encoding the server declares.
HEADERS = {"Accept-Encoding": "gzip", "User-Agent": "swarmstats"}
VALIDATORS = ("ETag", "Last-Modified")
# Client errors that a later request may not meet: timeout, too early, too many requests.
TRANSIENT_STATUSES = (408, 425, 429)
# So many attempts in a row to resume may bring no byte.
RESUME_ATTEMPTS = 5
NEVER = Signal()


class Download(io.RawIOBase):
    """The bytes of a file while they are downloaded; opening it raises HourMissing or ArchiveUnreachable.

    A connection that breaks, falls silent or ends early is resumed, if ETag and Last-Modified show the same file.
    Reading raises ArchiveUnreachable when the server does not come back, or has replaced the file.
    """

    def __init__(self, url: str, timing: Timing, stop: Signal = NEVER) -> None:
        self._url = url
        self._timing = timing
        self._stop = stop
        self._client = httpx.Client(headers=HEADERS, timeout=timing.timeout(), follow_redirects=True)
        self._position = 0
        self._unread = memoryview(b"")
        try:
            self._response = self._request()
            self._check(self._response)
        except BaseException:
            self._client.close()
            raise
        self._validators = _validators(self._response)
        self._chunks: Iterator[bytes] = self._response.iter_raw()

    def close(self) -> None:
        """Close the connection."""
        if not self.closed:
            self._response.close()
            self._client.close()
        super().close()

    def readable(self) -> bool:
        """Return True: a download can only be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill some of the buffer; returns the number of bytes, 0 at the end of the file."""
        failures, pause_seconds = 0, self._timing.first_pause_seconds
        while not self._unread:
            try:
                chunk = next(self._chunks, None)
            except httpx.HTTPError as error:
                failures += 1
                pause_seconds = min(2 * pause_seconds, self._timing.longest_pause_seconds)
                self._resume(error, failures, pause_seconds)
                continue
            if chunk is None:
                return 0
            self._unread = memoryview(chunk)
        count = min(len(buffer), len(self._unread))
        buffer[:count] = self._unread[:count]
        self._unread = self._unread[count:]
        self._position += count
        return count

    def _resume(self, error: httpx.HTTPError, failures: int, pause_seconds: float) -> None:
        """Request the rest of the file; an error of that request is raised by the next read."""
        problem = _message(error)
        if failures > RESUME_ATTEMPTS or not any(self._validators):
            raise ArchiveUnreachable(self._url, f"{problem}, after {self._position} bytes") from error
        log.warning("download interrupted, resuming", url=self._url, at=self._position, error=problem)
        self._response.close()
        # The first attempt is immediate.
        if self._stop.wait(pause_seconds if failures > 1 else 0):
            raise ArchiveUnreachable(self._url, "stopped before the download could be resumed") from error
        etag, last_modified = self._validators
        # Only a strong ETag may be compared byte for byte (RFC 9110, 13.1.5).
        validator = etag if etag.startswith('"') else last_modified
        headers = {"Range": f"bytes={self._position}-"}
        if validator:
            headers["If-Range"] = validator
        self._chunks = self._rest(headers)

    def _rest(self, headers: Mapping[str, str]) -> Iterator[bytes]:
        self._response = self._send(headers)
        status = self._response.status_code
        if _is_transient(status):
            self._stop.wait(self._retry_after(self._response) or 0)
            raise httpx.HTTPError(f"answered with status {status}")
        if _validators(self._response) != self._validators:
            raise ArchiveUnreachable(self._url, "was replaced while it was read")
        if status == httpx.codes.PARTIAL_CONTENT:
            if not self._response.headers.get("Content-Range", "").startswith(f"bytes {self._position}-"):
                raise ArchiveUnreachable(self._url, "answered with a range that was not requested")
            yield from self._response.iter_raw()
            return
        self._check(self._response)
        # A server without support for ranges sends the whole file again: skip what was read.
        to_skip = self._position
        for chunk in self._response.iter_raw():
            if to_skip < len(chunk):
                yield chunk[to_skip:]
            to_skip = max(to_skip - len(chunk), 0)

    def _request(self) -> httpx.Response:
        try:
            return self._send({})
        except httpx.HTTPError as error:
            raise ArchiveUnreachable(self._url, _message(error)) from error

    def _send(self, headers: Mapping[str, str]) -> httpx.Response:
        return self._client.send(self._client.build_request("GET", self._url, headers=headers), stream=True)

    def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == httpx.codes.OK:
            return
        response.close()
        if status == httpx.codes.NOT_FOUND:
            raise HourMissing(self._url)
        raise ArchiveUnreachable(
            self._url,
            f"answered with status {status}",
            passing=_is_transient(status),
            wait=self._retry_after(response),
        )

    def _retry_after(self, response: httpx.Response) -> float | None:
        """Return the seconds of Retry-After; None when it is absent or a date."""
        value = response.headers.get("Retry-After", "")
        return min(float(value), self._timing.longest_retry_after_seconds) if value.isdecimal() else None


def _is_transient(status: int) -> bool:
    return status >= httpx.codes.INTERNAL_SERVER_ERROR or status in TRANSIENT_STATUSES


def _validators(response: httpx.Response) -> tuple[str, str]:
    etag, last_modified = (response.headers.get(name, "") for name in VALIDATORS)
    return etag, last_modified


def _message(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__
