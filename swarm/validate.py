"""Hold rendered stacks against Docker's own stack schema, before anything is sent."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from swarm.errors import StackInvalid
from swarm.shell import Shell
from swarm.stacks import Stack

AT_ONCE = 4


def validate(stacks: Sequence[Stack], client: tuple[str, ...], shell: Shell) -> None:
    """Raise StackInvalid with every refusal; the docker client is asked: its converter is the one that counts."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        refused = [text for text in pool.map(lambda stack: _refusal(stack, client, shell), stacks) if text]
    if refused:
        raise StackInvalid("\n".join(refused))


def _refusal(stack: Stack, client: tuple[str, ...], shell: Shell) -> str:
    argv = (*client, "stack", "config", "--compose-file", "-")
    result = shell.run(argv, stdin=json.dumps(stack.document), check=False, environment={"DOCKER_HOST": ""})
    if result.code == 0:
        return ""
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    return f"stacks/{stack.target.template}/stack.yml.j2 ({stack.name}): {' '.join(lines)}"
