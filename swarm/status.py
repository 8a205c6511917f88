"""What an operator sees at a glance: stacks, their services, their tasks, their addresses."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from swarm import manifests, targets
from swarm.environment import Environment
from swarm.live import Service
from swarm.targets import PROJECT, Target


@dataclass(frozen=True)
class Row:
    """One stack (or all projects together): counts, state in words, address."""

    stack: str
    services: int
    running: int
    wanted: int
    state: str
    url: str


def rows(environment: Environment, services: Iterable[Service]) -> list[Row]:
    """One row a stack in the order of what they need; projects share one."""
    found: dict[str, list[Service]] = {}
    for service in services:
        template = service.labels.get("swarmstats.template", service.stack)
        found.setdefault(template, []).append(service)
    known = [name for name in manifests.order() if name in found]
    return [_row(environment, name, found[name]) for name in (*known, *sorted(found.keys() - set(known)))]


def _row(environment: Environment, name: str, found: list[Service]) -> Row:
    lasting = [service for service in found if not service.job]
    return Row(
        stack="projects" if name == PROJECT else name,
        services=len(found),
        running=sum(min(service.running, service.desired) for service in lasting),
        wanted=sum(service.desired for service in lasting),
        state=_state(found),
        url=_url(environment, name),
    )


def _state(found: Iterable[Service]) -> str:
    unwell = [service for service in found if not service.healthy]
    if not unwell:
        return "healthy"
    counts = Counter(service.state for service in unwell)
    words = ", ".join(f"{count} {state}" for state, count in counts.items())
    worst = next((service for service in unwell if service.state == "failing"), unwell[0])
    error = next((task.error for task in worst.tasks if task.current and task.error), "")
    return f"{words}: {worst.name}{f': {error}' if error else ''} (./run logs {worst.name})"


def _url(environment: Environment, name: str) -> str:
    if name == PROJECT or name not in manifests.order():
        return ""
    found = targets.addresses(environment, [Target(name)])
    return found[0][1] if found else ""
