import platform
import re
from pathlib import Path

import pytest

from swarm.host import facts
from swarm.host.facts import Machine


def here(distribution: str = "debian", programs: tuple[str, ...] = (), **facts: object) -> Machine:
    known: dict[str, object] = {"root": False, "systemd": True, **facts}
    return Machine(frozenset(distribution.split()), programs={name: f"/usr/sbin/{name}" for name in programs}, **known)


@pytest.mark.parametrize(
    ("machine_", "message", "hint"),
    [
        (
            here(),
            "Docker Engine is not installed on this machine.",
            "Run: sudo sh -c 'apt-get update && apt-get install -y docker.io'",
        ),
        (
            here("fedora"),
            "Docker Engine is not installed on this machine.",
            "Run: sudo sh -c 'dnf install -y moby-engine && systemctl start docker'",
        ),
        (
            here("arch", root=True),
            "Docker Engine is not installed on this machine.",
            "Run: pacman -S --noconfirm docker && systemctl start docker",
        ),
        (
            here("plan9"),
            "Docker Engine is not installed on this machine.",
            "Install Docker Engine (or start Docker Desktop), then run this again.",
        ),
        (
            here(programs=("dockerd",)),
            "The Docker engine is installed but not running.",
            "Run: sudo systemctl start docker",
        ),
        (
            here(programs=("dockerd",), systemd=False),
            "The Docker engine is installed but not running.",
            "Run: sudo service docker start",
        ),
        (
            here(programs=("dockerd",), denied=True),
            "This user has no access to the Docker socket /var/run/docker.sock.",
            "Run: sudo usermod -aG docker $USER   then log in again.",
        ),
        (
            here(root=True, elsewhere="tcp://10.0.0.1:2375"),
            "No Docker engine answers at DOCKER_HOST=tcp://10.0.0.1:2375.",
            "Start that engine, or run: unset DOCKER_HOST",
        ),
    ],
)
def test_a_missing_engine_is_explained_with_the_exact_command(machine_: Machine, message: str, hint: str) -> None:
    assert facts.engine_missing(machine_) == (message, hint)


def test_we_provide_an_engine_only_as_root_and_only_where_we_know_how() -> None:
    assert facts.can_provide_engine(here(root=True))
    assert facts.can_provide_engine(here("fedora", ("dockerd",), root=True))
    assert not facts.can_provide_engine(here())
    assert not facts.can_provide_engine(here("fedora", root=True))
    assert not facts.can_provide_engine(here(root=True, elsewhere="ssh://far"))


def test_debian_packages_are_installed_without_recommendations() -> None:
    assert facts.install(("docker.io", "iptables")) == (
        ("apt-get", "-q", "update"),
        ("apt-get", "-q", "install", "-y", "--no-install-recommends", "docker.io", "iptables"),
    )


def test_a_machine_is_known_by_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mint = {"NAME": "Linux Mint", "ID": "linuxmint", "ID_LIKE": "ubuntu debian"}
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: mint)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/dockerd").write_text("")
    (tmp_path / "bin/dockerd").chmod(0o755)
    found = facts.survey({"PATH": str(tmp_path / "bin")}, tmp_path)
    assert found.debian
    assert not found.systemd
    assert found.programs["dockerd"] == str(tmp_path / "bin/dockerd")


def test_the_trusted_certificates_are_found_wherever_the_distribution_keeps_them(tmp_path: Path) -> None:
    assert facts.bundle(tmp_path) is None
    (tmp_path / "etc/pki/tls/certs").mkdir(parents=True)
    (tmp_path / "etc/pki/tls/certs/ca-bundle.crt").write_text("")
    assert facts.bundle(tmp_path) == tmp_path / "etc/pki/tls/certs/ca-bundle.crt"


def test_a_machine_is_described_by_processors_memory_and_kernel(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some CPU\n")
    assert re.fullmatch(r"\d+ × Some CPU, \d+ GB, \w+ \S+", facts.describe(tmp_path / "cpuinfo"))
    assert facts.describe(tmp_path / "elsewhere")
