"""Watch a stack until every service is healthy and stays so, or has failed; never claims what it did not see."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime

from swarm import live
from swarm.engine import Engine
from swarm.errors import DeadlinePassed, StackFailed
from swarm.live import Service, Task
from swarm.report import Step

POLL = 0.5
STABLE = 3.0
FAILURES = 3
UNPLACEABLE = 20.0
LINES = 8


def wait(engine: Engine, stack: str, digests: Mapping[str, str], began: datetime, timeout: int, step: Step) -> None:
    """Return once all services have their wanted digest and are stable; raises StackFailed or DeadlinePassed."""
    deadline = time.monotonic() + timeout
    stable_since: float | None = None
    while True:
        services = live.services(engine, stack)
        step.note(summary(services))
        for service in services:
            if reason := failure(service, began):
                raise StackFailed(explain(engine, service, reason))
        now = time.monotonic()
        if settled(services, digests):
            stable_since = stable_since or now
            if now - stable_since >= STABLE:
                return
        else:
            stable_since = None
        if now > deadline:
            raise DeadlinePassed(_late(engine, stack, services, digests, timeout))
        time.sleep(POLL)


def settled(services: Iterable[Service], digests: Mapping[str, str]) -> bool:
    """Whether exactly the wanted services are there, as wanted, all healthy."""
    found = {service.name: service for service in services}
    return found.keys() == digests.keys() and all(
        service.healthy and service.digest == digests[name] for name, service in found.items()
    )


def failure(service: Service, began: datetime) -> str:
    """Why a service will not become healthy by waiting longer; empty while it may."""
    if service.update in ("paused", "rollback_paused", "rollback_completed", "rollback_started"):
        return f"its update was {service.update.replace('_', ' ')}: {service.update_message}"
    ours = [task for task in service.tasks if task.current and task.created >= began]
    failed = [task for task in ours if task.failed]
    if len(failed) >= FAILURES and not service.healthy:
        return f"{len(failed)} of its tasks failed"
    stuck = [task for task in ours if task.state == "pending" and task.error and _age(task) > UNPLACEABLE]
    return f"no node can run it: {stuck[0].error}" if stuck else ""


def explain(engine: Engine, service: Service, reason: str) -> str:
    """The reason, the last failed task with its place, and what it wrote last."""
    lines = [f"{service.name}: {reason}"]
    failed = sorted((task for task in service.tasks if task.failed), key=lambda task: task.since)
    if failed:
        task = failed[-1]
        code = f", exit {task.exit_code}" if task.exit_code else ""
        lines.append(f"  {task.node or 'no node'}, task {task.slot}{code}: {task.error or task.state}")
    if said := engine.logs(service.id, tail=LINES):
        lines.append("  last lines:")
        lines += [f"    {line}" for line in said]
    return "\n".join(lines)


def summary(services: Iterable[Service]) -> str:
    """One line of what is going on."""
    waiting = [f"{item.name.split('_', 1)[-1]} {item.running}/{item.desired}" for item in services if not item.healthy]
    return ", ".join(waiting) or "all healthy, watching"


def _late(engine: Engine, stack: str, services: Iterable[Service], digests: Mapping[str, str], timeout: int) -> str:
    found = {service.name: service for service in services}
    absent = sorted(digests.keys() - found.keys())
    lines = [f"{stack} was not healthy within {timeout} s."]
    lines += [f"  {name} is not there" for name in absent]
    for service in found.values():
        if not service.healthy:
            detail = explain(engine, service, f"{service.running} of {service.desired} tasks healthy, {service.state}")
            lines += [f"  {line}" for line in detail.splitlines()]
    return "\n".join(lines)


def _age(task: Task) -> float:
    return (datetime.now(task.created.tzinfo) - task.created).total_seconds()
