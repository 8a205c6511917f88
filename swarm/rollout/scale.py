"""Scale services: set the number of tasks and wait until exactly that many run."""

from collections.abc import Sequence
from functools import partial

from swarm.engine.client import Engine
from swarm.engine.wire import Spec
from swarm.errors import ArgumentInvalid, StackFailed, SwarmstatsError
from swarm.live import lookup
from swarm.live import services as live
from swarm.live.services import Service
from swarm.report import Step
from swarm.rollout.lock import HeldLock
from swarm.rollout.service_update import Change, _carry_out, _one
from swarm.session import Session
from swarm.settings.environment import Environment, relative
from swarm.stacks import stack, targets


def scale(session: Session, words: str, wait: float, *, dry: bool) -> None:
    """`app/nginx=3,admin/portal=2`: return when each has exactly so many tasks; raises ArgumentInvalid, StackFailed."""
    wanted = sizes(words)
    services = live.services(session.engine)
    chosen = [(lookup.one(services, word), count) for word, count in wanted.items()]
    require_distinct([service for service, _ in chosen])
    changes = [_scaled(service, count) for service, count in chosen]
    try:
        _carry_out(changes, f"scale {words}", session.engine, session.report, wait, dry=dry)
    except StackFailed as error:
        back = ",".join(f"{lookup.display_name(service)}={service.desired}" for service, _ in chosen)
        raise type(error)(error.message, hint=f"To undo: ./run scale {back}") from error
    for change, count in zip(changes, wanted.values(), strict=True):
        if change.edit and (advice := override_advice(session.environment, change.service, count)):
            session.report.line(advice)


def resize(engine: Engine, service: Service, count: int, step: Step) -> None:
    """Give a service so many tasks and wait until exactly these run; for callers that already hold the lock."""
    _one(engine, HeldLock(), Change(service, "", partial(_resize, count=count)), step)


def sizes(words: str) -> dict[str, int]:
    """The words of services and their numbers of tasks; raises ArgumentInvalid."""
    found: dict[str, int] = {}
    for part in words.split(","):
        name, _, number = part.strip().rpartition("=")
        if not name or not number.isdecimal():
            raise ArgumentInvalid(f"{part.strip()!r} is not SERVICE=N.", hint="E.g. ./run scale app/nginx=3")
        if name in found:
            raise ArgumentInvalid(f"{name} is given twice.", hint="List each service once.")
        found[name] = int(number)
    return found


def require_distinct(chosen: Sequence[Service]) -> None:
    """Raise ArgumentInvalid when two words mean the same service, which cannot have two numbers of tasks."""
    for service in chosen:
        if chosen.count(service) > 1:
            raise ArgumentInvalid(f"{lookup.display_name(service)} is given twice.", hint="List each service once.")


def override_advice(environment: Environment, service: Service, count: int) -> str:
    """How long a number of tasks lasts, unless the environment says the same; empty for stacks that are not ours."""
    short = service.short
    try:
        (target,) = targets.select(environment, service.stack)
        said = stack.render(environment, target).services[short]["deploy"].get("replicas", 1)
    except (SwarmstatsError, KeyError, ValueError):
        return ""
    if int(said) == count:
        return ""
    place = relative(environment.directory / "env.yaml")
    keep = f"sizes: {{{service.stack}.{short}: {{replicas: {count}}}}}"
    return f"The next deploy of {service.stack} resets {short} to {said}. To keep {count}, set in {place}: {keep}"


def _scaled(service: Service, count: int) -> Change:
    if service.mode != "replicated":
        why = "runs one task on every eligible node" if service.mode == "global" else "is a job"
        raise ArgumentInvalid(f"{lookup.display_name(service)} {why}; it cannot be scaled. Nothing was changed.")
    if service.desired == count:
        return Change(service, f"already {count}", None)
    return Change(service, f"{service.desired} -> {count} tasks", partial(_resize, count=count))


def _resize(spec: Spec, *, count: int) -> None:
    spec["Mode"]["Replicated"]["Replicas"] = count
