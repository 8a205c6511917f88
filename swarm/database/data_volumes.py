"""The volumes of the database: which volume a service has, which node it is on, and the state of the data in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from swarm.engine.wire import Spec
from swarm.scheduler import constraints

# Where the servers and etcd mount their volumes.
DATA_PATH = "/var/lib/postgresql/data"
ETCD_PATH = "/var/lib/etcd"


@dataclass(frozen=True)
class VolumeState:
    """The state of the data in a volume, as the service's verb `backup state` prints it."""

    cluster: str
    timeline: int
    checkpoint: int
    alone: bool
    follows: bool
    restored: bool = False

    def newer(self, other: "VolumeState") -> bool:
        """Whether it has data that another one of the same cluster is missing; compared to an empty one, always."""
        mine, theirs = (self.timeline, self.checkpoint), (other.timeline, other.checkpoint)
        return bool(self.cluster) and (not other.cluster or (self.cluster == other.cluster and mine > theirs))


def volume_at(spec: Mapping[str, Any], path: str = DATA_PATH) -> str:
    """The name of the volume that a service mounts at a path; empty where it mounts none."""
    mounts = spec["TaskTemplate"]["ContainerSpec"].get("Mounts") or ()
    return next((str(item["Source"]) for item in mounts if item["Target"] == path and item["Type"] == "volume"), "")


def placement_of(spec: Mapping[str, Any]) -> tuple[constraints.Constraint, ...]:
    """The constraints of a service."""
    return constraints.parse((spec["TaskTemplate"].get("Placement") or {}).get("Constraints") or ())


def allowed_nodes(spec: Mapping[str, Any], nodes: Iterable[Spec]) -> list[str]:
    """Ids of the nodes that meet a service's constraints; a service of the database has its volume on exactly one."""
    wanted = placement_of(spec)
    return [str(node["ID"]) for node in nodes if constraints.met(wanted, node)]
