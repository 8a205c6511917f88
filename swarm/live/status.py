"""What an operator sees at a glance: stacks, their services, tasks, releases and addresses, and what does not run."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from swarm.live import lookup, orphans
from swarm.live.orphans import Orphan
from swarm.live.services import Service, Task
from swarm.report import Table
from swarm.settings.environment import Environment
from swarm.stacks import manifest, targets, urls
from swarm.stacks.targets import PROJECT, Target

COLUMNS = ("STACK", "RELEASE", "WHEN", "SERVICES", "TASKS", "STATE", "URL")
DETAILS = ("SERVICE", "MODE", "TASKS", "STATE", "IMAGE", "NODES", "LAST ERROR")
NOTHING = "-"
DIGEST_LENGTH = 12
NAMED = 4
DEPLOYED = "deployed"
STEPS = ((86400, "d"), (3600, "h"), (60, "m"))


class Release(Protocol):
    """What status wants to know of a stack's newest complete release."""

    @property
    def number(self) -> int:
        """Counted for each stack from 1."""

    @property
    def when(self) -> datetime:
        """When it was begun."""

    @property
    def state(self) -> str:
        """The state of the release."""

    @property
    def cleaned_at(self) -> datetime | None:
        """When its stack was cleaned, if it was."""

    @property
    def cleaned_by(self) -> str:
        """Who cleaned its stack, if it was cleaned."""


class Absence(StrEnum):
    """Why a stack that the environment defines has no services; the values are what people read."""

    CLEANED = "cleaned"
    MISSING = "missing"
    NOT_DEPLOYED = "not deployed"


@dataclass(frozen=True)
class Absent:
    """A stack that the environment defines and of which no service exists."""

    target: Target
    release: Release | None

    @property
    def state(self) -> Absence:
        """Cleaned on purpose, gone though a release was deployed, or never deployed."""
        if self.release is None:
            return Absence.NOT_DEPLOYED
        return Absence.MISSING if self.release.state == DEPLOYED else Absence.CLEANED

    @property
    def text(self) -> str:
        """The state for people, and how the stack comes back."""
        name = self.target.name
        if self.release is None:
            return f"{self.state} (./run deploy {name})"
        if self.state is Absence.MISSING:
            return f"{self.state}: release {self.release.number} was deployed, no service exists (./run deploy {name})"
        when = f" {self.release.cleaned_at:%Y-%m-%d %H:%M}" if self.release.cleaned_at else ""
        return f"{self.state}{when} by {self.release.cleaned_by} (./run rollback {name})"

    def cells(self) -> tuple[str, ...]:
        """The stack as a row among services."""
        return (self.target.name, NOTHING, "0/0", self.text, NOTHING, NOTHING, NOTHING)

    def as_json(self) -> dict[str, Any]:
        """The stack for machines."""
        release = self.release
        return {
            "stack": self.target.name,
            "state": str(self.state),
            "release": release.number if release else None,
            "cleaned_at": release.cleaned_at if release else None,
            "cleaned_by": release.cleaned_by if release else "",
        }


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


def not_running(
    environment: Environment, existing: Iterable[Service], words: str, projects: str = ""
) -> tuple[Target, ...]:
    """The stacks that words and a pattern of projects name, that the environment defines, and that have no service.

    `existing` are all services of the swarm; words that name none of the environment's stacks are left out.
    """
    there = {service.stack for service in existing}
    given = {word.strip() for word in words.split(",")}
    matching = None
    if projects.strip():
        matching = {target.name for target in targets.select(environment, PROJECT, projects)}
    found = []
    for target in targets.with_template(environment).values():
        named = bool(given & {lookup.EVERY, target.name, target.template})
        if named and target.name not in there and (matching is None or target.name in matching):
            found.append(target)
    return tuple(found)


def stacks(
    environment: Environment,
    found: Iterable[Service],
    releases: Mapping[str, Release],
    now: datetime,
    away: Iterable[Absent] = (),
) -> Table:
    """Columns and cells of all stacks that services belong to, and of those that have no services."""
    return COLUMNS, [row.cells(now) for row in rows(environment, found, releases, away)]


def services(found: Iterable[Service], now: datetime, away: Iterable[Absent] = ()) -> Table:
    """Columns and cells of services, and of stacks that have none."""
    return DETAILS, [*(detail.cells(now) for detail in details(found)), *(item.cells() for item in away)]


def as_json(service: Service) -> dict[str, Any]:
    """A service for machines: what is known of it and what follows from that."""
    known = {key: value for key, value in asdict(service).items() if key != "spec"}
    return {**known, "running": service.running, "healthy": service.healthy, "state": service.state}


def rows(
    environment: Environment,
    services: Iterable[Service],
    releases: Mapping[str, Release],
    away: Iterable[Absent] = (),
) -> list[Row]:
    """One row a stack in the order of what they need; projects share one, but for those whose project is gone."""
    every = list(services)
    missing: dict[str, list[Absent]] = {}
    for item in away:
        missing.setdefault(item.target.template, []).append(item)
    gone = orphans.find(environment, every)
    found: dict[str, list[Service]] = {}
    for service in every:
        title = service.stack if service.stack in gone else service.labels.get(lookup.TEMPLATE, service.stack)
        found.setdefault(title, []).append(service)
    known = [name for name in manifest.order() if name in found or name in missing]
    others = sorted(found.keys() - set(known))
    return [
        _row(environment, name, found.get(name, ()), releases, gone.get(name), missing.get(name, ()))
        for name in (*known, *others)
    ]


def details(services: Iterable[Service]) -> list[Detail]:
    """One row a service."""
    return [
        Detail(
            service=lookup.display_name(service),
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
    stray: Orphan | None,
    away: Sequence[Absent],
) -> Row:
    lasting = [service for service in found if not service.job]
    members = {service.stack for service in found} | {item.target.name for item in away}
    mine = [releases[stack] for stack in members if stack in releases]
    newest = max(mine, key=lambda release: release.when, default=None)
    return Row(
        stack="projects" if name == PROJECT else name,
        release=_release(newest),
        when=newest.when if newest else None,
        services=len(found),
        running=sum(min(service.running, service.desired) for service in lasting),
        wanted=sum(service.desired for service in lasting),
        state="; ".join(_states(name, found, stray, away)),
        url=_url(environment, name),
    )


def _states(name: str, found: Sequence[Service], stray: Orphan | None, away: Sequence[Absent]) -> list[str]:
    """What there is to say of a stack, or of all projects: how it runs, who has it no more, what does not run."""
    said = [_state(found)] if found else []
    if stray:
        said.append(f"{stray.words} (./run clean {name})")
    if len(away) == 1:
        item = away[0]
        said.append(item.text if item.target.name == name else f"{item.target.name} {item.text}")
    elif away:
        said.append(_counted(away))
    return said


def _counted(away: Sequence[Absent]) -> str:
    """`2 cleaned (apache, rust-lang), 7 not deployed (a, b, c, d and 3 more) (./run status project)`."""
    parts = []
    for state in Absence:
        mine = [item.target.name for item in away if item.state is state]
        if mine:
            more = f" and {len(mine) - NAMED} more" if len(mine) > NAMED else ""
            parts.append(f"{len(mine)} {state}: {', '.join(mine[:NAMED])}{more}")
    return f"{'; '.join(parts)} (./run status {PROJECT})"


def _release(release: Release | None) -> str:
    if release is None:
        return NOTHING
    return str(release.number) if release.state == DEPLOYED else f"{release.number} {release.state}"


def _state(found: Iterable[Service]) -> str:
    unhealthy = [service for service in found if not service.healthy]
    if not unhealthy:
        return "healthy"
    counts = Counter(service.state for service in unhealthy)
    words = ", ".join(f"{count} {state}" for state, count in counts.items())
    worst = next((service for service in unhealthy if service.state == "failing"), unhealthy[0])
    error = next((task.error for task in worst.tasks if task.current and task.error), "")
    name = lookup.display_name(worst)
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
