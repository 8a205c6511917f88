"""Services of the swarm and their tasks, raw."""

import http
from collections.abc import Mapping
from typing import Any

import docker
import docker.auth
import docker.errors

from swarm.engine import wire
from swarm.engine.refusals import OUT_OF_SEQUENCE
from swarm.engine.wire import Spec, Specs
from swarm.errors import ChangedMeanwhile, StackInvalid


class Services:
    """The services of a swarm; every method speaks to a manager."""

    def __init__(self, sdk: docker.DockerClient) -> None:
        self._sdk = sdk

    def list(self, stack: str | None = None, *, label: str | None = None) -> Specs:
        """Services, of one stack, with one label, or all, with ServiceStatus (running and desired tasks)."""
        filters = wire.filters(label=label or wire.of_stack(stack))
        return [dict(service) for service in self._sdk.api.services(filters=filters, status=True)]

    def get(self, identity: str) -> Spec | None:
        """One service by name or id, or None."""
        try:
            return dict(self._sdk.api.inspect_service(identity))
        except docker.errors.NotFound:
            return None

    def create(self, spec: Mapping[str, Any]) -> Spec:
        """Create a service from its specification; returns it as the managers hold it."""
        return self._write("/services/create", spec)

    def update(self, identity: str, version: int, spec: Mapping[str, Any]) -> Spec:
        """Give a service another specification, if it is still at `version`; returns it."""
        return self._write(f"/services/{identity}/update", spec, version=version)

    def remove(self, identity: str) -> None:
        """Remove a service; one that does not exist is fine."""
        try:
            self._sdk.api.remove_service(identity)
        except docker.errors.NotFound:
            return

    def _write(self, path: str, spec: Mapping[str, Any], **parameters: int) -> Spec:
        headers = self._registry_headers(str(spec["TaskTemplate"]["ContainerSpec"]["Image"]))
        try:
            answer = wire.post(self._sdk, path, spec, headers=headers, params=parameters)
        except docker.errors.APIError as error:
            if error.status_code == http.HTTPStatus.INTERNAL_SERVER_ERROR and OUT_OF_SEQUENCE in str(error):
                raise ChangedMeanwhile(f"{spec['Name']} was changed by another client in the meantime.") from error
            if error.status_code == http.HTTPStatus.CONFLICT:
                raise ChangedMeanwhile(f"{spec['Name']} was created by another client in the meantime.") from error
            raise StackInvalid(f"{spec['Name']}: Docker rejected the service: {error.explanation}") from error
        found = self.get(str(answer.get("ID") or spec["Name"]))
        if found is None:
            raise ChangedMeanwhile(f"{spec['Name']} was removed by another client in the meantime.")
        return found

    def _registry_headers(self, image: str) -> dict[str, str]:
        """The sign-in of the image's registry, which the managers pass on to the nodes that pull it."""
        registry, _ = docker.auth.resolve_repository_name(_without_tag(image))
        auth = docker.auth.get_config_header(self._sdk.api, registry)
        return {"X-Registry-Auth": auth.decode() if isinstance(auth, bytes) else auth} if auth else {}


class Tasks:
    """The tasks of a swarm; every method speaks to a manager."""

    def __init__(self, sdk: docker.DockerClient) -> None:
        self._sdk = sdk

    def list(self, stack: str | None = None, *, service: str | None = None) -> Specs:
        """Tasks, of one stack, of one service (its name or id), or all."""
        filters = wire.filters(label=wire.of_stack(stack), service=service)
        return [dict(task) for task in self._sdk.api.tasks(filters=filters)]


def _without_tag(image: str) -> str:
    """An image's name without tag and digest."""
    name = image.split("@", 1)[0]
    head, _, last = name.rpartition("/")
    return f"{head}/{last.split(':', 1)[0]}" if head else last.split(":", 1)[0]
