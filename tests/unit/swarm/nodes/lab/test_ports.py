import os
import socket
from pathlib import Path

import psutil
import pytest

from swarm.errors import PortTaken
from swarm.nodes.lab import ports
from swarm.nodes.lab.ports import Port

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ROW = "   0: {address}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0 0 {inode} 1\n"
LOOPBACK, ANY, ANY6 = "0100007F", "00000000", "0" * 32


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kernel's tables with a process 412, nginx, that holds the socket 77."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    (tmp_path / "net").mkdir()
    for name in ("tcp", "tcp6"):
        (tmp_path / "net" / name).write_text(HEAD)
    (tmp_path / "stat").write_text("btime 1767225600\n")
    (tmp_path / "412" / "fd").mkdir(parents=True)
    (tmp_path / "412" / "stat").write_text("412 (nginx) S" + " 1" * 49 + "\n")
    (tmp_path / "412" / "fd" / "3").symlink_to("socket:[77]")
    return tmp_path


def table(proc: Path, name: str, address: str, port: int, state: str = "0A", inode: int = 77) -> None:
    (proc / "net" / name).write_text(HEAD + ROW.format(address=address, port=port, state=state, inode=inode))


def container(name: str, address: str, port: int) -> dict[str, object]:
    return {"Names": [f"/{name}"], "Ports": [{"PrivatePort": 9}, {"IP": address, "PublicPort": port}]}


def test_a_free_port_is_no_error(proc: Path) -> None:
    table(proc, "tcp", LOOPBACK, 8080)
    ports.check([Port("127.0.0.1", 80, "lab.http_port")], [], ())


@pytest.mark.parametrize(("name", "address"), [("tcp", LOOPBACK), ("tcp", ANY), ("tcp6", ANY6)])
def test_the_process_that_listens_is_named(proc: Path, name: str, address: str) -> None:
    table(proc, name, address, 80)
    with pytest.raises(PortTaken, match=r"Port 80 on 127.0.0.1 is in use by nginx \(process 412\)") as caught:
        ports.check([Port("127.0.0.1", 80, "lab.http_port")], [], ())
    assert "lab.http_port" in caught.value.hint


def test_a_process_that_we_may_not_look_into_is_said_to_be_anothers(proc: Path) -> None:
    table(proc, "tcp", ANY, 80, inode=78)
    assert ports.process(Port("127.0.0.1", 80, "lab.http_port"), ports.listeners()) == "another user's process"


def test_connections_and_other_addresses_do_not_take_a_port(proc: Path) -> None:
    table(proc, "tcp", LOOPBACK, 80, state="01")
    table(proc, "tcp6", "0" * 24 + "01000000", 80)
    assert ports.process(Port("127.0.0.1", 80, "lab.http_port"), ports.listeners()) is None


def test_a_container_that_publishes_the_port_is_named(proc: Path) -> None:
    with pytest.raises(PortTaken, match="is in use by container shop-web-1"):
        ports.check([Port("127.0.0.1", 80, "lab.http_port")], [container("shop-web-1", "0.0.0.0", 80)], ())


def test_our_own_container_may_hold_the_port_that_its_proxy_listens_on(proc: Path) -> None:
    table(proc, "tcp", LOOPBACK, 80)
    running = [container("swarmstats-node-1", "127.0.0.1", 80)]
    ports.check([Port("127.0.0.1", 80, "lab.http_port")], running, {"swarmstats-node-1"})


def test_the_kernels_own_tables_are_understood() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        assert f"(process {os.getpid()})" in (
            ports.process(Port("127.0.0.1", number, "registry"), ports.listeners()) or ""
        )
    assert ports.process(Port("127.0.0.1", number, "registry"), ports.listeners()) is None
