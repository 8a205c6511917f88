"""The storage that all nodes of a lab share: whether a node has it, and whether all see the same."""

from collections.abc import Mapping
from secrets import token_hex

from swarm.engine.client import Engine
from swarm.errors import NodeFailed


def mounted(engine: Engine, container: str, path: str) -> bool:
    """Whether the storage is mounted in a node's container."""
    code, _ = engine.containers.run(container, ("mountpoint", "-q", path))
    return code == 0


def prove(engine: Engine, nodes: Mapping[str, str], path: str) -> None:
    """Let each node write a file and each other read it; `nodes` is the container of each node by its name.

    Raises NodeFailed naming who does not see whose.
    """
    written = {name: (f"{path}/.swarmstats-{name}", token_hex(8)) for name in nodes}
    try:
        for name, (file, token) in written.items():
            _run(engine, nodes[name], name, ("sh", "-c", 'printf %s "$1" >"$0"', file, token))
        for reader, container in nodes.items():
            for writer, (file, token) in written.items():
                # Compared there: what counts is the exit code, whatever of its output reaches us.
                code, _ = engine.containers.run(container, ("grep", "-qx", "--", token, file))
                if code != 0:
                    raise NodeFailed(
                        f"{reader} cannot see the file that {writer} wrote: {file}.", hint="./run swarm.init"
                    )
    finally:
        for name, (file, _) in written.items():
            engine.containers.run(nodes[name], ("rm", "-f", file))


def _run(engine: Engine, container: str, name: str, argv: tuple[str, ...]) -> None:
    code, output = engine.containers.run(container, argv)
    if code != 0:
        raise NodeFailed(f"{name}: the shared storage is unusable: {output.strip()}", hint="./run swarm.remount")
