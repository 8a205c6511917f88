"""How much room the volumes of the servers have, asked in each one's container."""

from dataclasses import dataclass

from rich.filesize import decimal

from swarm.database.members import Database
from swarm.errors import CommandFailed, DatabaseUnhealthy, NodeFailed, UnknownName

ASK = ("df", "--block-size=1", "--output=size,avail", "/var/lib/postgresql/data")
MEGABYTE = 1024**2
# Less than a few WAL segments: Postgres has stopped or is about to.
FULL_BYTES = 64 * MEGABYTE
LOW_SHARE = 0.1


@dataclass(frozen=True)
class Disk:
    """The file system of one server's data, bytes; None where the server does not run."""

    member: str
    size: int | None
    free: int | None

    @property
    def shown(self) -> str:
        """Free room for people."""
        if self.size is None or self.free is None:
            return "-"
        return f"{decimal(self.free)} of {decimal(self.size)}"

    @property
    def complaint(self) -> str:
        """What is wrong with it, or nothing."""
        if self.size is None or self.free is None:
            return ""
        if self.free < FULL_BYTES:
            return f"{self.member} has no disk space left ({self.shown} free) and can be neither leader nor replica"
        if self.free < LOW_SHARE * self.size:
            return f"{self.member} is running out of disk space ({self.shown} free)"
        return ""


def read(database: Database) -> list[Disk]:
    """One for each server, in the order of their names."""
    return [_disk(database, name) for name in database.names]


def advice(disk: Disk) -> str:
    """What to do about a complaint."""
    return f"Free disk space on the node of db/{disk.member} (see ./run status db); it recovers automatically."


def _disk(database: Database, name: str) -> Disk:
    try:
        size, free = database.run(name, *ASK).split()[-2:]
        return Disk(name, int(size), int(free))
    except (CommandFailed, DatabaseUnhealthy, NodeFailed, UnknownName, ValueError):
        return Disk(name, None, None)
