"""A command in another container through the engine's own socket, as a task on a far node runs it."""

import json
import subprocess
import sys
from collections.abc import Iterator

import docker
import pytest
from docker.models.containers import Container

from swarm.containers import exec_agent
from swarm.report import Report
from swarm.settings import environment
from swarm.shell import Shell
from swarm.stacks import images

PROGRAM = (
    "import json, sys; from swarm.containers import exec_agent; sys.exit(exec_agent.run(*json.loads(sys.argv[1])))"
)


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    """A container that does nothing."""
    reference = images.ensure_local(environment.load("lab", {}), ("postgres",), Shell(), Report())["postgres"]
    made = docker.from_env().containers.run(reference, entrypoint=["sleep", "600"], detach=True)
    yield made
    made.remove(force=True, v=True)


def send(container: str, *argv: str, user: str = "") -> subprocess.CompletedProcess[bytes]:
    words = json.dumps([exec_agent.SOCKET, container, list(argv), user])
    return subprocess.run((sys.executable, "-c", PROGRAM, words), capture_output=True, check=False, timeout=60)


def test_output_errors_and_exit_code_come_back_as_they_are(container: Container) -> None:
    done = send(str(container.id), "sh", "-c", "printf 'a\\nb'; printf lost >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"a\nb", b"lost")


def test_much_output_comes_back_whole(container: Container) -> None:
    done = send(str(container.id), "seq", "200000")
    assert done.stdout == b"".join(b"%d\n" % number for number in range(1, 200_001))


def test_a_command_runs_as_the_user_that_is_asked_for(container: Container) -> None:
    assert send(str(container.id), "id", "-un", user="nobody").stdout == b"nobody\n"


def test_what_the_engine_refuses_is_said(container: Container) -> None:
    done = send("nosuchcontainer", "ls")
    assert done.returncode == 1
    assert b"No such container" in done.stderr
