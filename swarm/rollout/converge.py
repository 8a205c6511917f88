"""Watch services until all are healthy and stay so, or one has failed; never claims what it did not see."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from swarm.engine.client import Engine
from swarm.engine.reach import Reach, nowhere
from swarm.engine.refusals import REFUSALS
from swarm.engine.wire import Spec
from swarm.errors import DeadlinePassed, StackFailed, SwarmstatsError
from swarm.live import services as live
from swarm.live.services import Service, Task
from swarm.report import Step
from swarm.rollout.hints import hint

MAX_FAILURES = 3
UNPLACEABLE = timedelta(seconds=20)
LOG_LINES = 8
STARTING_STATES = ("new", "pending", "assigned", "accepted", "preparing", "ready", "starting")
ROLLED_BACK_STATES = ("rollback_started", "rollback_paused", "rollback_completed")


@dataclass(frozen=True)
class Timing:
    """How a change of services is watched, seconds.

    They must stay healthy for `stable_seconds`: one that dies soon after its start has failed. A task that is
    shutting down may keep its network for `network_seconds`.
    """

    stable_seconds: float = 3.0
    poll_seconds: float = 0.5
    network_seconds: float = 30.0


DEFAULT_TIMING = Timing()


@dataclass(frozen=True)
class Watch:
    """What is waited for: these services with exactly these specifications (raw, as the managers hold them)."""

    stack: str
    wanted: Mapping[str, Spec]
    began: datetime
    timeout: float
    timing: Timing = DEFAULT_TIMING


def wait(engine: Engine, watch: Watch, step: Step, reach: Reach = nowhere) -> None:
    """Return once all are as wanted, healthy and stable, and what they replaced is gone.

    Raises StackFailed or DeadlinePassed with the reasons.
    """
    start, clock = time.monotonic(), engine.now()
    deadline = start + watch.timeout
    stable_since: float | None = None
    while not step.cancelled.is_set():
        services = tuple(item for item in live.services(engine, watch.stack) if item.name in watch.wanted)
        step.note(summary(services))
        then = clock + timedelta(seconds=time.monotonic() - start)
        for service in services:
            if reason := failure(service, watch.began, watch.wanted.get(service.name), then):
                message, advice = explain(engine, service, reason, reach, watch.began)
                raise StackFailed(message, hint=advice)
        now = time.monotonic()
        if settled(services, watch.wanted):
            stable_since = stable_since or now
            stable = now - stable_since >= watch.timing.stable_seconds
            # Tasks that are shutting down may still serve the former version; after the deadline that is not an error.
            if stable and (now > deadline or not any(item.leaving for item in services)):
                return
        else:
            stable_since = None
        if now > deadline and stable_since is None:
            raise _late(engine, watch, services, reach)
        time.sleep(watch.timing.poll_seconds)
    raise StackFailed(f"Cancelled while waiting for {watch.stack}.")


def settled(services: Iterable[Service], wanted: Mapping[str, Spec]) -> bool:
    """Whether all the wanted services are there, with the wanted specification, all healthy."""
    found = {service.name: service for service in services}
    return found.keys() >= wanted.keys() and all(
        found[name].healthy and found[name].spec == spec for name, spec in wanted.items()
    )


def failure(service: Service, began: datetime, wanted: Spec | None, now: datetime) -> str:
    """Why a service will not become healthy by waiting longer; empty while it may. Times are the managers'."""
    if service.update in ("paused", "rollback_paused") or (
        service.update in ROLLED_BACK_STATES and service.spec != wanted
    ):
        return f"its update was {service.update.replace('_', ' ')}: {service.update_message}"
    ours = [task for task in service.tasks if task.current and task.created >= began]
    failed = [task for task in service.failures if task in ours]
    allowed = max(MAX_FAILURES, service.attempts + 1 if service.job else 0)
    if len(failed) >= allowed and not service.healthy:
        return f"{len(failed)} of its tasks failed"
    old = [task for task in ours if now - task.created > UNPLACEABLE]
    if service.update == "updating" and (lost := [task for task in old if task.lost and task.state in STARTING_STATES]):
        return f"its update waits for a task on {lost[0].node}, which is down; Swarm would wait forever"
    # A task that is shutting down keeps its ports and reservations during its grace period.
    stuck = [task for task in old if task.state == "pending" and task.error and not service.leaving]
    return f"no node can run it: {stuck[0].error}" if stuck else ""


def explain(engine: Engine, service: Service, reason: str, reach: Reach, began: datetime) -> tuple[str, str]:
    """The reason, the task to blame with its place, health check and last words; and a hint."""
    lines = [f"{service.name}: {reason}"]
    if task := _culprit(service, began):
        code = f", exit {task.exit_code}" if task.exit_code else ""
        became = "exited" if task.state in live.ENDED else f"still {task.state}"
        lines.append(f"  {task.node or 'no node'}, task {task.slot}{code}: {task.error or became}")
        if found := _health(task, reach):
            lines += ["  health check:", *(f"    {line}" for line in found)]
        if said := engine.logs.of_task(task.id, tail=LOG_LINES):
            lines += ["  last lines:", *(f"    {line}" for line in said)]
    return "\n".join(lines), hint(*lines)


def _culprit(service: Service, began: datetime) -> Task | None:
    """The task that ended last of those that this change made, else of those that suit the service as it is.

    Where none has ended, one that has not come up yet.
    """
    ended = sorted(service.failures, key=lambda task: task.since)
    ours = [task for task in ended if task.created >= began] or [task for task in ended if task.current]
    ours = ours or [task for task in service.tasks if task.current and task.state in STARTING_STATES]
    return ours[-1] if ours else None


def summary(services: Iterable[Service]) -> str:
    """One line of what is going on."""
    found = {item.name.split("_", 1)[-1]: item for item in services}
    waiting = [f"{name} {item.running}/{item.desired}" for name, item in found.items() if not item.healthy]
    leaving = [f"{name} {item.leaving} leaving" for name, item in found.items() if item.leaving]
    return ", ".join(waiting or leaving) or "all healthy, watching"


def _health(task: Task, reach: Reach) -> list[str]:
    """What the health check of a task's container last wrote, where its node can be asked."""
    try:
        engine = reach(task.node) if task.node and task.container else None
        said = list(engine.containers.health(task.container)) if engine else []
    except (SwarmstatsError, *REFUSALS):
        return []
    return said[-LOG_LINES:]


def _late(engine: Engine, watch: Watch, services: Iterable[Service], reach: Reach) -> DeadlinePassed:
    found = {service.name: service for service in services}
    absent = sorted(watch.wanted.keys() - found.keys())
    lines = [f"{watch.stack} was not healthy within {watch.timeout:.0f} s."]
    lines += [f"  {name} does not exist" for name in absent]
    advice = ""
    for service in found.values():
        if not service.healthy:
            reason = f"{service.running} of {service.desired} tasks healthy, {service.state}"
            text, advice = explain(engine, service, reason, reach, watch.began)
            lines += [f"  {line}" for line in text.splitlines()]
        elif service.spec != watch.wanted[service.name]:
            lines.append(f"  {service.name} was changed by another client in the meantime")
    return DeadlinePassed("\n".join(lines), hint=advice)
