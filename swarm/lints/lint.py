"""All lints of one stack, and of several together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from swarm.lints import ignored, names, services, traefik
from swarm.lints.collisions import collisions
from swarm.lints.finding import Finding, Lint, placed
from swarm.live.services import Snapshot
from swarm.stacks.stack import Stack


def lint(stack: Stack, shared: str) -> list[Lint]:
    """What is wrong in one stack alone; below the directory `shared` all nodes see the same."""
    found = [placed(stack, "", finding) for finding in names.of_stack(stack.name, stack.document)]
    for name, service in stack.services.items():
        found += [placed(stack, name, finding) for finding in _of_service(stack, name, service, shared)]
    return found


def every(stacks: Sequence[Stack], shared: str, running: Snapshot | None = None) -> list[Lint]:
    """All lints of stacks and between them, each once, though its template is rendered for many projects."""
    found = [item for stack in stacks for item in lint(stack, shared)] + collisions(stacks, running)
    return list({(item.place, item.message): item for item in reversed(found)}.values())[::-1]


def _of_service(stack: Stack, name: str, service: Mapping[str, Any], shared: str) -> Iterator[Finding]:
    yield from names.of_service(stack.name, name, service)
    yield from ignored.find(name, service)
    yield from services.image(name, service)
    yield from services.secrets(name, service)
    yield from services.data(name, service, stack.document.get("volumes") or {}, shared)
    yield from services.updates(name, service)
    yield from traefik.find(name, service)
