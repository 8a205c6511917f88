"""The status of a cluster in which the lead changes hands meanwhile."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from swarm.containers import exec
from swarm.database import status
from swarm.database.members import Database, reason
from swarm.engine.client import Engine
from swarm.errors import CommandFailed, DatabaseUnhealthy
from tests.unit.swarm.conftest import ENV, Make

LED = {"members": [{"name": "patroni2", "role": "leader", "state": "running", "timeline": 3}]}
RECOVERY = b"ERROR:  recovery is in progress\nHINT:  WAL control functions cannot be executed during recovery.\n"


class Promotion:
    """Stands for the members' containers: the first queries come before the promotion is done."""

    def __init__(self, refused: int, *, gone: bool = False) -> None:
        self.refused, self.gone = refused, gone

    def __call__(self, _e: Any, _n: Any, service: str, argv: Sequence[str], write: Any, **_: Any) -> int:
        if argv[0] == "curl":
            write(json.dumps(LED).encode())
        elif argv[0] == "df":
            write(b"Size Avail\n1000 900\n")
        elif self.refused > 0 and "pg_replication_slots" in argv[-1]:
            self.refused -= 1
            if self.gone:
                raise CommandFailed("db_patroni2 has no running task.", hint="./run status db")
            write(RECOVERY)
            return 1
        elif "pg_stat_activity where" in argv[-1]:
            write(b"3\t200\n")
        return 0


@pytest.fixture
def database(make: Make) -> Database:
    return Database(make(ENV + "db: {mode: ha}\n"), Engine())


@pytest.mark.parametrize("gone", [False, True])
def test_a_leader_that_is_not_ready_yet_is_asked_again(
    database: Database, monkeypatch: pytest.MonkeyPatch, *, gone: bool
) -> None:
    monkeypatch.setattr(exec, "run", Promotion(2, gone=gone))
    found = status.read(database, pause=0.0)
    assert (found.members[0].name, found.connections) == ("patroni2", (3, 200))


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        (False, r"^patroni2 does not answer: recovery is in progress\.$"),
        (True, r"^db_patroni2 has no running task\.$"),
    ],
)
def test_one_that_stays_so_is_told_in_one_line(
    database: Database, monkeypatch: pytest.MonkeyPatch, words: str, *, gone: bool
) -> None:
    monkeypatch.setattr(exec, "run", Promotion(99, gone=gone))
    with pytest.raises(DatabaseUnhealthy, match=words) as caught:
        status.read(database, patience=0.0)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "psql: error: connection to server on socket failed: FATAL:  the database system is not yet accepting "
            "connections\nDETAIL:  Consistent recovery state has not been yet reached.",
            "the database system is not yet accepting connections",
        ),
        ("psql: error: no such file\n\tIs it running?", "no such file"),
        ("OCI runtime exec failed", "patroni2: psql ended with 2: OCI runtime exec failed"),
    ],
)
def test_what_psql_said_is_told_without_what_surrounds_it(said: str, words: str) -> None:
    assert reason(f"patroni2: psql ended with 2: {said}") == words
