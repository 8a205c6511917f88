"""What the database looks like now: members, slots, connections, sizes."""

from dataclasses import asdict, dataclass
from typing import Any

from rich.filesize import decimal

from swarm.database import disks
from swarm.database.disks import Disk
from swarm.database.members import Database, Member, query
from swarm.engine.retry import PAUSE_SECONDS, until_accepted
from swarm.errors import CommandFailed, DatabaseUnhealthy
from swarm.report import Report

# A switchover takes no longer, and a failover is over soon after the leader's place is vacant.
ANSWER_SECONDS = 6.0


@dataclass(frozen=True)
class Status:
    """Members, their disks, slots (name, state, kept log), databases (name, bytes, connections), connections in use and
    allowed."""

    members: list[Member]
    disks: list[Disk]
    slots: list[list[str]]
    databases: list[tuple[str, int, int]]
    connections: tuple[int, int]


def read(database: Database, patience: float = ANSWER_SECONDS, pause: float = PAUSE_SECONDS) -> Status:
    """Ask the cluster and its leader, again for some seconds; raises DatabaseUnhealthy.

    A new leader does not accept writes at once, and the former leader may be gone.
    """
    try:
        return until_accepted(lambda: _read(database), patience, (CommandFailed, DatabaseUnhealthy), pause)
    except CommandFailed as error:
        raise DatabaseUnhealthy(error.message, hint=error.hint) from error


def _read(database: Database) -> Status:
    members, leader = database.members(), database.leader()
    ((used, allowed),) = database.sql(leader, query("connections"))
    sizes = [(name, int(size), int(count)) for name, size, count in database.sql(leader, query("sizes"))]
    room = disks.read(database)
    return Status(members, room, database.sql(leader, query("slots")), sizes, (int(used), int(allowed)))


def as_json(status: Status) -> dict[str, Any]:
    """The same for machines."""
    return asdict(status)


def show(status: Status, report: Report) -> None:
    """Print it as tables, and what is wrong with a disk."""
    room = {disk.member: disk.shown for disk in status.disks}
    report.table(
        ("MEMBER", "ROLE", "STATE", "TIMELINE", "LAG", "RESTART", "DISK FREE"),
        (
            (m.name, m.role, m.state, _or_dash(m.timeline), _bytes(m.lag), _pending(m), room.get(m.name, "-"))
            for m in status.members
        ),
    )
    for disk in status.disks:
        if disk.complaint:
            report.line(f"{disk.complaint}. {disks.advice(disk)}")
    if status.slots:
        report.table(("SLOT", "STATE", "WAL KEPT"), status.slots)
    report.table(
        ("DATABASE", "SIZE", "CONNECTIONS"),
        ((name, decimal(size), str(count)) for name, size, count in status.databases),
    )
    report.line(f"{status.connections[0]} of {status.connections[1]} connections on the leader.")


def _pending(member: Member) -> str:
    return "pending" if member.pending else "-"


def _or_dash(value: int | None) -> str:
    return "-" if value is None else str(value)


def _bytes(value: int | None) -> str:
    return "-" if value is None else decimal(value)
