"""Local volumes as the nodes hold them: Swarm makes one at a service's first task and never changes it afterwards."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from swarm.engine.reach import Reach
from swarm.engine.refusals import REFUSALS
from swarm.engine.wire import Spec
from swarm.errors import SwarmstatsError

Volumes = Mapping[str, Mapping[str, Mapping[str, Any]]]
PARALLEL_NODES = 8


def names_of(services: Iterable[Spec]) -> dict[str, Spec]:
    """Name of each volume that services mount -> its mount."""
    mounts = (
        mount
        for spec in services
        for mount in (spec["TaskTemplate"].get("ContainerSpec") or {}).get("Mounts") or ()
        if mount.get("Type") == "volume" and mount.get("Source")
    )
    return {str(mount["Source"]): mount for mount in mounts}


def read(nodes: Iterable[Spec], reach: Reach) -> Volumes:
    """Host name -> volume name -> raw volume, of the nodes that are up and can be asked."""
    names = [str(node["Description"]["Hostname"]) for node in nodes if node["Status"]["State"] == "ready"]
    with ThreadPoolExecutor(PARALLEL_NODES) as pool:
        found = dict(zip(names, pool.map(lambda name: _of(name, reach), names), strict=True))
    return {name: volumes for name, volumes in found.items() if volumes is not None}


def ignored(services: Iterable[Spec], volumes: Volumes) -> list[tuple[str, str, str]]:
    """(volume, node, what differs) where a volume exists with other options than asked for: Swarm ignores them."""
    found = []
    for name, mount in names_of(services).items():
        driver = (mount.get("VolumeOptions") or {}).get("DriverConfig") or {}
        asked = {"driver": driver.get("Name") or "local", **(driver.get("Options") or {})}
        for node, there in sorted(volumes.items()):
            if name in there:
                held = {"driver": there[name].get("Driver") or "local", **(there[name].get("Options") or {})}
                words = [
                    f"{key} {held.get(key, '(none)')} -> {asked.get(key, '(none)')}"
                    for key in sorted(asked.keys() | held.keys())
                    if asked.get(key) != held.get(key)
                ]
                if words:
                    found.append((name, node, ", ".join(words)))
    return found


def _of(node: str, reach: Reach) -> dict[str, Mapping[str, Any]] | None:
    try:
        engine = reach(node)
        return {str(item["Name"]): item for item in engine.volumes.list()} if engine else None
    except (SwarmstatsError, *REFUSALS):
        return None
