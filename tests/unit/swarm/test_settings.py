from dataclasses import dataclass

import pytest

from swarm import stacks
from swarm.db import settings
from swarm.db.members import Database
from swarm.targets import Target
from tests.unit.swarm.conftest import ENV, Make

PROGRAM = "/usr/lib/postgresql/17/bin/postgres"


@dataclass(frozen=True)
class Started(Database):
    """A server that was started with the arguments of its service."""

    command: tuple[str, ...] = ()

    def run(self, member: str, *argv: str, user: str = "postgres") -> str:
        assert (member, *argv) == ("postgres", "cat", settings.STARTED)
        words = (
            "-D",
            "/var/lib/postgresql/data/main",
            "-c",
            "config_file=/etc/postgresql/postgresql.conf",
            *self.command,
        )
        return " ".join((PROGRAM, *(f'"{word}"' for word in words)))


@pytest.mark.parametrize("before", ["memory: 16G", "memory: 16G, parameters: {log_min_messages: notice}"])
def test_one_server_that_has_what_is_wanted_is_told_so_and_only_what_differs_is_shown(make: Make, before: str) -> None:
    then = make(f"{ENV}db: {{{before}}}\n")
    command = tuple(stacks.render(then, Target("db")).services["postgres"]["command"])
    assert {item.state for item in settings.compare(Started(then, None, command))} == {"as wanted"}  # type: ignore[arg-type]
    now = make(ENV + "db: {memory: 16G, work_mem: 9MB}\n")
    differ = [item for item in settings.compare(Started(now, None, command)) if item.state != "as wanted"]  # type: ignore[arg-type]
    assert [(item.name, item.wanted, item.actual) for item in differ if item.name == "work_mem"] == [
        ("work_mem", "9MB", "256MB")
    ]
    gone = [(item.name, item.wanted) for item in differ if item.name != "work_mem"]
    assert gone == ([("log_min_messages", None)] if "log_min_messages" in before else [])
