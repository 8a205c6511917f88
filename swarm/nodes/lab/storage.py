"""The storage that all nodes of a lab share: whether a node has it, and whether all see the same."""

from collections.abc import Mapping
from secrets import token_hex

from docker.models.containers import Container

from swarm.errors import NodeFailed


def mounted(node: Container, path: str) -> bool:
    """Whether the storage is mounted in a node."""
    return bool(node.exec_run(["mountpoint", "-q", path]).exit_code == 0)


def prove(nodes: Mapping[str, Container], path: str) -> None:
    """Let each node write a file and each other read it; raises NodeFailed naming who does not see whose."""
    written = {name: (f"{path}/.swarmstats-{name}", token_hex(8)) for name in nodes}
    try:
        for name, (file, token) in written.items():
            _run(nodes[name], name, ["sh", "-c", 'printf %s "$1" >"$0"', file, token])
        for reader, node in nodes.items():
            for writer, (file, token) in written.items():
                # Compared there: what counts is how it ended, whatever reaches us of what it said.
                if node.exec_run(["grep", "-qx", "--", token, file]).exit_code != 0:
                    raise NodeFailed(f"{reader} does not see what {writer} wrote to {file}.", hint="./run swarm.init")
    finally:
        for name, (file, _) in written.items():
            nodes[name].exec_run(["rm", "-f", file])


def _run(node: Container, name: str, command: list[str]) -> str:
    result = node.exec_run(command)
    said = (result.output if isinstance(result.output, bytes) else b"".join(result.output)).decode(errors="replace")
    if result.exit_code != 0:
        raise NodeFailed(f"{name}: the shared storage cannot be used: {said.strip()}", hint="./run swarm.remount")
    return said
