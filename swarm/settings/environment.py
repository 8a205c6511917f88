"""env/<name>/env.yaml and projects.yaml -> one frozen Environment."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from swarm.errors import EnvironmentInvalid, UnknownName
from swarm.settings import validation
from swarm.settings.projects import Projects
from swarm.settings.validation import Strict

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = "lab"

Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Registry = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*$")]
Memory = Annotated[str, StringConstraints(pattern=r"^[0-9]+[KMG]$")]
Cpus = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?$")]
Entry = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?$")]
Hour = Annotated[str, StringConstraints(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{1,2}|-[0-9]+h)$")]

Moment = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{1,2}$")]
Duration = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}[smhd]$")]
Seconds = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,3}s$")]


class Node(Strict):
    """One Docker engine of the swarm, its role and its labels."""

    name: HostName
    role: Literal["manager", "worker"]
    labels: dict[str, str] = {}


class Lab(Strict):
    """How the driver `lab` makes nodes on this machine."""

    subnet: IPv4Network = IPv4Network("10.210.0.0/24")
    pool: IPv4Network = IPv4Network("10.211.0.0/16")
    http_port: int = Field(default=80, ge=1, le=65535)
    listen: IPv4Address = IPv4Address("127.0.0.1")


class Storage(Strict):
    """What all nodes share: a directory at the same path on each."""

    driver: Literal["bind"] = "bind"
    path: Annotated[str, StringConstraints(pattern=r"^/.+")] = "/data"


class Build(Strict):
    """How images are built."""

    debian: str = "auto"
    ca_bundle: Path | None = None


class Archive(Strict):
    """Where the hours of GH Archive come from, and from when on."""

    url: Annotated[str, StringConstraints(pattern=r"^(https?|file)://.+")] = "https://data.gharchive.org"
    since: Hour | None = None
    until: Hour | None = None
    simulate: Literal["never", "when-unreachable", "always"] = "never"
    simulate_since: Hour | None = None
    case_sensitive: bool = False
    skip: list[Moment] | None = None
    retry: Duration = "1m"
    give_up: Duration = "7d"


Bytes = Annotated[str, StringConstraints(pattern=r"^[0-9]+(kB|MB|GB|TB)$")]
Parameter = Annotated[str, BeforeValidator(lambda given: _parameter(given))]


class Wal(Strict):
    """How much write-ahead log is kept, and when checkpoints are made for it."""

    min_size: Bytes = "256MB"
    max_size: Bytes = "2GB"
    keep: Bytes = "256MB"


class Autovacuum(Strict):
    """How eagerly dead rows are removed."""

    workers: int = Field(default=3, ge=1, le=64)
    scale_factor: float = Field(default=0.1, ge=0, le=1)
    naptime: Annotated[str, StringConstraints(pattern=r"^[0-9]+(s|min)$")] = "30s"
    cost_limit: int = Field(default=1000, ge=1, le=10000)


class Database(Strict):
    """Postgres: one server or a cluster, how large, and how patient. Sizes that are not given follow from `memory`."""

    mode: Literal["single", "ha"] = "single"
    members: Literal[3, 5] = 3
    synchronous: bool = True
    memory: Memory = "1G"
    connections: int | None = Field(default=None, ge=20, le=10000)
    workers: int = Field(default=8, ge=1, le=256)
    shared_buffers: Bytes | None = None
    work_mem: Bytes | None = None
    wal: Wal = Wal()
    autovacuum: Autovacuum = Autovacuum()
    ttl: int = Field(default=20, ge=20, le=600)
    loop_wait: int = Field(default=10, ge=1, le=300)
    retry_timeout: int = Field(default=5, ge=3, le=300)
    maximum_lag: Bytes = "16MB"
    start_timeout: int = Field(default=0, ge=0, le=3600)
    stop_timeout: int = Field(default=20, ge=5, le=3600)
    parameters: dict[Annotated[str, StringConstraints(pattern=r"^[a-z_]+(\.[a-z_]+)?$")], Parameter] = {}

    @model_validator(mode="after")
    def _time_outs_fit(self) -> "Database":
        if self.loop_wait + 2 * self.retry_timeout > self.ttl:
            raise ValueError("loop_wait + 2 * retry_timeout must not exceed ttl, or a leader would lose its lock")
        return self


class RolloutTiming(Strict):
    """How long a change of a service is watched, and how long what it replaces goes on serving."""

    # How long every service of a stack must stay healthy before its deploy has succeeded.
    stable: Annotated[Seconds, AfterValidator(lambda given: _at_least_one(given))] = "3s"
    # How long Swarm watches each updated service for failures, instead of what its stack says.
    monitor: Seconds | None = None
    # How long a page that is shutting down keeps serving, until Traefik knows its successor.
    drain: Seconds = "8s"

    @property
    def stable_seconds(self) -> int:
        """`stable` as a number."""
        return _seconds(self.stable)

    @property
    def drain_seconds(self) -> int:
        """`drain` as a number."""
        return _seconds(self.drain)


class Size(Strict):
    """Limits and replicas of one service, over what its stack says."""

    memory: Memory | None = None
    cpus: Cpus | None = None
    replicas: int | None = Field(default=None, ge=0)


class EnvironmentFile(Strict):
    """The keys of env.yaml."""

    domain: Domain
    registry: Registry
    driver: Literal["lab", "context"]
    context: str | None = None
    entry: Entry | None = None
    lab: Lab = Lab()
    nodes: list[Node] = []
    storage: Storage = Storage()
    build: Build = Build()
    images: dict[str, str] = {}
    archive: Archive = Archive()
    db: Database = Database()
    rollout: RolloutTiming = RolloutTiming()
    sizes: dict[str, Size] = {}
    stacks: dict[str, dict[str, Any]] = {}

    @model_validator(mode="after")
    def _nodes_fit_the_driver(self) -> "EnvironmentFile":
        names = [node.name for node in self.nodes]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"nodes: {', '.join(twice)} is given twice")
        if self.driver == "lab" and "registry" in names:
            raise ValueError("nodes: registry is reserved for the lab's registry")
        if self.driver == "lab" and not any(node.role == "manager" for node in self.nodes):
            raise ValueError("nodes: the driver lab needs at least one node with role manager")
        if self.driver == "context" and not self.context:
            raise ValueError("context: is missing; the driver context needs the name of a docker context")
        return self


@dataclass(frozen=True)
class Environment:
    """Everything that differs between lab, virtualbox and production."""

    name: str
    directory: Path
    root: Path
    file: EnvironmentFile
    projects: Projects

    @property
    def domain(self) -> str:
        """The domain under which everything is served."""
        return self.file.domain

    @property
    def registry(self) -> str:
        """Host, port and path before each image's name."""
        return self.file.registry

    @property
    def archive(self) -> Archive:
        """Where hours come from."""
        return self.file.archive

    @property
    def database(self) -> Database:
        """Postgres: one server or a cluster."""
        return self.file.db

    @property
    def rollout(self) -> RolloutTiming:
        """How long changes of services are watched."""
        return self.file.rollout

    @property
    def storage(self) -> Storage:
        """What all nodes share."""
        return self.file.storage

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes in the order of the file."""
        return tuple(self.file.nodes)

    @property
    def lab_name(self) -> str:
        """The prefix of everything that the driver lab makes on this machine."""
        return "swarmstats" if self.name == DEFAULT else f"swarmstats-{self.name}"

    @property
    def http_port(self) -> int:
        """The port under which a browser on the operator's machine reaches Traefik."""
        return self.file.lab.http_port if self.file.driver == "lab" else 80

    @property
    def secrets(self) -> Path:
        """The folder of the operator's own secret files."""
        return self.directory / "secrets"

    def url(self, host: str = "") -> str:
        """The address of a host under the domain, as a browser takes it."""
        port = "" if self.http_port == 80 else f":{self.http_port}"
        return f"http://{host + '.' if host else ''}{self.domain}{port}"


def _seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def _at_least_one(given: str) -> str:
    if _seconds(given) < 1:
        raise ValueError("must be at least 1s, or a service that exits at once would pass as healthy")
    return given


def _parameter(given: Any) -> str:
    """A Postgres setting as Postgres writes it; YAML takes bare words for booleans and numbers."""
    if isinstance(given, bool):
        return "on" if given else "off"
    if isinstance(given, str | int | float):
        return str(given)
    raise ValueError("must be a text, a number or a boolean")


def folder(process: Mapping[str, str] = os.environ) -> Path:
    """Where environments live: `env/` of the checkout, or SWARMSTATS_ENVS."""
    given = process.get("SWARMSTATS_ENVS")
    return Path(given).resolve() if given else ROOT / "env"


def load(name: str | None = None, process: Mapping[str, str] = os.environ) -> Environment:
    """Read an environment whole; raises UnknownName or EnvironmentInvalid with every mistake of both files."""
    parent = folder(process)
    name = name or process.get("SWARMSTATS_ENV") or DEFAULT
    directory = parent / name
    known = [path.parent.name for path in parent.glob("*/env.yaml")]
    if name not in known:
        raise UnknownName("environment", name, known)
    file, mistakes = _read(EnvironmentFile, directory / "env.yaml")
    projects, more = Projects.load(directory / "projects.yaml", relative(directory / "projects.yaml"), reserved())
    if file is not None:
        mistakes += [f"{relative(directory / 'env.yaml')}: {line}" for line in _strangers(file, projects)]
    if file is None or mistakes or more:
        raise EnvironmentInvalid([*mistakes, *more])
    return Environment(name, directory, ROOT, file, projects)


def reserved() -> tuple[str, ...]:
    """Names that a project may not have: stacks are called so."""
    return (*sorted(path.parent.name for path in (ROOT / "stacks").glob("*/stack.yaml")), "all")


def relative(path: Path) -> str:
    """A path as it is named to the user: from the checkout on where it lies in it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _strangers(file: EnvironmentFile, projects: Projects) -> Iterator[str]:
    """Keys of env.yaml that name a stack, a service or an image that is not there."""
    stacks = set(reserved()) - {"all"}
    images = {path.parent.name for path in (ROOT / "images").glob("*/Dockerfile")}
    owners = stacks | set(projects.names)
    for kind, names, known in (
        ("stacks", file.stacks, stacks),
        ("images", file.images, images),
        ("sizes", {key.partition(".")[0]: key for key in file.sizes}, owners),
    ):
        yield from (
            f"{kind}.{name}: unknown; allowed: {', '.join(sorted(known))}" for name in names if name not in known
        )


def _read(model: type[EnvironmentFile], path: Path) -> tuple[EnvironmentFile | None, list[str]]:
    try:
        return validation.check(model, validation.load(path, relative(path)), path, relative(path))
    except EnvironmentInvalid as error:
        return None, list(error.mistakes)
