"""The connection to a manager of the swarm, and to the engines of its nodes."""

from contextlib import suppress

from swarm.engine.client import Engine
from swarm.engine.refusals import REFUSALS
from swarm.errors import EngineUnavailable, NodeFailed
from swarm.host import prerequisites
from swarm.nodes.drivers import driver
from swarm.settings.environment import Environment, Node
from swarm.shell import Shell

# How long a manager that is restarted may take until it speaks for the swarm again.
RETRY_SECONDS = 90.0


def connect(environment: Environment, shell: Shell) -> Engine:
    """The engine that commands the swarm, with a docker client that suits it; raises when there is no swarm."""
    chosen = driver(environment)
    first = chosen.engine(environment)
    for node in (None, *environment.nodes):
        with suppress(EngineUnavailable, *REFUSALS):
            found = chosen.engine(environment, node) if node else first
            if found.is_manager():
                return found.with_client(prerequisites.client(shell), RETRY_SECONDS)
    raise NodeFailed(f"No swarm manager found; {first.place} is not one either.", hint="./run swarm.init")


def find(environment: Environment, shell: Shell) -> Engine | None:
    """The engine that commands the swarm, or None where there is no swarm yet."""
    with suppress(NodeFailed, EngineUnavailable):
        return connect(environment, shell)
    return None


def engine(environment: Environment, node: Node) -> Engine:
    """The engine of one node; raises EngineUnavailable."""
    return driver(environment).engine(environment, node)
