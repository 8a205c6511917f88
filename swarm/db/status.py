"""What the database looks like now: members, slots, connections, sizes."""

from dataclasses import asdict, dataclass
from typing import Any

from swarm.db.members import Database, Member, query
from swarm.report import Report

MEGABYTE = 1024**2


@dataclass(frozen=True)
class Status:
    """Members, slots (name, state, kept log), databases (name, bytes, connections), connections in use and allowed."""

    members: list[Member]
    slots: list[list[str]]
    databases: list[tuple[str, int, int]]
    connections: tuple[int, int]


def read(database: Database) -> Status:
    """Ask the cluster and its leader; raises DatabaseUnwell."""
    members, leader = database.members(), database.leader()
    ((used, allowed),) = database.sql(leader, query("connections"))
    sizes = [(name, int(size), int(count)) for name, size, count in database.sql(leader, query("sizes"))]
    return Status(members, database.sql(leader, query("slots")), sizes, (int(used), int(allowed)))


def told(status: Status) -> dict[str, Any]:
    """The same for machines."""
    return asdict(status)


def show(status: Status, report: Report) -> None:
    """Print it as tables."""
    report.table(
        ("MEMBER", "ROLE", "STATE", "TIMELINE", "LAG", "RESTART"),
        (
            (m.name, m.role, m.state, _or_dash(m.timeline), _bytes(m.lag), "pending" if m.pending else "-")
            for m in status.members
        ),
    )
    if status.slots:
        report.table(("SLOT", "STATE", "KEPT LOG"), status.slots)
    report.table(
        ("DATABASE", "SIZE", "CONNECTIONS"),
        ((name, f"{size / MEGABYTE:.1f} MB", str(count)) for name, size, count in status.databases),
    )
    report.line(f"{status.connections[0]} of {status.connections[1]} connections on the leader.")


def _or_dash(value: int | None) -> str:
    return "-" if value is None else str(value)


def _bytes(value: int | None) -> str:
    return "-" if value is None else f"{value} B" if value < MEGABYTE else f"{value / MEGABYTE:.1f} MB"
