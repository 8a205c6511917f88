"""A plan becomes true: networks, then services; siblings one at a time, who leads last, the others healthy before each.

Whatever Docker's client would send is sent here, service by service, so that what was planned is what is done.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from swarm.engine import reach as engine_reach
from swarm.engine.client import Engine
from swarm.engine.reach import Reach
from swarm.engine.wire import Spec
from swarm.errors import ChangedMeanwhile, DeadlinePassed, StackFailed
from swarm.live import services
from swarm.plan import spec_fields
from swarm.plan.plan import Change, Kind, StackPlan, differences
from swarm.report import Step
from swarm.rollout import converge
from swarm.rollout.converge import DEFAULT_TIMING, Timing, Watch
from swarm.rollout.lock import HeldLock
from swarm.stacks import versions

ATTEMPTS = 3
Hook = Callable[[str, tuple[str, ...]], tuple[int, str]]


@dataclass(frozen=True)
class ApplyContext:
    """Where a plan is applied: the managers' engine, how nodes and tasks are reached, since when, by which lock."""

    engine: Engine
    began: datetime
    timeout: float
    ids: "References"
    reach: Reach = engine_reach.nowhere
    hook: Hook | None = None
    hold: HeldLock = field(default_factory=HeldLock)
    timing: Timing = DEFAULT_TIMING

    def watch(self, stack: str, wanted: Mapping[str, Spec]) -> Watch:
        """What is waited for after services of a stack were given these specifications."""
        return Watch(stack, wanted, self.began, self.timeout, self.timing)


def apply(done: StackPlan, site: ApplyContext, step: Step) -> dict[str, Spec]:
    """Apply a plan and return the specifications to wait for, raw, of all services that the stack then has."""
    site.hold.require()
    for network in done.missing_networks:
        site.engine.networks.create(network.body)
    told = {change.service: change.live["Spec"] for change in done.changes if change.live and change.wanted}
    siblings = [
        change for change in done.pending if change.rollout and change.wanted and change.kind is not Kind.CREATE
    ]
    for change in done.pending:
        if change not in siblings:
            _act(change, site, told, step)
    unhealthy = {item.service for item in siblings} - _healthy(done.stack, site) if siblings else set()
    for change in _leaders_last(siblings, site, unhealthy):
        _await_others(change, done, site, step)
        _act(change, site, told, step)
        converge.wait(site.engine, site.watch(done.stack, {change.service: told[change.service]}), step, site.reach)
    return told


def _act(change: Change, site: ApplyContext, told: dict[str, Spec], step: Step) -> None:
    step.note(f"{change.kind} {change.service}")
    _before(change, site)
    site.hold.require()
    if change.kind in (Kind.REMOVE, Kind.RECREATE) and change.live:
        site.engine.services.remove(str(change.live["ID"]))
    if change.wanted is None:
        return
    told[change.service] = _tell(change, site.engine, site.ids)["Spec"]


def _tell(change: Change, engine: Engine, ids: "References") -> Spec:
    """Create or update a service; where that crossed with another change (status, scaling) it is tried again.

    A manager that went away after it had done so refuses the same once more: then it is done, and no job runs twice.
    """
    lacking = False
    for _ in range(ATTEMPTS):
        spec = ids.resolved(change.wanted or {})
        current = engine.services.get(change.service)
        if lacking and current and _is_so(change, current, engine):
            return current
        lacking = current is None or not _is_so(change, current, engine)
        try:
            if current is None:
                return engine.services.create(spec)
            force = current["Spec"]["TaskTemplate"].get("ForceUpdate", 0)
            spec["TaskTemplate"] = {**spec["TaskTemplate"], "ForceUpdate": force}
            return engine.services.update(str(current["ID"]), int(current["Version"]["Index"]), spec)
        except ChangedMeanwhile:
            continue
    raise ChangedMeanwhile(f"{change.service} keeps changing; gave up after several attempts to update it.")


def _leaders_last(siblings: Sequence[Change], site: ApplyContext, unhealthy: Collection[str] = ()) -> list[Change]:
    """Siblings group by group in the order of the file; unhealthy ones first, those that ask for it last."""
    groups = list(dict.fromkeys(change.rollout.siblings for change in siblings if change.rollout))
    asked = {change.service: _wants_to_be_last(change, site) for change in siblings}

    def place(change: Change) -> tuple[int, bool, bool]:
        group = groups.index(change.rollout.siblings) if change.rollout else 0
        return group, change.service not in unhealthy, asked[change.service]

    return sorted(siblings, key=place)


def _is_so(change: Change, current: Spec, engine: Engine) -> bool:
    """Whether a service is what is wanted of it."""
    names = {str(item["Id"]): str(item["Name"]) for item in engine.networks.list()}
    return not differences(spec_fields.flat(current["Spec"], names), spec_fields.flat(change.wanted or {}, names))


def _healthy(stack: str, site: ApplyContext) -> set[str]:
    return {service.name for service in services.services(site.engine, stack) if service.healthy}


def _await_others(change: Change, done: StackPlan, site: ApplyContext, step: Step) -> None:
    """Return once the other siblings are healthy, so that the group can do without this one; or it is unhealthy itself.

    Members that are new are not waited for: they may need what the others are about to learn. Raises DeadlinePassed.
    """
    group = change.rollout.siblings if change.rollout else ""
    others = {
        item.service
        for item in done.changes
        if item.rollout and item.rollout.siblings == group and item.wanted and item.kind is not Kind.CREATE
    } - {change.service}
    if not others or change.kind is Kind.LABELS:
        return
    deadline = time.monotonic() + site.timeout
    while not step.cancelled.is_set():
        healthy = _healthy(done.stack, site)
        if others <= healthy or change.service not in healthy:
            return
        unhealthy = ", ".join(sorted(others - healthy))
        step.note(f"{change.service} waits for {unhealthy}")
        if time.monotonic() > deadline:
            raise DeadlinePassed(
                f"Not restarting {change.service}: its sibling {unhealthy} is still unhealthy "
                f"after {site.timeout:.0f} s, and the group {group} needs one of them.",
                hint=f"./run status {done.stack} and ./run logs {done.stack} show why; fix that, then deploy again.",
            )
        time.sleep(site.timing.poll_seconds)
    raise StackFailed(f"{change.service} was not updated: cancelled while waiting for its siblings.")


def _wants_to_be_last(change: Change, site: ApplyContext) -> bool:
    if not (change.rollout and change.rollout.last and change.restarts and site.hook and change.runs):
        return False
    return site.hook(change.service, tuple(change.rollout.last))[0] == 0


def _before(change: Change, site: ApplyContext) -> None:
    """Run what must happen in the service's own task before it restarts, e.g. a switchover."""
    if not (change.rollout and change.rollout.before and change.restarts and site.hook and change.runs):
        return
    code, said = site.hook(change.service, tuple(change.rollout.before))
    if code != 0:
        lines = "\n".join(f"    {line}" for line in said.splitlines()[-converge.LOG_LINES :])
        raise StackFailed(f"{change.service}: the command to run before its update exited with {code}:\n{lines}")


@dataclass(frozen=True)
class References:
    """Ids of configs and secrets by name: a specification must say both."""

    configs: Mapping[str, str]
    secrets: Mapping[str, str]

    @classmethod
    def read(cls, engine: Engine) -> "References":
        """Ask the managers for our versions; the ledger, which is large, is not among them."""
        return cls(
            {str(item["Spec"]["Name"]): str(item["ID"]) for item in engine.configs.list(versions.LABEL)},
            {str(item["Spec"]["Name"]): str(item["ID"]) for item in engine.secrets.list()},
        )

    def resolved(self, spec: Spec | Mapping[str, Any]) -> dict[str, Any]:
        """The specification with the ids that names have now."""
        container = dict(spec["TaskTemplate"]["ContainerSpec"])
        for section, key, ids in (("Configs", "Config", self.configs), ("Secrets", "Secret", self.secrets)):
            if container.get(section):
                container[section] = [
                    {**item, f"{key}ID": ids.get(item[f"{key}Name"], item[f"{key}Name"])} for item in container[section]
                ]
        return {**spec, "TaskTemplate": {**spec["TaskTemplate"], "ContainerSpec": container}}
