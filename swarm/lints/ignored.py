"""Keys of a service that `docker stack deploy` takes and forgets, and what to write instead."""

from collections.abc import Iterator, Mapping
from typing import Any

from swarm.lints.finding import Finding

INSTEAD = {
    "build": "Put the image under images/ and refer to it with image('NAME').",
    "cgroup_parent": "Set it for the whole node in its daemon.json.",
    "cgroupns_mode": "Set it for the whole node in its daemon.json.",
    "container_name": "Remove it: Swarm names the tasks; services are reached as STACK_SERVICE.",
    "depends_on": "Let the service retry and add a health check to the other one; or use needs in stack.yaml.",
    "devices": "Bind the device's path as a volume, or run the container outside Swarm.",
    "domainname": "Write the full name in hostname.",
    "expose": "Remove it: services on a network can reach all of each other's ports.",
    "external_links": "Join the network of the other service and use its full name, STACK_SERVICE.",
    "ipc": "Remove it, or run the container outside Swarm.",
    "links": "Join one network and use the full name, STACK_SERVICE.",
    "mac_address": "Remove it.",
    "network_mode": "Use networks; for the node's own network: networks: {host: {external: true, name: host}}.",
    "pid": "Remove it, or run the container outside Swarm.",
    "privileged": "List the capabilities it needs in cap_add.",
    "restart": "deploy: {restart_policy: {condition: any, delay: 2s}}",
    "security_opt": "Set it for the whole node in its daemon.json, as seccomp-profile or no-new-privileges.",
    "shm_size": "volumes: [{type: tmpfs, target: /dev/shm, tmpfs: {size: BYTES}}]",
    "tmpfs": "volumes: [{type: tmpfs, target: PATH}]",
    "userns_mode": "Set it for the whole node in its daemon.json, as userns-remap.",
}
SILENTLY = ("depends_on", "tmpfs")
ADDRESSES = ("ipv4_address", "ipv6_address", "link_local_ips", "priority")


def find(name: str, service: Mapping[str, Any]) -> Iterator[Finding]:
    """Each key that has no effect in a swarm."""
    for key in service:
        if instead := INSTEAD.get(key):
            how = " silently" if key in SILENTLY else ""
            yield Finding(("services", name, key), f"docker stack deploy ignores {key}{how}", instead)
    networks = service.get("networks")
    for network, options in networks.items() if isinstance(networks, Mapping) else ():
        for key in ADDRESSES:
            if key in (options or {}):
                path = ("services", name, "networks", network, key)
                hint = "Remove it: Swarm assigns each task an address; use the name STACK_SERVICE."
                yield Finding(path, f"docker stack deploy ignores {key} of a network silently", hint)
