"""Drivers: how nodes are created. Each is a plain module that meets `Driver`; DRIVERS names them."""

from typing import Protocol

from swarm.engine.client import Engine
from swarm.errors import UnknownName
from swarm.nodes import context
from swarm.nodes.lab import driver as lab
from swarm.report import Report
from swarm.settings.environment import Environment, Node
from swarm.shell import Shell


class Driver(Protocol):
    """What a driver can do; every function is idempotent and completes what was left half done.

    With `dry` it looks and says what it would do, and does nothing.
    """

    def create(self, environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
        """Make all nodes exist and run, each with an engine that answers."""

    def start(self, environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
        """Start nodes that exist and are stopped."""

    def stop(self, environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
        """Stop all nodes and keep their data."""

    def remove(self, environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
        """Remove all nodes and everything on this machine that was made for them."""

    def remount(self, environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
        """Give every node the shared storage again and prove that all see the same."""

    def engine(self, environment: Environment, node: Node | None = None) -> Engine:
        """The engine of a node, or of the first manager; raises EngineUnavailable with what to do."""

    def address(self, environment: Environment, node: Node) -> str:
        """The address under which the other nodes reach a node."""

    def holdings(self, environment: Environment) -> tuple[str, ...]:
        """The names of everything that `remove` would remove."""


DRIVERS: dict[str, Driver] = {"lab": lab, "context": context}


def driver(environment: Environment) -> Driver:
    """The driver that an environment asks for."""
    name = environment.file.driver
    if name not in DRIVERS:
        raise UnknownName("driver", name, DRIVERS)
    return DRIVERS[name]
