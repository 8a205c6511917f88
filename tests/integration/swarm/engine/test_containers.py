"""Containers of a real engine: commands in them, their output, and the connections that these take."""

import gc
import warnings
from collections.abc import Iterator

import pytest

from swarm.engine.client import Engine
from swarm.report import Report
from swarm.settings import environment
from swarm.shell import Shell
from swarm.stacks import images

LINES = "seq 1000; seq 1000 >&2; exit 7"


@pytest.fixture(scope="module")
def container() -> Iterator[str]:
    """A container that does nothing."""
    reference = images.ensure_local(environment.load("lab", {}), ("postgres",), Shell(), Report())["postgres"]
    containers = Engine().containers
    made = containers.create({"Image": reference, "Entrypoint": ["sleep", "600"]})
    containers.start(made)
    yield made
    containers.remove(made)


def test_a_command_gives_its_two_streams_apart_and_its_exit_code(container: str) -> None:
    out: list[bytes] = []
    err: list[bytes] = []
    code = Engine().containers.exec(container, ("sh", "-c", LINES), out.append, err.append)
    numbers = b"".join(b"%d\n" % number for number in range(1, 1001))
    assert (code, b"".join(out), b"".join(err)) == (7, numbers, numbers)


def test_a_command_leaves_no_connection_open(container: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        engine = Engine()
        for _ in range(3):
            engine.containers.exec(container, ("echo", "well"), lambda _: None, lambda _: None)
            gc.collect()
    assert [str(item.message) for item in caught if item.category is ResourceWarning] == []
