"""What an operator sees at a glance: stacks, their services, their tasks, their releases, their addresses."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from swarm.live import lookup, orphans
from swarm.live.orphans import Stray
from swarm.live.services import Service, Task
from swarm.report import Table
from swarm.settings.environment import Environment
from swarm.stacks import manifest, urls
from swarm.stacks.targets import PROJECT, Target

COLUMNS = ("STACK", "RELEASE", "WHEN", "SERVICES", "TASKS", "STATE", "URL")
DETAILS = ("SERVICE", "MODE", "TASKS", "STATE", "IMAGE", "NODES", "LAST ERROR")
NOTHING = "-"
DIGEST_LENGTH = 12
DEPLOYED = "deployed"
STEPS = ((86400, "d"), (3600, "h"), (60, "m"))


class Release(Protocol):
    """What status wants to know of a stack's latest release."""

    @property
    def number(self) -> int:
        """Counted for each stack from 1."""

    @property
    def when(self) -> datetime:
        """When it was begun."""

    @property
    def state(self) -> str:
        """What became of it."""


@dataclass(frozen=True)
class Row:
    """One stack (or all projects together): release, counts, state in words, address."""

    stack: str
    release: str
    when: datetime | None
    services: int
    running: int
    wanted: int
    state: str
    url: str

    def cells(self, now: datetime) -> tuple[str, ...]:
        """The row as it is printed."""
        when = f"{age(self.when, now)} ago" if self.when else NOTHING
        return (
            self.stack,
            self.release,
            when,
            str(self.services),
            f"{self.running}/{self.wanted}",
            self.state,
            self.url,
        )


@dataclass(frozen=True)
class Detail:
    """One service: how it runs, of which image, where, and what went wrong last."""

    service: str
    mode: str
    running: int
    wanted: int
    state: str
    image: str
    nodes: str
    failed: Task | None

    def cells(self, now: datetime) -> tuple[str, ...]:
        """The row as it is printed."""
        count = f"{self.running}/{self.wanted}"
        return (self.service, self.mode, count, self.state, self.image, self.nodes, _error(self.failed, now))


def stacks(environment: Environment, found: Iterable[Service], releases: Mapping[str, Release], now: datetime) -> Table:
    """Columns and cells of all stacks that services belong to."""
    return COLUMNS, [row.cells(now) for row in rows(environment, found, releases)]


def services(found: Iterable[Service], now: datetime) -> Table:
    """Columns and cells of services."""
    return DETAILS, [detail.cells(now) for detail in details(found)]


def told(service: Service) -> dict[str, Any]:
    """A service for machines: what is known of it and what follows from that."""
    known = {key: value for key, value in asdict(service).items() if key != "spec"}
    return {**known, "running": service.running, "healthy": service.healthy, "state": service.state}


def rows(environment: Environment, services: Iterable[Service], releases: Mapping[str, Release]) -> list[Row]:
    """One row a stack in the order of what they need; projects share one, but for those whose project is gone."""
    every = list(services)
    gone = orphans.find(environment, every)
    found: dict[str, list[Service]] = {}
    for service in every:
        title = service.stack if service.stack in gone else service.labels.get(lookup.TEMPLATE, service.stack)
        found.setdefault(title, []).append(service)
    known = [name for name in manifest.order() if name in found]
    others = sorted(found.keys() - set(known))
    return [_row(environment, name, found[name], releases, gone.get(name)) for name in (*known, *others)]


def details(services: Iterable[Service]) -> list[Detail]:
    """One row a service."""
    return [
        Detail(
            service=lookup.shown(service),
            mode=service.mode,
            running=service.running,
            wanted=service.desired,
            state=service.state,
            image=image(service.image),
            nodes=_nodes(service),
            failed=max((task for task in service.tasks if task.failed), key=lambda task: task.since, default=None),
        )
        for service in services
    ]


def image(reference: str) -> str:
    """`127.0.0.1:5000/swarmstats/nginx:1.26@sha256:0123...` as `nginx:1.26@0123456789ab`."""
    name, _, digest = reference.partition("@")
    short = digest.removeprefix("sha256:")[:DIGEST_LENGTH]
    return f"{name.rsplit('/', 1)[-1]}{f'@{short}' if short else ''}"


def age(then: datetime, now: datetime) -> str:
    """How long ago, in one unit: 45s, 3m, 2h, 5d."""
    seconds = max(0, int((now - then).total_seconds()))
    return next((f"{seconds // size}{unit}" for size, unit in STEPS if seconds >= size), f"{seconds}s")


def _row(
    environment: Environment,
    name: str,
    found: Sequence[Service],
    releases: Mapping[str, Release],
    stray: Stray | None,
) -> Row:
    lasting = [service for service in found if not service.job]
    mine = [releases[stack] for stack in {service.stack for service in found} if stack in releases]
    newest = max(mine, key=lambda release: release.when, default=None)
    return Row(
        stack="projects" if name == PROJECT else name,
        release=_release(newest),
        when=newest.when if newest else None,
        services=len(found),
        running=sum(min(service.running, service.desired) for service in lasting),
        wanted=sum(service.desired for service in lasting),
        state=f"{_state(found)}; {stray.words} (./run clean {name})" if stray else _state(found),
        url=_url(environment, name),
    )


def _release(release: Release | None) -> str:
    if release is None:
        return NOTHING
    return str(release.number) if release.state == DEPLOYED else f"{release.number} {release.state}"


def _state(found: Iterable[Service]) -> str:
    unwell = [service for service in found if not service.healthy]
    if not unwell:
        return "healthy"
    counts = Counter(service.state for service in unwell)
    words = ", ".join(f"{count} {state}" for state, count in counts.items())
    worst = next((service for service in unwell if service.state == "failing"), unwell[0])
    error = next((task.error for task in worst.tasks if task.current and task.error), "")
    name = lookup.shown(worst)
    return f"{words}: {name}{f': {error}' if error else ''} (./run logs {name})"


def _url(environment: Environment, name: str) -> str:
    if name == PROJECT or name not in manifest.order():
        return ""
    found = urls.addresses(environment, [Target(name)])
    return found[0][1] if found else ""


def _nodes(service: Service) -> str:
    """Where tasks run, of a job where they ran; a node of several with their number."""
    ran = ("running", "complete") if service.job else ("running",)
    count = Counter(task.node for task in service.tasks if task.node and task.state in ran)
    return ", ".join(f"{node} x{many}" if many > 1 else node for node, many in sorted(count.items())) or NOTHING


def _error(failed: Task | None, now: datetime) -> str:
    if failed is None:
        return NOTHING
    return f"{age(failed.since, now)} ago on {failed.node or 'no node'}: {failed.error or failed.state}"
