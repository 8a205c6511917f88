"""Ports of this machine: whether they are free, and who holds them when they are not."""

import os
import socket
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

from swarm.errors import PortTaken

PROC = Path("/proc")
LISTENING = "0A"
Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Port:
    """A port that will be published, and the key of env.yaml that changes it."""

    listen: str
    number: int
    setting: str


@dataclass(frozen=True)
class Listener:
    """A socket that accepts connections, named by its inode."""

    address: Address
    number: int
    inode: str


def check(wanted: Iterable[Port], running: Sequence[dict[str, Any]], ours: Container[str], proc: Path = PROC) -> None:
    """Raise PortTaken when a port is held by anything but containers of ours; `running` as the engine lists them."""
    for port in wanted:
        owner = publisher(port, running)
        if owner and owner in ours:
            continue
        holder = f"container {owner}" if owner else process(port, proc)
        if holder:
            raise PortTaken(
                f"Port {port.number} on {port.listen} is taken by {holder}.",
                hint=f"Stop that, or give another {port.setting} in env.yaml.",
            )


def listens(address: str, number: int) -> bool:
    """Whether something accepts connections there."""
    try:
        socket.create_connection((address, number), timeout=1).close()
    except OSError:
        return False
    return True


def publisher(port: Port, running: Iterable[dict[str, Any]]) -> str | None:
    """The name of the running container that publishes a port."""
    for container in running:
        for published in container.get("Ports") or ():
            given = published.get("IP")
            if published.get("PublicPort") == port.number and given and _meet(ip_address(given), port.listen):
                return str(container["Names"][0]).lstrip("/")
    return None


def process(port: Port, proc: Path = PROC) -> str | None:
    """Who listens on a port, e.g. `nginx (process 412)`; None when nobody does."""
    for listener in listeners(proc):
        if listener.number == port.number and _meet(listener.address, port.listen):
            return _owner(listener.inode, proc) or "a process of another user"
    return None


def listeners(proc: Path = PROC) -> Iterator[Listener]:
    """All listening TCP sockets, from the kernel's tables."""
    for name in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (proc / "net" / name).read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == LISTENING:
                    address, number = words[1].split(":")
                    yield Listener(_address(address), int(number, 16), words[9])


def _address(text: str) -> Address:
    """The kernel writes addresses as 32-bit words in the byte order of a little-endian machine."""
    raw = bytes.fromhex(text)
    return ip_address(b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4)))


def _meet(address: Address, listen: str) -> bool:
    wanted = ip_address(listen)
    return address == wanted or address.is_unspecified or wanted.is_unspecified


def _owner(inode: str, proc: Path) -> str | None:
    for directory in proc.glob("[0-9]*/fd"):
        with suppress(OSError):
            if any(os.readlink(entry) == f"socket:[{inode}]" for entry in directory.iterdir()):
                return f"{(directory.parent / 'comm').read_text().strip()} (process {directory.parent.name})"
    return None
