"""The logs of services and tasks, whichever node they are on, through the managers."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import docker
import requests

from swarm.engine import timestamps, wire
from swarm.engine.refusals import REFUSALS

CHUNK_BYTES = 65536
HEADER_BYTES = 8
STDOUT, STDERR, SYSTEM_ERROR = 1, 2, 3

Frame = tuple[int, bytes]


class Logs:
    """Logs through a manager; the SDK has no call for that of a task, and reads those of services line by line."""

    def __init__(self, sdk: docker.DockerClient, timeout: int) -> None:
        self._sdk = sdk
        self._timeout = timeout

    def of_service(self, service: str, *, tail: int = 20) -> list[str]:
        """The last lines that a service's tasks wrote, oldest first; none where the engine refuses."""
        try:
            stream = self._sdk.services.get(service).logs(stdout=True, stderr=True, tail=tail)
            text = b"".join(stream)
        except REFUSALS:
            return []
        return text.decode(errors="replace").splitlines()[-tail:]

    def of_task(self, task: str, *, tail: int = 20) -> list[str]:
        """The last lines that one task wrote; none where the engine refuses."""
        client: Any = self._sdk.api
        try:
            answer = wire.get(self._sdk, f"/tasks/{task}/logs", {"stdout": 1, "stderr": 1, "tail": tail})
            text = client._get_result_tty(False, answer, False)
        except REFUSALS:
            return []
        return [line for line in text.decode(errors="replace").splitlines() if line.strip()][-tail:]

    def frames_of_task(self, task: str, since: str) -> bytes:
        """What a task wrote since a time (as Docker writes it; empty for all), framed, each line with its time.

        Empty where the log cannot be read yet.
        """
        parameters = {"stdout": "1", "stderr": "1", "timestamps": "1", "since": timestamps.seconds(since)}
        try:
            answer = wire.get(self._sdk, f"/tasks/{task}/logs", parameters, timeout=self._timeout)
            return bytes(answer.content)
        except REFUSALS:
            return b""

    def stream_task(self, task: str, since: datetime | None, tail: int | None, timeout: int) -> requests.Response:
        """The log of a task until now; raises requests' errors."""
        return self._stream(f"/tasks/{task}/logs", since, tail, follow=False, timeout=timeout)

    def follow_service(self, service: str, since: datetime) -> requests.Response:
        """The log of all tasks of a service, which goes on; each line begins with details that name its task."""
        return self._stream(f"/services/{service}/logs", since, None, follow=True, timeout=None)

    def _stream(
        self, path: str, since: datetime | None, tail: int | None, *, follow: bool, timeout: int | None
    ) -> requests.Response:
        parameters: dict[str, Any] = {
            "stdout": True,
            "stderr": True,
            "timestamps": True,
            "follow": follow,
            "details": follow,
            "tail": "all" if tail is None else tail,
        }
        if since:
            parameters["since"] = f"{since.timestamp():.6f}"
        return wire.get(self._sdk, path, parameters, stream=True, timeout=timeout)


def split(content: bytes) -> tuple[list[Frame], bytes]:
    """The whole frames (stream, payload) of Docker's multiplexed output, and what is left of an incomplete last one.

    Source: Docker Engine API, "Attach to a container", stream format.
    """
    frames: list[Frame] = []
    at = 0
    while at + HEADER_BYTES <= len(content):
        end = at + HEADER_BYTES + int.from_bytes(content[at + 4 : at + HEADER_BYTES], "big")
        if end > len(content):
            break
        frames.append((content[at], content[at + HEADER_BYTES : end]))
        at = end
    return frames, content[at:]


def frames(response: requests.Response) -> Iterator[Frame]:
    """(stream, payload) of each frame; a service with a terminal of its own sends plain lines instead."""
    plain = "raw-stream" in response.headers.get("Content-Type", "")
    rest = b""
    with response:
        while chunk := response.raw.read1(CHUNK_BYTES):
            if plain:
                *lines, rest = (rest + chunk).split(b"\n")
                yield from ((STDOUT, line + b"\n") for line in lines)
            else:
                whole, rest = split(rest + chunk)
                yield from whole
