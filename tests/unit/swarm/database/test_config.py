from dataclasses import dataclass

import pytest

from swarm.database import config
from swarm.database.config import Setting
from swarm.database.members import Database
from swarm.stacks import stack
from swarm.stacks.targets import Target
from tests.unit.swarm.conftest import ENV, Make

PROGRAM = "/usr/lib/postgresql/17/bin/postgres"


@dataclass(frozen=True)
class Started(Database):
    """A server that was started with the arguments of its service."""

    command: tuple[str, ...] = ()

    def run(self, member: str, *argv: str, user: str = "postgres") -> str:
        assert (member, *argv) == ("postgres", "cat", config.STARTED)
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
    command = tuple(stack.render(then, Target("db")).services["postgres"]["command"])
    assert {item.state for item in config.compare(Started(then, None, command))} == {"in effect"}  # type: ignore[arg-type]
    now = make(ENV + "db: {memory: 16G, work_mem: 9MB}\n")
    differ = [item for item in config.compare(Started(now, None, command)) if item.state != "in effect"]  # type: ignore[arg-type]
    assert [(item.name, item.desired, item.actual) for item in differ if item.name == "work_mem"] == [
        ("work_mem", "9MB", "256MB")
    ]
    gone = [(item.name, item.desired) for item in differ if item.name != "work_mem"]
    assert gone == ([("log_min_messages", None)] if "log_min_messages" in before else [])


def told(name: str, wanted: str, actual: str | None = None) -> Setting:
    return Setting(name, wanted, wanted if actual is None else actual)


def test_what_the_cluster_was_told_and_its_leader_did_not_take_is_no_setting_as_wanted() -> None:
    taken = {
        "work_mem": ("9MB", "file"), "deadlock_timeout": ("1", "file"), "max_connections": ("100", "argument"),
        "wal_keep_size": ("2048", "argument"), "wal_log_hints": ("on", "argument"), "timezone": ("UTC", "file"),
    }  # fmt: skip
    p = config.PARAMETERS
    asked = (
        told(f"{p}work_mem", "9MB"), told(f"{p}TimeZone", "UTC"), told(f"{p}wal_keep_size", "2GB"),
        told(f"{p}wal_log_hints", "True"), told("ttl", "30"), told(f"{p}typo_mem", "9MB"),
        told(f"{p}deadlock_timeout", "0"), told(f"{p}max_connections", "5"), told(f"{p}typo", "1", "2"),
    )  # fmt: skip
    found = [config.with_states(item, taken) for item in asked]
    assert [item.state for item in found[:5]] == ["in effect"] * 5
    assert [(item.actual, item.state) for item in found[5:]] == [
        (None, "rejected by the leader; see its log"),
        ("1", "rejected by the leader; see its log"),
        ("100", "rejected by the leader; see its log"),
        ("2", "changed by the next deploy"),
    ]
