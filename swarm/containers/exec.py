"""A command in a running container of a service, on whichever node it runs."""

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from swarm.containers import exec_agent, jobs
from swarm.containers.job_log import Line
from swarm.containers.job_spec import Job
from swarm.engine.client import Engine
from swarm.engine.refusals import REFUSALS, APIError
from swarm.errors import ArgumentInvalid, CommandFailed, EngineUnavailable, NodeFailed, UnknownName
from swarm.live import lookup, services
from swarm.live.services import Service, Task
from swarm.nodes import manager
from swarm.settings.environment import Environment
from swarm.shell import Shell
from swarm.stacks import images

CONTEXT_SECONDS = 10
AGENT_IMAGE = "activity"
AGENT_SECONDS = 3600.0

Write = Callable[[bytes], object]


@dataclass(frozen=True)
class ContainerLocation:
    """Where a task's container runs: the engine of its node, and its id there."""

    engine: Engine
    container: str


def run(
    environment: Environment,
    engine: Engine,
    service: str,
    argv: Sequence[str],
    write: Write,
    *,
    user: str = "",
    task: str | None = None,
    complain: Write | None = None,
) -> int:
    """Run a command in a service's newest healthy task and return its exit code; output is written as it comes.

    `service` is a full name or `stack/service`; `task` a slot, a node or the beginning of a task's id; what the
    command says on stderr goes to `complain`, else to `write`. Raises UnknownName, NodeFailed or CommandFailed.
    """
    try:
        place = find(environment, engine, service, task)
    except NodeFailed:
        if environment.file.driver == "lab":
            raise
        return _send(environment, engine, service, argv, write, user=user, task=task, complain=complain or write)
    return run_at(place, service, argv, write, user=user, complain=complain)


def run_at(
    place: ContainerLocation,
    service: str,
    argv: Sequence[str],
    write: Write,
    *,
    user: str = "",
    complain: Write | None = None,
) -> int:
    """As `run`, in a container that was found already; what it writes goes through the engine's API and no log."""
    try:
        code = place.engine.containers.exec(place.container, argv, write, complain or write, user=user)
    except APIError as error:
        raise CommandFailed(f"{service}: {argv[0]} failed to start: {error.explanation}") from error
    if code is None:
        raise CommandFailed(f"{service}: the connection closed before {argv[0]} finished.", hint="./run status")
    return code


def argv(remainder: str, process: Sequence[str], *, interactive: bool = False) -> tuple[str, ...]:
    """The command after `--`, word by word as it was given: invoke joins them by spaces, the process still has them."""
    given = tuple(process[process.index("--") + 1 :]) if "--" in process else ()
    if " ".join(given) != remainder:
        given = tuple(shlex.split(remainder))
    if not given and not interactive:
        raise ArgumentInvalid("Missing command.", hint="Put it after --: ./run exec app/nginx -- ls /")
    return given or ("sh",)


def interactive(
    place: ContainerLocation, argv: Sequence[str], shell: Shell, *, user: str = "", terminal: bool = True
) -> int:
    """Run a command with this process's own input, and its terminal where there is one; returns the exit code."""
    return shell.attach(command(place, argv, user=user, terminal=terminal))


def command(place: ContainerLocation, argv: Sequence[str], *, user: str, terminal: bool) -> tuple[str, ...]:
    """The docker command that does so."""
    flags = ("--interactive", *(("--tty",) if terminal else ()), *(("--user", user) if user else ()))
    return (*place.engine.argv, "exec", *flags, place.container, *argv)


def find(environment: Environment, engine: Engine, service: str, task: str | None = None) -> ContainerLocation:
    """Where the newest healthy task of a service runs, or the `task` that is asked for."""
    found, chosen, node = _look(engine, service, task)
    return ContainerLocation(
        _reach(environment, engine, node, f"{found.name}.{chosen.slot}", chosen.node), chosen.container
    )


def _look(engine: Engine, service: str, task: str | None) -> tuple[Service, Task, str]:
    """The service, the task that is meant, and the id of its node."""
    seen = services.snapshot(engine)
    found = lookup.one(services.read(seen), service)
    chosen = _choose(found, task)
    return found, chosen, next(str(item["NodeID"]) for item in seen.tasks if item["ID"] == chosen.id)


def _send(
    environment: Environment,
    engine: Engine,
    service: str,
    argv: Sequence[str],
    write: Write,
    *,
    user: str,
    task: str | None,
    complain: Write,
) -> int:
    """Run a command on a node that cannot be reached: by a task there that may use its engine, line by line."""
    _, chosen, node = _look(engine, service, task)
    message = json.dumps({"container": chosen.container, "argv": list(argv), "user": user})
    job = Job(
        image=images.image(environment, AGENT_IMAGE).reference,
        command=("python3", "-c"),
        arguments=(Path(exec_agent.__file__).read_text(),),
        files={exec_agent.MESSAGE: message.encode()},
        node=node,
        binds={exec_agent.SOCKET: exec_agent.SOCKET},
        user="0:0",
        deadline=AGENT_SECONDS,
    )

    def say(line: Line) -> None:
        (complain if line.error else write)(f"{line.text}\n".encode())

    return jobs.run_once(engine, "exec", job, say).code or 0


def engine_of_node(environment: Environment, engine: Engine, name: str) -> Engine | None:
    """The engine of a node by its host name, where it can be asked."""
    identity = next((str(item["ID"]) for item in engine.nodes.list() if item["Description"]["Hostname"] == name), "")
    try:
        return _reach(environment, engine, identity, "a task", name)
    except NodeFailed:
        return None


def _choose(service: Service, asked: str | None) -> Task:
    running = sorted((item for item in service.tasks if item.running), key=lambda item: (item.current, item.created))
    if not running:
        raise CommandFailed(f"{service.name} has no running task.", hint=f"./run status {service.stack}")
    if not asked:
        return running[-1]
    fitting = [item for item in running if asked in (item.slot, item.node) or item.id.startswith(asked)]
    if not fitting:
        raise UnknownName("task", asked, {word for item in running for word in (item.slot, item.node)})
    return fitting[-1]


def _reach(environment: Environment, engine: Engine, node: str, what: str, name: str) -> Engine:
    """The engine of a node, proved by the node's id: the manager itself, what the driver knows, or a docker context."""
    known = [partial(manager.engine, environment, item) for item in environment.nodes if item.name == name]
    looks: list[Callable[[], Engine]] = [*known, lambda: engine, lambda: Engine(context=name, timeout=CONTEXT_SECONDS)]
    problem = ""
    for look in looks:
        try:
            found = look()
            if found.info()["Swarm"]["NodeID"] == node:
                return replace(found, client=engine.client, timeout=engine.timeout)
        except (EngineUnavailable, *REFUSALS) as error:
            problem = str(error)
    if environment.file.driver == "lab":
        raise NodeFailed(f"{name}, where {what} runs, does not answer: {problem}", hint="./run swarm.start")
    raise NodeFailed(
        f"{what} runs on {name}, whose engine is unreachable from here: {problem}",
        hint=f"Create a docker context with its name: docker context create {name} --docker host=ssh://USER@{name}",
    )
