"""The engine of this machine, whose containers are the nodes of a lab: one client, closed when the tests are over."""

from functools import cache

import docker


@cache
def engine() -> docker.DockerClient:
    """Its client."""
    return docker.from_env()
