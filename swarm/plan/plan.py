"""wanted x live -> Plan: what a deploy would do to each service, and what it would not.

A plan is pure: it is made of what the managers said at one moment, and `applied` gives what they would say afterwards.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from swarm.engine.wire import NAMESPACE, Spec
from swarm.live.services import Snapshot
from swarm.plan import spec_fields
from swarm.plan.spec_fields import Fields
from swarm.stacks.conversion import DesiredState
from swarm.stacks.rollout_options import Rollout

IMAGE_LABEL = "com.docker.stack.image"
STUCK = ("paused", "rollback_paused")


class Kind(StrEnum):
    """What happens to a service; the values are what people read."""

    CREATE = "create"
    RESTART = "rolling restart"
    RERUN = "run again"
    UPDATE = "update in place"
    LABELS = "labels only"
    RECREATE = "remove and create again"
    RESUME = "resume its update"
    REMOVE = "remove"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Difference:
    """One changed field, in the words of a stack file; None where it is not there."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Change:
    """What happens to one service: `wanted` is its new specification, `live` what the managers hold now."""

    service: str
    kind: Kind
    differences: tuple[Difference, ...] = ()
    wanted: Spec | None = None
    live: Spec | None = None
    tasks: int = 0
    rollout: Rollout | None = None

    @property
    def runs(self) -> bool:
        """Whether a task of the service runs now: one that does not can be asked nothing."""
        return bool(self.live and (self.live.get("ServiceStatus") or {}).get("RunningTasks", 0))

    @property
    def restarts(self) -> bool:
        """Whether tasks that run are replaced."""
        return self.kind in (Kind.RESTART, Kind.RECREATE, Kind.REMOVE)


@dataclass(frozen=True)
class NetworkChange:
    """A network to create, or (`ignored`) one whose options differ, which Swarm would not change."""

    name: str
    body: Spec
    ignored: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class StackPlan:
    """What a deploy would do to one stack."""

    stack: str
    changes: tuple[Change, ...]
    networks: tuple[NetworkChange, ...] = ()
    partial: bool = False
    unwanted_networks: tuple[str, ...] = ()

    @property
    def pending(self) -> tuple[Change, ...]:
        """The services that something happens to."""
        return tuple(change for change in self.changes if change.kind is not Kind.NOTHING)

    @property
    def missing_networks(self) -> tuple[NetworkChange, ...]:
        """Networks to create."""
        return tuple(network for network in self.networks if not network.ignored)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do; what Swarm would ignore is nothing that a deploy does."""
        return not self.pending and not self.missing_networks and not self.unwanted_networks

    @property
    def specs(self) -> dict[str, Spec]:
        """The specifications that the stack's services will have, by full name."""
        return {change.service: change.wanted for change in self.changes if change.wanted is not None}


@dataclass(frozen=True)
class Pins:
    """What tags mean: `name:tag` -> `name:tag@sha256:...`; a tag that runs keeps its digest unless `fresh`."""

    digests: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False


def plan(wanted: DesiredState, seen: Snapshot, pins: Pins | None = None) -> StackPlan:
    """Compare one stack with what runs."""
    names = network_names(seen)
    live = {str(raw["Spec"]["Name"]): raw for raw in seen.of(wanted.stack)}
    pinned = {name: pin(spec, live.get(name), pins or Pins()) for name, spec in wanted.services.items()}
    changes = [_change(spec, live.get(name), names, wanted.rollout.get(name)) for name, spec in pinned.items()]
    if not wanted.partial:
        gone = sorted(live.keys() - pinned.keys())
        changes += [Change(name, Kind.REMOVE, live=live[name], tasks=_tasks(live[name])) for name in gone]
    networks = tuple(_networks(wanted.networks, seen))
    unwanted = () if wanted.partial else _unwanted(wanted, seen, {str(raw["ID"]) for raw in live.values()})
    return StackPlan(wanted.stack, tuple(changes), networks, wanted.partial, unwanted)


def network_names(seen: Snapshot) -> dict[str, str]:
    """Network id -> name."""
    return {str(item["Id"]): str(item["Name"]) for item in seen.networks}


def pin(spec: Spec, live: Spec | None, pins: Pins) -> Spec:
    """The specification with its image by digest, where that is known: as it runs already, else as given."""
    container = spec["TaskTemplate"]["ContainerSpec"]
    image = str(container["Image"])
    if "@" in image:
        return spec
    running = str(live["Spec"]["TaskTemplate"]["ContainerSpec"].get("Image", "")) if live else ""
    known = pins.digests.get(image, image)
    if running.startswith(f"{image}@") and not (pins.fresh and image in pins.digests):
        known = running
    return {**spec, "TaskTemplate": {**spec["TaskTemplate"], "ContainerSpec": {**container, "Image": known}}}


def differences(old: Fields, new: Fields) -> tuple[Difference, ...]:
    """What two specifications differ in, sorted by path."""
    paths = sorted(old.keys() | new.keys())
    return tuple(Difference(path, old.get(path), new.get(path)) for path in paths if old.get(path) != new.get(path))


def classify(found: Iterable[Difference]) -> Kind:
    """What it takes to change these fields of a service that runs."""
    paths = [item.path for item in found]
    if not paths:
        return Kind.NOTHING
    if "mode" in paths:
        return Kind.RECREATE
    if all(path.startswith(spec_fields.LABELS) for path in paths):
        return Kind.LABELS
    calm = (spec_fields.LABELS, spec_fields.PLACEMENT, *spec_fields.IN_PLACE)
    return Kind.UPDATE if all(path.startswith(calm) for path in paths) else Kind.RESTART


def applied(done: StackPlan, live: Mapping[str, Spec]) -> dict[str, Spec]:
    """The specifications that a stack's services have once a plan is applied to those they had."""
    after = dict(live)
    for change in done.pending:
        if change.kind is Kind.REMOVE:
            after.pop(change.service, None)
        elif change.wanted is not None:
            after[change.service] = change.wanted
    return after


def _change(spec: Spec, live: Spec | None, names: Mapping[str, str], rollout: Rollout | None) -> Change:
    name = str(spec["Name"])
    if live is None:
        return Change(name, Kind.CREATE, wanted=spec, tasks=_replicas(spec), rollout=rollout)
    found = differences(spec_fields.flat(live["Spec"], names), spec_fields.flat(spec, names))
    kind = classify(found)
    if kind not in (Kind.NOTHING, Kind.RECREATE) and "job" in next(iter(spec.get("Mode") or {}), "").lower():
        kind = Kind.RERUN
    if kind is Kind.NOTHING and (live.get("UpdateStatus") or {}).get("State") in STUCK:
        kind = Kind.RESUME
    return Change(name, kind, found, spec, live, _tasks(live), rollout)


def _tasks(raw: Spec) -> int:
    return int((raw.get("ServiceStatus") or {}).get("DesiredTasks", 0))


def _replicas(spec: Spec) -> int:
    mode = spec.get("Mode") or {}
    if "Replicated" in mode:
        return int((mode["Replicated"] or {}).get("Replicas", 1))
    return int((mode.get("ReplicatedJob") or {}).get("TotalCompletions", 1)) if "ReplicatedJob" in mode else 0


def _networks(wanted: Mapping[str, Spec], seen: Snapshot) -> list[NetworkChange]:
    there = {str(item["Name"]): item for item in seen.networks}
    found = []
    for name, body in wanted.items():
        if name not in there:
            found.append(NetworkChange(name, body))
        elif ignored := differences(_options(there[name], body), _options(body, body)):
            found.append(NetworkChange(name, body, ignored))
    return found


def _unwanted(wanted: DesiredState, seen: Snapshot, mine: set[str]) -> tuple[str, ...]:
    """Names of a stack's networks that it does not want any more and that no other stack's service uses."""
    used = {
        str(item["Target"])
        for raw in seen.services
        if str(raw["ID"]) not in mine
        for item in raw["Spec"]["TaskTemplate"].get("Networks") or ()
    }
    return tuple(
        str(item["Name"])
        for item in seen.networks
        if (item.get("Labels") or {}).get(NAMESPACE) == wanted.stack
        and item["Name"] not in wanted.networks
        and item["Id"] not in used
    )


def _options(network: Mapping[str, Any], asked: Mapping[str, Any]) -> Fields:
    """What a stack file can say of a network; other subnets and options are the managers' choice."""
    found = {word.lower(): str(bool(network.get(word))).lower() for word in ("Internal", "Attachable")}
    found["driver"] = str(network.get("Driver") or "overlay")
    for key in asked.get("Options") or ():
        found[f"driver_opts.{key}"] = str((network.get("Options") or {}).get(key))
    if (asked.get("IPAM") or {}).get("Config"):
        ranges = (network.get("IPAM") or {}).get("Config") or ()
        found["subnets"] = ", ".join(sorted(str(item.get("Subnet")) for item in ranges))
    found |= {f"labels.{key}": str(value) for key, value in (network.get("Labels") or {}).items() if key != NAMESPACE}
    return found
