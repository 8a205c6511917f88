"""Networks of the swarm and of one engine, raw."""

import http
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import docker
import docker.errors

from swarm.engine import wire
from swarm.engine.wire import Specs
from swarm.errors import StackInvalid


class Networks:
    """Networks: `list` shows those of the swarm, `local` those of this one engine."""

    def __init__(self, sdk: docker.DockerClient) -> None:
        self._sdk = sdk

    def list(self, stack: str | None = None) -> Specs:
        """Networks of the swarm scope, of one stack or all."""
        filters = wire.filters(scope="swarm", label=wire.of_stack(stack))
        return [dict(network) for network in self._sdk.api.networks(filters=filters)]

    def local(self, label: str | None = None) -> Specs:
        """All networks that this engine knows, or those with a label."""
        return [dict(network) for network in self._sdk.api.networks(filters=wire.filters(label=label))]

    def create(self, body: Mapping[str, Any]) -> None:
        """Create a network from the body of `POST /networks/create`; one that exists is left as it is."""
        try:
            wire.post(self._sdk, "/networks/create", body)
        except docker.errors.APIError as error:
            if error.status_code != http.HTTPStatus.CONFLICT:
                raise StackInvalid(f"network {body['Name']}: {error.explanation}") from error

    def create_local(self, **options: Any) -> None:
        """Create a network of this engine from the SDK's keyword arguments."""
        self._sdk.api.create_network(**options)

    def remove(self, identity: str) -> bool:
        """Remove a network; one that does not exist is fine, False when something still uses it."""
        try:
            self._sdk.api.remove_network(identity)
        except docker.errors.APIError as error:
            return bool(error.status_code == http.HTTPStatus.NOT_FOUND)
        return True

    def disconnect(self, network: str, container: str) -> None:
        """Disconnect a container; what the engine does not know, or refuses, is left."""
        with suppress(docker.errors.APIError):
            self._sdk.api.disconnect_container_from_network(container, network, force=True)

    def remove_local(self, name: str) -> None:
        """Remove a network of this engine, with endpoints that a killed engine left in it; raises APIError."""
        with suppress(docker.errors.NotFound):
            for endpoint in self._sdk.api.inspect_network(name)["Containers"] or ():
                self.disconnect(name, endpoint)
            self._sdk.api.remove_network(name)
