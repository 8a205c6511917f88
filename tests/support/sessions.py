"""Sessions for tests of use cases."""

from typing import Any

from swarm.report import Report
from swarm.session import Session
from swarm.settings.environment import Environment
from swarm.shell import RecordingShell


def session(environment: Environment, engine: Any) -> Session:
    """A session with an engine, or what stands for one, and a shell that takes commands down and runs none."""
    return Session(environment, engine, RecordingShell(), Report())
