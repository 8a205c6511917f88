"""Ports of this machine: whether they are free, and who holds them when they are not."""

import socket
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import psutil

from swarm.errors import PortTaken

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Port:
    """A port that will be published, and the key of env.yaml that changes it."""

    listen: str
    number: int
    setting: str


@dataclass(frozen=True)
class Listener:
    """A socket that accepts connections, and its process where we may know it."""

    address: Address
    number: int
    process: int | None


def check(wanted: Iterable[Port], running: Sequence[dict[str, Any]], ours: Container[str]) -> None:
    """Raise PortTaken when a port is held by anything but containers of ours; `running` as the engine lists them."""
    for port in wanted:
        owner = publisher(port, running)
        if owner and owner in ours:
            continue
        holder = f"container {owner}" if owner else process(port, listeners())
        if holder:
            raise PortTaken(
                f"Port {port.number} on {port.listen} is in use by {holder}.",
                hint=f"Stop it, or set another {port.setting} in env.yaml.",
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


def process(port: Port, listeners: Iterable[Listener]) -> str | None:
    """Who listens on a port, e.g. `nginx (process 412)`; None if the port is free."""
    for listener in listeners:
        if listener.number == port.number and _meet(listener.address, port.listen):
            return _name(listener.process)
    return None


def listeners() -> list[Listener]:
    """All listening TCP sockets of this machine; none where only its administrator may ask."""
    try:
        found = psutil.net_connections("tcp")
    except (OSError, psutil.AccessDenied):
        return []
    return [
        Listener(ip_address(item.laddr.ip), item.laddr.port, item.pid)
        for item in found
        if item.laddr and item.status == psutil.CONN_LISTEN
    ]


def _name(process: int | None) -> str:
    try:
        if process is not None:
            return f"{psutil.Process(process).name()} (process {process})"
    except psutil.NoSuchProcess:
        return "a process that has just ended"
    return "another user's process"


def _meet(address: Address, listen: str) -> bool:
    wanted = ip_address(listen)
    return address == wanted or address.is_unspecified or wanted.is_unspecified
