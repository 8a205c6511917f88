"""One continuous writer and one reader on a node that no test breaks, and who of the members takes writes meanwhile."""

import gc
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import docker.errors
from docker.utils.socket import frames_iter
from urllib3.exceptions import HTTPError

from swarm.nodes import manager
from swarm.settings import secrets
from swarm.stacks import images
from tests.e2e.conftest import Platform
from tests.support.waiting import until

HERE = Path(__file__).resolve().parent
# It keeps no member of the database.
NODE = "node-3"
# What a fault may cost at most: seconds without an acknowledged row, and queries without an answer.
LONGEST, FEW = 10.0, 5
# Asks the member itself, by its own socket: what the entrance believes does not matter. It ends by itself.
ASK = """for second in $(seq 60); do
  for part in 1 2 3 4; do
    printf '%s\n' 'select pg_is_in_recovery() as follows' '\\gset' '\\if :follows' '\\else' \
      "insert into accepted (member) values ('$PATRONI_NAME') returning extract(epoch from moment);" '\\endif' '\\echo'
    sleep 0.25
  done
done | psql -XAtq -d devstats 2>/dev/null"""


@dataclass(frozen=True)
class Ack:
    """One acknowledged row: its number, when, and the address of the server that took it."""

    number: int
    moment: float
    server: str


@dataclass
class Seen:
    """What the client in the container said until it was asked: reading it all takes seconds after a while."""

    asked: float = field(default_factory=time.time)
    acks: list[Ack] = field(default_factory=list)
    lost: list[tuple[float, str]] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    misses: list[tuple[float, str]] = field(default_factory=list)

    def gap(self, since: float) -> float:
        """The longest time without an acknowledged row until it was asked, seconds."""
        moments = [ack.moment for ack in self.acks]
        before = max((moment for moment in moments if moment <= since), default=since)
        line = [before, *(moment for moment in moments if moment > since), self.asked]
        return max(later - earlier for earlier, later in pairwise(line))

    def missed(self, since: float) -> int:
        """Queries of the reader that had no answer."""
        return sum(1 for moment, _ in self.misses if moment > since)


@dataclass
class Writer:
    """The client in its container, and the watch over the members."""

    platform: Platform
    container: Any
    accepted: list[tuple[float, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def seen(self) -> Seen:
        """Read what was said until now."""
        found = Seen()
        for line in self.container.logs(stdout=True, stderr=False).decode().splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "ack":
                number, moment, server = rest.split()
                found.acks.append(Ack(int(number), float(moment), server))
            elif kind == "read":
                found.reads.append(float(rest))
            elif kind in ("lost", "miss"):
                moment, _, reason = rest.partition(" ")
                (found.lost if kind == "lost" else found.misses).append((float(moment), reason))
        return found

    def flows(self, since: float) -> bool:
        """Whether rows were acknowledged in the last second, and something was after `since`."""
        asked = time.time()
        last = self.container.logs(stdout=True, stderr=False, tail=100).decode().splitlines()
        moments = [float(line.split()[2]) for line in last if line.startswith("ack ")]
        return bool(moments) and moments[-1] > max(since, asked - 1.0)

    def missing(self) -> list[Ack]:
        """Acknowledged rows that are not there."""
        acks = self.seen().acks
        text = self.platform.sql("devstats", "select coalesce(string_agg(number::text, ','), '') from writes")
        there = {int(number) for number in text.split(",") if number}
        return [ack for ack in acks if ack.number not in there]

    def leaders(self, since: float) -> list[str]:
        """Members in the order in which they took writes; one that stands there twice took them beside another."""
        line = sorted(item for item in self.accepted if item[0] > since)
        return [member for member, _ in groupby(member for _, member in line)]

    def took(self, member: str, since: float, until: float) -> list[float]:
        """Moments between two others at which a member took writes."""
        return [moment for moment, name in self.accepted if name == member and since < moment < until]

    def watch(self, member: str) -> None:
        """Ask one member again and again whether it takes writes."""
        while not self.over.is_set():
            client = None
            try:
                client, identity = self.platform.container(f"db_{member}")
                for chunk in _said(client.api, identity, ["sh", "-c", ASK]):
                    self.accepted += [(float(line), member) for line in chunk.decode().split()]
                    if self.over.is_set():
                        break
            except (docker.errors.DockerException, HTTPError, AssertionError, OSError, ValueError):
                pass
            finally:
                if client:
                    client.close()
            self.over.wait(0.3)


@contextmanager
def writing(platform: Platform) -> Iterator[Writer]:
    """A writer for the length of a block; its tables are new."""
    _tables(platform)
    node = next(item for item in platform.environment.nodes if item.name == NODE)
    client = manager.engine(platform.environment, node)._sdk
    reference = images.image(platform.environment, "activity").reference
    client.images.pull(reference)
    container = client.containers.create(
        reference,
        entrypoint=["python3", "-u", "-c", (HERE / "client.py").read_text()],
        network="admin_database",
        environment={"FIRST": "0"},
        stdin_open=True,
        detach=True,
    )
    made = Writer(platform, container)
    members = [f"patroni{number}" for number in range(1, platform.environment.database.members + 1)]
    watchers = [threading.Thread(target=made.watch, args=(member,), daemon=True) for member in members]
    try:
        password = secrets.read(secrets.file(platform.environment.secrets, "gha-admin-password"))
        assert password is not None
        entry = container.attach_socket(params={"stdin": 1, "stream": 1})
        container.start()
        entry._sock.sendall(f"{password.reveal()}\n".encode())
        entry._sock.close()
        for watcher in watchers:
            watcher.start()
        until("rows", lambda: len(made.seen().acks) > 20)
        yield made
    finally:
        made.over.set()
        for watcher in (item for item in watchers if item.is_alive()):
            watcher.join(timeout=10)
        container.remove(force=True)
        client.close()
        # The docker SDK leaves the sockets of commands that it streamed to the collector of garbage.
        gc.collect()


def undisturbed(writer: Writer, what: str, began: float, within: float = LONGEST, few: int = FEW) -> None:
    """No acknowledged row is lost, no two members took writes at once, and writes waited for seconds only."""
    until("rows", lambda: writer.flows(began))
    seen, leaders = writer.seen(), writer.leaders(began)
    sys.stderr.write(
        f"\n{what}: gap {seen.gap(began):.1f} s, {seen.missed(began)} queries missed, writes by {leaders}, "
        f"whole after {time.time() - began:.0f} s"
    )
    assert writer.missing() == []
    assert len(set(leaders)) == len(leaders), leaders
    assert seen.gap(began) < within
    assert seen.missed(began) <= few, seen.misses


def _said(api: Any, identity: str, argv: list[str]) -> Iterator[bytes]:
    """What a command in a container says, piece by piece; its connection ends with whoever listens."""
    stream = api.exec_start(api.exec_create(identity, argv, user="postgres")["Id"], socket=True)
    try:
        for _, chunk in frames_iter(stream, tty=False):
            yield chunk
    finally:
        stream._sock.close()
        stream.close()


def _tables(platform: Platform) -> None:
    for statement in (
        "drop table if exists writes, accepted",
        "create table writes (number bigint primary key)",
        "create table accepted (member text, moment timestamptz default clock_timestamp())",
        "alter table writes owner to gha_admin",
    ):
        platform.sql("devstats", statement)
