"""What this machine is, and which commands follow from that: pure decisions, nothing is run."""

import os
import platform
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SOCKET = "/var/run/docker.sock"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# What only tests use: shells whose completion is tested (bash is everywhere), and the program that reads our secrets.
TEST_PROGRAMS = ("zsh", "fish", "age")
PROGRAMS = ("dockerd", "mmdebstrap", *BROWSERS, *TEST_PROGRAMS)
# dockerd lies where the PATH of ordinary users does not look.
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"
ENGINE_PACKAGES = ("docker.io", "iptables", "ca-certificates")
BROWSER_PACKAGES = ("chromium", "fonts-liberation")
DEBIAN_PACKAGES = ("mmdebstrap", "debian-archive-keyring")
OTHERS = {
    "fedora": "dnf install -y moby-engine && systemctl start docker",
    "arch": "pacman -S --noconfirm docker && systemctl start docker",
    "suse": "zypper install -y docker && systemctl start docker",
    "alpine": "apk add docker && rc-service docker start",
}
BUNDLES = (
    "etc/ssl/certs/ca-certificates.crt",
    "etc/pki/tls/certs/ca-bundle.crt",
    "etc/ssl/ca-bundle.pem",
    "etc/ssl/cert.pem",
)


@dataclass(frozen=True)
class Machine:
    """The facts that decide how an engine comes to run here; `programs` maps names to paths."""

    distribution: frozenset[str]
    root: bool
    systemd: bool
    programs: Mapping[str, str]
    denied: bool = False
    elsewhere: str = ""

    @property
    def debian(self) -> bool:
        """Whether packages are Debian's: Debian, Ubuntu and what is made of them."""
        return "debian" in self.distribution

    @property
    def may_install(self) -> bool:
        """Whether we may install packages here by ourselves."""
        return self.root and self.debian

    def command(self, words: str) -> str:
        """A command as this user has to type it."""
        if self.root:
            return words
        return f"sudo sh -c '{words}'" if "&&" in words or ">" in words else f"sudo {words}"


def survey(process: Mapping[str, str] = os.environ, top: Path = Path("/")) -> Machine:
    """Look at this machine."""
    path = os.pathsep.join((process.get("PATH", ""), SYSTEM_PATH))
    found = {name: where for name in PROGRAMS if (where := shutil.which(name, path=path))}
    return Machine(
        distribution=_distribution(),
        root=os.geteuid() == 0,
        systemd=(top / "run/systemd/system").is_dir(),
        programs=found,
        denied=Path(SOCKET).exists() and not os.access(SOCKET, os.R_OK | os.W_OK),
        elsewhere=process.get("DOCKER_HOST", ""),
    )


def can_provide_engine(machine: Machine) -> bool:
    """Whether we install or start the engine ourselves; never if DOCKER_HOST is set."""
    return machine.root and not machine.elsewhere and ("dockerd" in machine.programs or machine.debian)


def engine_missing(machine: Machine) -> tuple[str, str]:
    """Why no engine answers, and the exact command that helps."""
    if machine.elsewhere:
        return (
            f"No Docker engine answers at DOCKER_HOST={machine.elsewhere}.",
            "Start that engine, or run: unset DOCKER_HOST",
        )
    if machine.denied:
        return (
            f"This user has no access to the Docker socket {SOCKET}.",
            "Run: sudo usermod -aG docker $USER   then log in again.",
        )
    if "dockerd" in machine.programs:
        return "The Docker engine is installed but not running.", f"Run: {machine.command(_start_command(machine))}"
    return "Docker Engine is not installed on this machine.", _install_advice(machine)


def install(packages: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The commands that install Debian packages."""
    return ("apt-get", "-q", "update"), ("apt-get", "-q", "install", "-y", "--no-install-recommends", *packages)


def install_advice(machine: Machine, packages: Sequence[str]) -> str:
    """What to do where we may not install packages ourselves."""
    names = " ".join(packages)
    if machine.debian:
        return f"Run: {machine.command(f'apt-get update && apt-get install -y {names}')}"
    return f"Install {names} with your package manager."


def bundle(top: Path = Path("/")) -> Path | None:
    """The certificates that this machine trusts, wherever its distribution keeps them."""
    return next((top / name for name in BUNDLES if (top / name).is_file()), None)


def describe(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """What a measurement was made on: processors, memory, kernel."""
    kernel = os.uname()
    found = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    model = found[1] if found else kernel.machine
    gigabytes = psutil.virtual_memory().total / 1024**3
    return f"{os.cpu_count()} × {model}, {gigabytes:.0f} GB, {kernel.sysname} {kernel.release}"


def _install_advice(machine: Machine) -> str:
    for name, words in OTHERS.items():
        if name in machine.distribution:
            return f"Run: {machine.command(words)}"
    if machine.debian:
        return install_advice(machine, ENGINE_PACKAGES[:1])
    return "Install Docker Engine (or start Docker Desktop), then run this again."


def _start_command(machine: Machine) -> str:
    return "systemctl start docker" if machine.systemd else "service docker start"


def _distribution() -> frozenset[str]:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return frozenset()
    return frozenset(f"{release['ID']} {release.get('ID_LIKE', '')}".split())
