"""Driver `context`: a swarm that exists already, reached by a docker context; its nodes are not ours to make."""

from typing import NoReturn

from swarm.engine.client import Engine
from swarm.engine.refusals import REFUSALS
from swarm.errors import EngineUnavailable, NodeFailed
from swarm.report import Report
from swarm.settings.environment import Environment, Node
from swarm.shell import Shell


def create(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Check that the context's engine answers and is a manager of a swarm; nothing is made."""
    with report.step("context") as step:
        step.detail = f"{environment.file.context}, Docker Engine {_manager(environment).version()}"


def start(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Refuse: nodes of a context are started where they were made."""
    _refuse(environment, "started")


def stop(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Refuse: nodes of a context are stopped where they were made."""
    _refuse(environment, "stopped")


def remove(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Refuse: nodes of a context are not ours to remove."""
    _refuse(environment, "removed")


def remount(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Refuse: a context gives no way onto the nodes, so their mounts can neither be made nor proved."""
    _refuse(environment, "mounted")


def engine(environment: Environment, node: Node | None = None) -> Engine:
    """The context's engine; it is the only one that a context gives, whichever node is asked for."""
    found = Engine(context=environment.file.context)
    try:
        found.ping()
    except EngineUnavailable as error:
        raise EngineUnavailable(error.message, hint=error.hint or "Look at it: docker context ls") from error
    except REFUSALS as error:
        raise EngineUnavailable(f"No Docker engine answers at {found.place}: {error}") from error
    return found


def address(environment: Environment, node: Node) -> str:
    """The address that the swarm itself knows a node by; raises NodeFailed when it has no such node."""
    for item in _manager(environment).nodes.list():
        if item["Description"]["Hostname"] == node.name:
            return str(item["Status"]["Addr"])
    raise NodeFailed(f"The swarm of context {environment.file.context} has no node {node.name}.")


def holdings(environment: Environment) -> tuple[str, ...]:
    """Nothing: what runs on nodes of a context was not made by us."""
    return ()


def _manager(environment: Environment) -> Engine:
    found = engine(environment)
    if not found.info()["Swarm"]["ControlAvailable"]:
        raise NodeFailed(
            f"The engine of context {environment.file.context} is not a swarm manager.",
            hint=f"Make it a manager: docker --context {environment.file.context} swarm init; or use another context.",
        )
    return found


def _refuse(environment: Environment, done: str) -> NoReturn:
    raise NodeFailed(
        f"The nodes of context {environment.file.context} are not managed by Swarmstats and cannot be {done}. "
        "Nothing was changed.",
        hint="./run swarm.init sets their labels; all verbs for stacks work on them.",
    )
