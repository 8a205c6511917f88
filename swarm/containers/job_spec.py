"""An ad-hoc job as a service specification of the Engine API."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from swarm.engine.client import Engine
from swarm.engine.wire import Spec
from swarm.errors import JobFailed


@dataclass(frozen=True)
class Job:
    """An ad-hoc job: an image, its arguments, what it is given; `secrets` and `files` by path in the container.

    `node` is the id of the node that it must run on; `binds` has paths of that node and `volumes` names of its volumes,
    by path in the container; `scratch` are folders in memory that the job may write to.
    """

    image: str
    arguments: tuple[str, ...]
    command: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    memory: int = 192 * 2**20
    deadline: float = 300.0
    node: str = ""
    binds: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    scratch: tuple[str, ...] = ()
    user: str = ""


def specification(name: str, labels: Mapping[str, str], job: Job, references: Mapping[str, list[Spec]]) -> Spec:
    """An ad-hoc job in the words of the Engine API."""
    return {
        "Name": name,
        "Labels": dict(labels),
        "Mode": {"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}},
        "EndpointSpec": {"Mode": "dnsrr"},
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": job.image,
                "Args": list(job.arguments),
                **({"Command": list(job.command)} if job.command else {}),
                "Env": [f"{key}={value}" for key, value in job.environment.items()],
                "CapabilityDrop": ["ALL"],
                "ReadOnly": True,
                "Healthcheck": {"Test": ["NONE"]},
                "Mounts": _mounts(job),
                **({"User": job.user} if job.user else {}),
                **references,
            },
            "Placement": {"Constraints": [f"node.id == {job.node}"] if job.node else []},
            "RestartPolicy": {"Condition": "none"},
            "Resources": {"Limits": {"MemoryBytes": job.memory}},
            "Networks": [{"Target": network} for network in job.networks],
        },
    }


def _mounts(job: Job) -> list[Spec]:
    return [
        *({"Type": "bind", "Source": node, "Target": path} for path, node in job.binds.items()),
        *({"Type": "volume", "Source": name, "Target": path} for path, name in job.volumes.items()),
        *({"Type": "tmpfs", "Target": path} for path in job.scratch),
    ]


def _references(engine: Engine, name: str, job: Job, configs: Mapping[str, str]) -> dict[str, list[Spec]]:
    """The secrets and configs of an ad-hoc job by id, as the API wants them."""
    ids = {item["Spec"]["Name"]: item["ID"] for item in engine.secrets.list()} if job.secrets else {}
    if absent := sorted(set(job.secrets.values()) - ids.keys()):
        raise JobFailed(
            f"{name}: secret not found in the swarm: {', '.join(absent)}.",
            hint="./run deploy STACK creates a stack's secrets.",
        )
    return {
        "Secrets": [
            {"SecretID": ids[secret], "SecretName": secret, "File": _file(path)} for path, secret in job.secrets.items()
        ],
        "Configs": [
            {"ConfigID": identity, "ConfigName": f"{name}-{number}", "File": _file(path)}
            for number, (path, identity) in enumerate(configs.items())
        ],
    }


def _file(path: str) -> Spec:
    return {"Name": path, "UID": "0", "GID": "0", "Mode": 0o444}
