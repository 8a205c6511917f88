"""Checks of this machine, the environment and the swarm; each failure says what to do."""

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

from swarm.database import backups, disks
from swarm.database.members import STACK, Database
from swarm.deploy import changeset, missing_secrets
from swarm.engine.client import Engine
from swarm.engine.wire import Spec
from swarm.errors import SwarmstatsError
from swarm.host import prerequisites
from swarm.live import orphans, services
from swarm.nodes import lifecycle, manager
from swarm.report import Report
from swarm.settings import environment as environments
from swarm.settings import postgres, secrets
from swarm.settings.environment import ROOT, Environment
from swarm.shell import Shell
from swarm.stacks import manifest, targets

GIGABYTE = 1024**3
DISK_GIGABYTES = 10


@dataclass(frozen=True)
class Finding:
    """The outcome of one check: what was looked at, what was found, and what to do when it is not well."""

    name: str
    well: bool
    found: str
    advice: str = ""


def run(name: str, shell: Shell, report: Report, *, json: bool = False) -> bool:
    """Print every check as it is made, for machines all at the end; True when all is well."""
    if json:
        made = list(findings(name, shell))
        report.data([asdict(finding) for finding in made])
        return all(finding.well for finding in made)
    well = True
    for finding in findings(name, shell):
        well = well and finding.well
        report.line(f"  {'✓' if finding.well else '✗'} {finding.name}: {finding.found}")
        if not finding.well and finding.advice:
            report.line(f"      {finding.advice}")
    report.line("All checks passed." if well else "Some checks failed.")
    return well


def findings(name: str, shell: Shell) -> Iterator[Finding]:
    """All checks in order; later ones are left out where an earlier one makes them pointless."""
    yield _python()
    yield _disk()
    engine = _checked("docker engine", lambda: f"{Engine().version()}")
    yield engine
    yield _checked("docker client", lambda: " ".join(prerequisites.client(shell)))
    environment: list[Environment] = []
    yield _checked("environment", lambda: _loaded(name, environment))
    if not environment or not engine.well:
        return
    yield _checked("stacks", lambda: _rendered(environment[0], shell))
    yield _connections(environment[0])
    swarm = _checked("swarm", lambda: _swarm(environment[0], shell))
    yield swarm
    if swarm.well:
        yield _secrets(environment[0], manager.connect(environment[0], shell))
        yield from _memory(environment[0], manager.connect(environment[0], shell).nodes.list())
        running = services.services(manager.connect(environment[0], shell))
        yield from _services(running)
        yield from _strays(environment[0], running)
        yield from _disks(environment[0], shell)
        yield from _backups(environment[0], shell)


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("python", sys.version_info >= (3, 11), version, "Python 3.11 or newer is needed.")


def _disk() -> Finding:
    free = shutil.disk_usage(ROOT).free // GIGABYTE
    return Finding("disk", free >= DISK_GIGABYTES, f"{free} GB free", f"Images and volumes want {DISK_GIGABYTES} GB.")


def _checked(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, look())
    except SwarmstatsError as error:
        return Finding(name, False, error.message, error.hint)


def _loaded(name: str, found: list[Environment]) -> str:
    found.append(environments.load(name))
    return f"{found[0].name}, {len(found[0].projects)} projects, driver {found[0].file.driver}"


def _rendered(environment: Environment, shell: Shell) -> str:
    rendered = changeset.render(environment, targets.select(environment, "all"), prerequisites.client(shell), shell)
    return f"{len(rendered)} rendered and valid"


def _connections(environment: Environment) -> Finding:
    """Whether all projects together fit the connections that Postgres takes."""
    projects = len(environment.projects)
    # As Postgres has it: db.parameters stands over db.connections.
    told = postgres.parameters(environment.database, postgres.budget(environment.database, projects))
    needed, allowed = postgres.require(projects) + postgres.RESERVED_CONNECTIONS, int(told["max_connections"])
    found = f"{needed} of {allowed} may be needed for {projects} projects"
    return Finding("connections", needed <= allowed, found, f"Set db.connections to {needed} or more, or omit it.")


def _secrets(environment: Environment, engine: Engine) -> Finding:
    """Whether the secrets that the swarm has are here too, and every file can be read."""
    try:
        missing_secrets.require(environment, manifest.declarations(), engine)
        for name in manifest.declarations():
            secrets.read(secrets.file(environment.secrets, name))
    except SwarmstatsError as error:
        return Finding("secrets", False, error.message, error.hint)
    return Finding("secrets", True, "every generated secret in the swarm has its file")


def _memory(environment: Environment, nodes: Iterable[Spec]) -> Iterator[Finding]:
    """Whether a server of Postgres fits the smallest node that may have one; sizes follow from db.memory alone."""
    single = environment.database.mode == "single"
    homes = [
        (int(node["Description"]["Resources"]["MemoryBytes"]), str(node["Description"]["Hostname"]))
        for node in nodes
        if (node["Spec"].get("Labels") or {}).get("database" if single else "patroni")
    ]
    if homes:
        given, (there, name) = environment.database.memory, min(homes)
        found = f"db.memory is {given}, {name} has {there / GIGABYTE:.1f}G, the least of all database nodes"
        well = postgres.size(given) <= there
        yield Finding("memory of postgres", well, found, "Lower db.memory, or move the label to another node.")


def _swarm(environment: Environment, shell: Shell) -> str:
    rows = lifecycle.status(environment, shell)
    down = [row.name for row in rows if row.state != "ready"]
    if down:
        raise SwarmstatsError(f"not ready: {', '.join(down)}", hint="./run swarm.init completes the swarm.")
    return f"{len(rows)} nodes ready"


def _services(running: Iterable[services.Service]) -> Iterator[Finding]:
    for service in running:
        if not service.healthy:
            advice = f"./run logs {service.name}"
            yield Finding(service.name, False, f"{service.running} of {service.desired}, {service.state}", advice)


def _strays(environment: Environment, running: Iterable[services.Service]) -> Iterator[Finding]:
    for name, stray in orphans.find(environment, running).items():
        yield Finding(f"stack {name}", False, f"still running, but {stray.words}", stray.advice)


def _disks(environment: Environment, shell: Shell) -> Iterator[Finding]:
    """Room on the disks of the database's servers, where its stack is deployed."""
    engine = manager.connect(environment, shell)
    if not engine.services.list(STACK):
        return
    for disk in disks.read(Database(environment, engine)):
        # A server that does not run is reported with its service.
        if disk.free is not None:
            found = disk.complaint or f"{disk.shown} free"
            yield Finding(f"disk of {STACK}/{disk.member}", not disk.complaint, found, disks.advice(disk))


def _backups(environment: Environment, shell: Shell) -> Iterator[Finding]:
    """Age and failures of backups, where the stack that makes them is deployed."""
    engine = manager.connect(environment, shell)
    if not backups.known_names(engine):
        return
    try:
        found = backups.overview(environment, engine)
    except SwarmstatsError as error:
        yield Finding("backups", False, error.message, error.hint)
        return
    complaints = found.complaints()
    yield Finding("backups", not complaints, complaints[0] if complaints else found.summary(), "./run db.backups")
