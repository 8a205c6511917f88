import json
import socket
from pathlib import Path
from threading import Thread

import pytest
from activity.errors import SettingsError
from activity.probe import Probe, holds, read_probes, run_probes

TCP = {"kind": "tcp", "name": "port", "address": "127.0.0.1:1", "timeout": 0.1}


def written(folder: Path, value: object) -> dict[str, str]:
    (folder / "probe.json").write_text(json.dumps(value))
    return {"ACTIVITY_PROBE": str(folder / "probe.json")}


@pytest.mark.parametrize(
    ("expect", "found", "held"),
    [
        ("t", "t", True), ("t", "f", False), ("1", "1.0", True), ("1", "2", False), ("", "", True),
        (">= 1", "1", True), (">= 1", "0.5", False), ("!= 0", "3", True), ("<1e3", "999", True),
        ("> 1", "many", False), ("> x", "> x", True), ("== 2", "2", True), ("<= -1", "-1.5", True),
    ],
)  # fmt: skip
def test_what_is_expected_is_a_comparison_a_number_or_a_text(expect: str, found: str, held: bool) -> None:
    assert holds(expect, found) is held


def test_the_tests_are_read_from_their_file(tmp_path: Path) -> None:
    (found,) = read_probes(written(tmp_path, {"tests": [TCP]}))
    assert found == Probe("port", "tcp", "127.0.0.1:1", 0.1)
    assert found.host_and_port == ("127.0.0.1", 1)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({**TCP, "kind": "udp"}, "expected a kind of tcp, sql, promql, found 'udp'"),
        ({**TCP, "address": "db"}, "expected an address HOST:PORT, found 'db'"),
        ({**TCP, "password": "x"}, "no key but"),
        ({**TCP, "secret": "../passwd"}, "expected the name of a secret, found '../passwd'"),
        ("tcp", "expected name, kind, address, timeout"),
    ],
)
def test_every_mistake_in_the_file_is_said(tmp_path: Path, item: object, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_probes(written(tmp_path, {"tests": [item, item]}))
    assert str(caught.value).count(said) == 2


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"probe\.json"):
        read_probes({"ACTIVITY_PROBE": str(tmp_path / "probe.json")})


def test_an_open_port_holds_and_a_closed_one_is_asked_until_its_time_is_up(tmp_path: Path) -> None:
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert run_probes((Probe("a", "tcp", f"127.0.0.1:{port}", 1.0),), tmp_path, said.append)
    assert not run_probes((Probe("b", "tcp", f"127.0.0.1:{port}", 0.2),), tmp_path, said.append)
    first, second = (json.loads(line) for line in said)
    assert (first["name"], first["held"], first["found"]) == ("a", True, "open")
    assert (second["held"], second["expected"]) == (False, "open")
    assert second["found"].startswith("ConnectionRefusedError")


def test_a_port_that_opens_late_holds(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said: list[str] = []
    late = Probe("late", "tcp", f"127.0.0.1:{port}", 20.0)
    asking = Thread(target=run_probes, args=((late,), tmp_path, said.append, 0.05))
    asking.start()
    with socket.create_server(("127.0.0.1", port)):
        asking.join(20)
    assert json.loads(said[0])["held"] is True
