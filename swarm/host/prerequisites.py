"""What this machine must have: an engine that runs, a docker client with buildx, a way to make Debian."""

import os
import re
import sys
import tarfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from tempfile import TemporaryFile

import psutil

from swarm.engine.client import Engine
from swarm.engine.refusals import REFUSALS
from swarm.errors import CommandFailed, EngineUnavailable, ToolMissing
from swarm.files import write_atomically
from swarm.host import facts as machines
from swarm.host.facts import BROWSER_PACKAGES, BROWSERS, DEBIAN_PACKAGES, ENGINE_PACKAGES, TEST_PROGRAMS, Machine
from swarm.host.folder_lock import lock_folder
from swarm.report import Report
from swarm.shell import Argv, Shell
from swarm.wait import until

LOG = Path("/var/log/dockerd.log")
LOG_LINES = 8
START_SECONDS = 30.0
FETCH_SECONDS = 300
RUN = Path("/var/run")
OLDEST_CLIENT = 23
NONINTERACTIVE = {"DEBIAN_FRONTEND": "noninteractive"}
# The client and buildx are Debian's, taken out of the packages that lab nodes use as well.
FETCH = (
    "cd /tmp && apt-get -qq update && apt-get -qq download docker-cli docker-buildx"
    " && for package in *.deb; do dpkg-deb -x $package /taken; done"
)
DOCKER = "/taken/usr/bin/docker"
BUILDX = "/taken/usr/libexec/docker/cli-plugins/docker-buildx"


def ensure_engine(shell: Shell, report: Report, *, dry: bool = False) -> bool:
    """Make this machine's engine answer, installing and starting it where we may; False when `dry` leaves it silent."""
    engine = Engine()
    if not engine.answers() and not _provide_engine(machines.survey(), shell, report, engine.answers, dry=dry):
        return False
    with report.step(f"Docker Engine {engine.version()}") as step:
        step.skipped = False
    return True


def client(shell: Shell) -> Argv:
    """The docker client that stacks are deployed with; raises ToolMissing when there is none that is new enough."""
    for words in (("docker",), (str(_own_docker()),)):
        if client_version(shell, words) >= OLDEST_CLIENT:
            return words
    raise ToolMissing(
        f"No docker client of version {OLDEST_CLIENT} or newer was found on this machine.",
        hint="Run ./run swarm.init to get one for the lab, or install docker-cli.",
    )


def ensure_builder(shell: Shell, debian: Callable[[], str], note: Callable[[str], None] | None = None) -> Argv:
    """A docker client with buildx; missing parts are copied from Debian's packages into your home."""
    lacking = _lacking(shell)
    if lacking:
        if note:
            note(f"no {' and no '.join(path.name for path in lacking.values())}: using Debian's")
        _take(debian(), lacking)
        if missing := _lacking(shell):
            raise ToolMissing(
                f"Debian's {', '.join(path.name for path in missing.values())} cannot run on this machine.",
                hint=f"Install a docker client of version {OLDEST_CLIENT} or newer with the buildx plugin.",
            )
    return client(shell)


def taking_turns(note: Callable[[str], None]) -> AbstractContextManager[None]:
    """What one process of yours on this machine makes for all at a time; another waits for it, and finds it made."""
    return lock_folder(_own_docker().parent, lambda: note("waiting for another build on this machine"))


def ensure_mmdebstrap(shell: Shell) -> None:
    """The program that makes a Debian without any image registry; installed where we may."""
    machine = machines.survey()
    if "mmdebstrap" in machine.programs:
        return
    if not machine.may_install:
        raise ToolMissing(
            "No image registry is reachable, and mmdebstrap, which could build the base image, is not installed.",
            hint=machines.install_advice(machine, DEBIAN_PACKAGES),
        )
    _install(shell, DEBIAN_PACKAGES)


def ensure_browser(shell: Shell, report: Report) -> bool:
    """A Chromium for tests that look at pages; installed where we may, else said so; True when there is one."""
    machine = machines.survey()
    if any(name in machine.programs for name in BROWSERS):
        return True
    if not machine.may_install:
        advice = machines.install_advice(machine, BROWSERS[:1])
        report.line(f"Chromium is not installed: browser tests are skipped. {advice}")
        return False
    with report.step("Chromium installed"):
        _install(shell, BROWSER_PACKAGES)
    return True


def ensure_test_programs(shell: Shell, report: Report) -> bool:
    """Install the programs that only tests use, or report that they are missing; True if they are there."""
    machine = machines.survey()
    missing = tuple(name for name in TEST_PROGRAMS if name not in machine.programs)
    if not missing:
        return True
    names = " and ".join(missing)
    if not machine.may_install:
        report.line(f"No {names}: tests that use them are skipped. {machines.install_advice(machine, missing)}")
        return False
    with report.step(f"{names} installed"):
        _install(shell, missing)
    return True


def ca_bundle() -> Path | None:
    """The certificates that this machine trusts, for builds that go through the same proxies."""
    return machines.bundle()


def client_version(shell: Shell, words: Argv) -> int:
    """The major version of a docker client; 0 when there is none."""
    try:
        result = shell.run((*words, "--version"), check=False)
    except (ToolMissing, PermissionError):
        return 0
    found = re.match(r"Docker version (\d+)\.", result.stdout)
    return int(found[1]) if found and result.code == 0 else 0


def has_buildx(shell: Shell, words: Argv) -> bool:
    """Whether a docker client knows buildx."""
    try:
        return shell.run((*words, "buildx", "version"), check=False).code == 0
    except (ToolMissing, PermissionError):
        return False


def _provide_engine(machine: Machine, shell: Shell, report: Report, answers: Callable[[], bool], *, dry: bool) -> bool:
    if not machines.can_provide_engine(machine):
        message, hint = machines.engine_missing(machine)
        raise EngineUnavailable(message, hint=hint)
    absent = "dockerd" not in machine.programs
    if dry:
        install = [f"install {', '.join(ENGINE_PACKAGES)}"] if absent else []
        report.would([*install, "start the Docker engine (the remaining steps depend on it)"], "")
        return False
    if absent:
        report.line(f"Docker Engine is not installed: installing {', '.join(ENGINE_PACKAGES)}.")
        with report.step("Docker Engine installed"):
            _install(shell, ENGINE_PACKAGES)
        # The package starts the engine automatically where there is a service manager.
        if machine.systemd and until(answers, START_SECONDS):
            return True
    with report.step("Docker Engine started"):
        start_engine(machine, shell, answers)
    return True


def start_engine(
    machine: Machine,
    shell: Shell,
    answers: Callable[[], bool],
    run: Path = RUN,
    log: Path = LOG,
    seconds: float = START_SECONDS,
) -> None:
    """Start the installed engine and wait until it answers; raises EngineUnavailable with its last lines."""
    if machine.systemd:
        try:
            shell.run(("systemctl", "start", "docker"))
        except CommandFailed as error:
            raise EngineUnavailable(error.message, hint="Check its log: journalctl -u docker -n 50") from error
    elif not _alive(run / "docker.pid", "dockerd"):
        # A killed engine leaves its pid files; another process may have got the number since.
        (run / "docker.pid").unlink(missing_ok=True)
        managed = run / "docker" / "containerd" / "containerd.pid"
        if not _alive(managed, "containerd"):
            managed.unlink(missing_ok=True)
        shell.spawn((machine.programs.get("dockerd", "dockerd"),), log=str(log))
    if not until(answers, seconds):
        said = "\n  ".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:]) if log.exists() else "(no log)"
        raise EngineUnavailable(
            f"The Docker engine did not answer within {seconds:.0f} s. Its last lines:\n  {said}",
            hint=f"Full log: {'journalctl -u docker' if machine.systemd else log}",
        )


def _install(shell: Shell, packages: tuple[str, ...]) -> None:
    for command in machines.install(packages):
        shell.run(command, environment=NONINTERACTIVE)


def _alive(pid_file: Path, program: str) -> bool:
    """Whether a pid file names a running process of that program."""
    with suppress(OSError, ValueError, psutil.Error):
        return psutil.Process(int(pid_file.read_text())).name() == program
    return False


def _lacking(shell: Shell) -> dict[str, Path]:
    """What of a builder is not here: path in Debian's packages -> where it goes."""
    own = (str(_own_docker()),)
    good = next((words for words in (("docker",), own) if client_version(shell, words) >= OLDEST_CLIENT), None)
    lacking = {} if good else {DOCKER: _own_docker()}
    return lacking if good and has_buildx(shell, good) else {**lacking, BUILDX: _own_buildx()}


def _own_docker() -> Path:
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "swarmstats" / "bin" / "docker"


def _own_buildx() -> Path:
    directory = os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker"
    return Path(directory) / "cli-plugins" / "docker-buildx"


def _take(image: str, wanted: dict[str, Path]) -> None:
    """Copy files out of Debian's packages: they are unpacked in a container that is removed afterwards."""
    if sys.platform != "linux":
        raise ToolMissing(
            "No docker client with buildx was found on this machine.",
            hint="Install Docker Desktop, which includes both.",
        )
    try:
        containers = Engine(timeout=FETCH_SECONDS).containers
        container = containers.create({"Image": image, "Cmd": ["sh", "-ec", FETCH]})
        try:
            containers.start(container)
            if containers.wait(container) != 0:
                output = "\n".join(containers.last_lines(container, LOG_LINES))
                raise ToolMissing(f"Debian's docker client could not be fetched:\n{output}")
            for inside, target in wanted.items():
                _copy(containers.archive(container, inside), target)
        finally:
            containers.remove(container)
    except REFUSALS as error:
        raise ToolMissing(f"Debian's docker client could not be copied from {image}: {error}") from error


def _copy(archive: Iterable[bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryFile() as stream:
        for chunk in archive:
            stream.write(chunk)
        stream.seek(0)
        with tarfile.open(fileobj=stream) as unpacked:
            member = unpacked.extractfile(unpacked.next() or tarfile.TarInfo())
            write_atomically(target, member.read() if member else b"", 0o755)
