"""The containers and volumes of one engine."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import docker
import docker.errors
from docker.utils.socket import STDERR, frames_iter

from swarm.engine import wire
from swarm.engine.wire import Spec, Specs

# What stands for the output of a health check that an engine could not start.
NOT_STARTED = "OCI runtime exec failed"

Write = Callable[[bytes], object]


class Containers:
    """The containers of one engine, by name or id."""

    def __init__(self, sdk: docker.DockerClient) -> None:
        self._sdk = sdk

    def list(self, label: str | None = None) -> Specs:
        """All containers, running or not, or those with a label."""
        return [dict(item) for item in self._sdk.api.containers(all=True, filters=wire.filters(label=label))]

    def state(self, container: str) -> Spec:
        """The state of a container: Running, Status, Health; raises docker.errors.NotFound."""
        return dict(self._sdk.api.inspect_container(container)["State"])

    def exists(self, container: str) -> bool:
        """Whether there is a container of this name or id."""
        try:
            self._sdk.api.inspect_container(container)
        except docker.errors.NotFound:
            return False
        return True

    def create(self, config: Mapping[str, Any], name: str | None = None) -> str:
        """Create a container from the body of `POST /containers/create`; returns its id."""
        return str(self._sdk.api.create_container_from_config(dict(config), name)["Id"])

    def start(self, container: str) -> None:
        """Start a container."""
        self._sdk.api.start(container)

    def start_if_possible(self, container: str) -> bool:
        """Start a container; False when the engine refuses."""
        try:
            self.start(container)
        except docker.errors.APIError:
            return False
        return True

    def unpause(self, container: str) -> None:
        """Let a paused container go on."""
        self._sdk.api.unpause(container)

    def stop(self, container: str, seconds: int) -> None:
        """Stop a container, which is killed after so many seconds."""
        self._sdk.api.stop(container, timeout=seconds)

    def restart(self, container: str, seconds: int) -> None:
        """Stop and start a container."""
        self._sdk.api.restart(container, timeout=seconds)

    def wait(self, container: str) -> int:
        """Wait until a container has ended; returns its exit code."""
        return int(self._sdk.api.wait(container)["StatusCode"])

    def remove(self, container: str) -> None:
        """Remove a container with its anonymous volumes; what does not exist or is being removed is left."""
        with suppress(docker.errors.APIError):
            self._sdk.api.remove_container(container, v=True, force=True)

    def last_lines(self, container: str, count: int) -> Sequence[str]:
        """The last lines that a container wrote."""
        return self._sdk.api.logs(container, tail=count).decode(errors="replace").rstrip().split("\n")

    def archive(self, container: str, path: str) -> Iterable[bytes]:
        """A file of a container as the pieces of a tar archive."""
        pieces: Iterable[bytes] = self._sdk.api.get_archive(container, path)[0]
        return pieces

    def run(self, container: str, argv: Sequence[str]) -> tuple[int, str]:
        """Run a command in a running container; returns its exit code and what it wrote."""
        identity = self._sdk.api.exec_create(container, [*argv])["Id"]
        output = self._sdk.api.exec_start(identity)
        return int(self._sdk.api.exec_inspect(identity)["ExitCode"]), output.decode(errors="replace")

    def exec(self, container: str, argv: Sequence[str], out: Write, err: Write, *, user: str = "") -> int | None:
        """Run a command in a running container, its output written as it comes; None where the connection was lost."""
        identity = self._sdk.api.exec_create(container, [*argv], user=user)["Id"]
        output: Any = self._sdk.api.exec_start(identity, socket=True)
        try:
            for stream, payload in frames_iter(output, tty=False):
                (err if stream == STDERR else out)(payload)
        finally:
            # The connection belongs to this stream alone; nothing else would close it.
            getattr(output, "_response", output).close()
        code = self._sdk.api.exec_inspect(identity)["ExitCode"]
        return None if code is None else int(code)

    def health(self, container: str) -> Sequence[str]:
        """The last output of a container's health check; a check that was cut off wrote nothing.

        A check that could not be started counts only where no other one wrote anything: the container may just have
        ended.
        """
        runs = (self.state(container).get("Health") or {}).get("Log") or ()
        outputs = [output for run in reversed(runs) if (output := str(run.get("Output", "")).strip())]
        said = min(outputs, key=lambda output: output.startswith(NOT_STARTED), default="")
        return [line for line in said.splitlines() if line.strip()]


class Volumes:
    """The volumes of one engine."""

    def __init__(self, sdk: docker.DockerClient) -> None:
        self._sdk = sdk

    def list(self, label: str | None = None) -> Specs:
        """All volumes of this engine, or those with a label."""
        return [dict(item) for item in self._sdk.api.volumes(filters=wire.filters(label=label))["Volumes"] or ()]

    def create(self, name: str, labels: Mapping[str, str]) -> None:
        """Create a volume; one that exists is left as it is."""
        self._sdk.api.create_volume(name, labels=dict(labels))

    def remove(self, name: str) -> None:
        """Remove a volume with everything in it; one that does not exist is fine."""
        with suppress(docker.errors.NotFound):
            self._sdk.api.remove_volume(name)
