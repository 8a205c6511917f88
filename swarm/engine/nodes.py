"""The nodes of a swarm, and the swarm as the engines form it."""

from collections.abc import Mapping
from typing import Any

import docker

from swarm.engine.wire import Spec, Specs


class Nodes:
    """The nodes of a swarm; every method speaks to a manager."""

    def __init__(self, sdk: docker.DockerClient) -> None:
        self._sdk = sdk

    def list(self) -> Specs:
        """All nodes, raw."""
        return [dict(node.attrs) for node in self._sdk.nodes.list()]

    def inspect(self, identity: str) -> Spec:
        """One node by its id, raw."""
        return dict(self._sdk.api.inspect_node(identity))

    def update(self, node: Spec, spec: Mapping[str, Any]) -> None:
        """Give a node, as `list` or `inspect` returned it, another specification (labels, role, availability)."""
        api: Any = self._sdk.api
        api.update_node(node["ID"], node["Version"]["Index"], dict(spec))

    def remove(self, identity: str) -> None:
        """Remove a node from the swarm, whatever its state."""
        self._sdk.api.remove_node(identity, force=True)


class SwarmMembership:
    """The part that one engine plays in a swarm: begin one, join one, leave it; and the swarm's own settings."""

    def __init__(self, sdk: docker.DockerClient) -> None:
        self._sdk = sdk

    def inspect(self) -> Spec:
        """The swarm's settings and join tokens, raw; only a manager knows them."""
        return dict(self._sdk.api.inspect_swarm())

    def update(self, swarm: Spec, spec: Mapping[str, Any]) -> None:
        """Give the swarm, as `inspect` returned it, other settings."""
        self._sdk.api.update_swarm(swarm["Version"]["Index"], swarm_spec=dict(spec))

    def init(self, address: str, listen: str) -> None:
        """Begin a swarm with this engine as its first manager."""
        self._sdk.api.init_swarm(address, listen)

    def join(self, manager: str, token: str, listen: str, address: str) -> None:
        """Join the swarm of a manager (`address:port`) in the role that the token stands for."""
        self._sdk.api.join_swarm(remote_addrs=[manager], join_token=token, listen_addr=listen, advertise_addr=address)

    def leave(self) -> None:
        """Leave the swarm, whatever depends on this node."""
        self._sdk.api.leave_swarm(force=True)
