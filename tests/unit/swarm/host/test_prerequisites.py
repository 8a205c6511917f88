import os
from dataclasses import replace
from pathlib import Path

import pytest

from swarm.errors import EngineUnavailable, ToolMissing
from swarm.host import prerequisites
from swarm.host.facts import Machine
from swarm.report import Report
from swarm.shell import RecordingShell, Result

PLAIN = Machine(frozenset({"debian"}), root=True, systemd=False, programs={"dockerd": "/usr/sbin/dockerd"})
SERVED = Machine(frozenset({"debian"}), root=True, systemd=True, programs={"dockerd": "/usr/sbin/dockerd"})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    return tmp_path


def said(version: str) -> Result:
    return Result((), 0, f"Docker version {version}, build e6534b4\n")


def never() -> str:
    raise AssertionError("nothing is lacking here")


def test_the_clients_on_the_path_is_taken_when_it_is_new_enough() -> None:
    shell = RecordingShell(answers={("docker", "--version"): said("28.2.2")})
    assert prerequisites.client(shell) == ("docker",)
    assert shell.ran == [("docker", "--version")]


def test_an_old_client_gives_way_to_our_own(home: Path) -> None:
    own = str(home / ".local/share/swarmstats/bin/docker")
    shell = RecordingShell(answers={("docker",): said("20.10.24+dfsg1"), (own,): said("26.1.5+dfsg1")})
    assert prerequisites.client(shell) == (own,)


def test_what_only_looks_like_docker_is_no_client() -> None:
    shell = RecordingShell(answers={("docker",): Result((), 0, "podman version 5.2.0\n")})
    with pytest.raises(ToolMissing, match="No docker client of version 23 or newer"):
        prerequisites.client(shell)


def test_a_builder_that_is_there_is_used_as_it_is() -> None:
    shell = RecordingShell(answers={("docker", "--version"): said("28.2.2")})
    assert prerequisites.ensure_builder(shell, never) == ("docker",)
    assert shell.ran[:2] == [("docker", "--version"), ("docker", "buildx", "version")]


def test_a_plain_machine_gets_its_engine_spawned(tmp_path: Path) -> None:
    shell = RecordingShell()
    prerequisites.start_engine(PLAIN, shell, lambda: True, run=tmp_path, log=tmp_path / "log")
    assert shell.ran == [("/usr/sbin/dockerd",)]


def test_a_service_manager_is_asked_where_there_is_one(tmp_path: Path) -> None:
    shell = RecordingShell()
    prerequisites.start_engine(SERVED, shell, lambda: True, run=tmp_path, log=tmp_path / "log")
    assert shell.ran == [("systemctl", "start", "docker")]


def test_the_pid_files_of_a_killed_engine_are_removed(tmp_path: Path) -> None:
    managed = tmp_path / "docker/containerd/containerd.pid"
    managed.parent.mkdir(parents=True)
    for file in (tmp_path / "docker.pid", managed):
        file.write_text(str(os.getpid()))
    prerequisites.start_engine(PLAIN, RecordingShell(), lambda: True, run=tmp_path, log=tmp_path / "log")
    assert not (tmp_path / "docker.pid").exists()
    assert not managed.exists()


def test_an_engine_that_does_not_come_up_is_an_error_with_its_last_lines(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("starting\nfailed to start daemon: no space left on device\n")
    with pytest.raises(EngineUnavailable, match="no space left on device") as caught:
        prerequisites.start_engine(PLAIN, RecordingShell(), lambda: False, tmp_path, tmp_path / "log", seconds=0)
    assert str(tmp_path / "log") in caught.value.hint


def test_a_service_that_does_not_start_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    shell = RecordingShell(answers={("systemctl",): Result((), 1, "", "Job for docker.service failed")})
    with pytest.raises(EngineUnavailable, match=r"Job for docker\.service failed") as caught:
        prerequisites.start_engine(SERVED, shell, lambda: True, run=tmp_path)
    assert "journalctl -u docker" in caught.value.hint


@pytest.mark.parametrize(
    ("programs", "said"), [({}, ["would install", "would start"]), (dict(PLAIN.programs), ["would start"])]
)
def test_an_engine_that_would_be_provided_is_only_told_of_in_a_dry_run(
    programs: dict[str, str], said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    shell, machine = RecordingShell(), replace(PLAIN, programs=programs)
    assert not prerequisites._provide_engine(machine, shell, Report(), lambda: False, dry=True)
    lines = capsys.readouterr().out.splitlines()
    assert [" ".join(line.split()[:2]) for line in lines] == said
    assert shell.ran == []


def test_programs_that_only_tests_use_are_installed_where_we_may(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = RecordingShell()
    monkeypatch.setattr(
        prerequisites.machines,
        "survey",
        lambda: replace(PLAIN, programs={"zsh": "/usr/bin/zsh", "age": "/usr/bin/age"}),
    )
    assert prerequisites.ensure_test_programs(shell, Report())
    assert shell.ran[-1][-1] == "fish"
    monkeypatch.setattr(prerequisites.machines, "survey", lambda: replace(PLAIN, root=False))
    assert not prerequisites.ensure_test_programs(shell, Report())
    assert "No zsh and fish and age: tests that use them are skipped." in " ".join(capsys.readouterr().out.split())
