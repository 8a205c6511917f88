"""Hold rendered stacks against Docker's own stack schema, before anything is sent."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from swarm.errors import StackInvalid
from swarm.settings import validation
from swarm.shell import Shell
from swarm.stacks.stack import Stack

SECTIONS = ("services", "networks", "volumes", "configs", "secrets")
# Fewer than these are not worth a second process.
SMALLEST_PART = 25


def validate(stacks: Sequence[Stack], client: tuple[str, ...], shell: Shell) -> None:
    """Raise StackInvalid with every refusal; the docker client is asked: its converter is the one that counts."""
    processors = os.cpu_count() or 1
    size = max(SMALLEST_PART, -(-len(stacks) // processors))
    parts = [stacks[start : start + size] for start in range(0, len(stacks), size)]
    with ThreadPoolExecutor(processors) as pool:
        refused = [text for found in pool.map(lambda part: _refusals(part, client, shell), parts) for text in found]
    if refused:
        raise StackInvalid("\n".join(refused))


def merged(stacks: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Stacks as one, each key under its stack's number; None where a mistake could get lost on the way.

    The client looks at each object alone and at no reference between them, so it accepts the whole exactly when it
    accepts every part. Asking it once instead of 250 times is what makes many projects quick.
    """
    whole: dict[str, Any] = {}
    for number, document in enumerate(stacks):
        for section, items in document.items():
            if section not in SECTIONS or not isinstance(items, Mapping):
                return None
            if not all(isinstance(key, str) and key for key in items):
                return None
            whole.setdefault(section, {}).update({f"{number}-{key}": item for key, item in items.items()})
    return whole


def _refusals(stacks: Sequence[Stack], client: tuple[str, ...], shell: Shell) -> list[str]:
    """What the client says of the stacks that it refuses; they are found by halves."""
    if len(stacks) == 1:
        return [text for text in (_refusal(stacks[0], client, shell),) if text]
    whole = merged([stack.document for stack in stacks])
    if whole is not None and not _message(whole, client, shell):
        return []
    middle = len(stacks) // 2
    return [text for half in (stacks[:middle], stacks[middle:]) for text in _refusals(half, client, shell)]


def _refusal(stack: Stack, client: tuple[str, ...], shell: Shell) -> str:
    said = _message(stack.document, client, shell)
    return f"stacks/{stack.target.template}/stack.yml.j2 ({stack.name}): {said}" if said else ""


def _message(document: Mapping[str, Any], client: tuple[str, ...], shell: Shell) -> str:
    """Why the client refuses a document, in one line; empty when it takes it."""
    argv = (*client, "stack", "config", "--compose-file", "-")
    result = shell.run(argv, stdin=validation.text(document), check=False, environment={"DOCKER_HOST": ""})
    if result.code == 0:
        return ""
    return " ".join(line for line in result.stderr.splitlines() if line.strip()) or f"exit code {result.code}"
