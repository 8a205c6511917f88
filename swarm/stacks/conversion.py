"""Stack -> DesiredState: the objects that the managers will receive, service by service, in the form of their API.

The conversion is Docker's: its client deploys each stack to a recording endpoint. The answer to the same document is
kept in a folder of the operator, so that it is asked for once.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swarm.engine.client import Engine
from swarm.engine.recorder import Recorder, listening
from swarm.engine.wire import NAMESPACE, Spec
from swarm.errors import StackInvalid
from swarm.files import write_atomically
from swarm.settings import validation
from swarm.settings.environment import ROOT
from swarm.shell import Shell
from swarm.stacks.rollout_options import Rollout
from swarm.stacks.stack import Stack

CACHE = ROOT / ".swarmstats" / "specs"
PARALLEL_CLIENTS = 4
KEPT_FILES = 4000
# What the operator may have set for another engine.
PLAIN = dict.fromkeys(("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION"), "")


@dataclass(frozen=True)
class DesiredState:
    """The desired state of a stack: services and networks by full name, with references by name."""

    stack: str
    services: Mapping[str, Spec]
    networks: Mapping[str, Spec]
    rollout: Mapping[str, Rollout] = field(default_factory=dict)
    partial: bool = False

    @property
    def configs(self) -> set[str]:
        """Names of the config versions that the services refer to."""
        return set(_references(self.services, "Configs", "ConfigName"))

    @property
    def secrets(self) -> set[str]:
        """Names of the secret versions that the services refer to."""
        return set(_references(self.services, "Secrets", "SecretName"))


def convert(stacks: Sequence[Stack], engine: Engine, shell: Shell, cache: Path = CACHE) -> dict[str, DesiredState]:
    """The wanted state of each stack by name; raises StackInvalid with every refusal of the docker client."""
    identity = _identity(engine)
    keys = {stack.name: _key(stack, identity) for stack in stacks}
    answers = {name: found for name, key in keys.items() if (found := _kept(cache / f"{key}.json")) is not None}
    fresh = _converted([stack for stack in stacks if stack.name not in answers], engine, shell)
    if fresh:
        _make_room(cache, len(fresh))
    for name, answer in fresh.items():
        write_atomically(cache / f"{keys[name]}.json", json.dumps(answer))
    answers |= fresh
    return {stack.name: _wanted(stack, answers[stack.name]) for stack in stacks}


def _wanted(stack: Stack, answer: Mapping[str, Any]) -> DesiredState:
    rollout = {f"{stack.name}_{name}": said for name, said in stack.rollout.items()}
    return DesiredState(stack.name, answer["services"], answer["networks"], rollout, stack.partial)


def _references(services: Mapping[str, Spec], section: str, key: str) -> list[str]:
    containers = (spec["TaskTemplate"].get("ContainerSpec") or {} for spec in services.values())
    return [str(item[key]) for container in containers for item in container.get(section) or ()]


def _identity(engine: Engine) -> str:
    """What the conversion depends on in addition to the document: the client's program and the API it speaks."""
    program = shutil.which(engine.client[0]) or engine.client[0]
    stat = os.stat(program) if os.path.exists(program) else None
    return f"1 {engine.client} {engine.api_version} {stat.st_mtime_ns if stat else 0} {stat.st_size if stat else 0}"


def _key(stack: Stack, identity: str) -> str:
    document = json.dumps([identity, stack.name, stack.document], sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()


def _converted(stacks: Sequence[Stack], engine: Engine, shell: Shell) -> dict[str, dict[str, Any]]:
    if not stacks:
        return {}
    with listening(engine.api_version) as endpoint, ThreadPoolExecutor(PARALLEL_CLIENTS) as pool:
        answers = pool.map(lambda stack: _send(stack, endpoint, engine.client, shell), stacks)
        if refused := [text for text in answers if text]:
            raise StackInvalid("\n".join(refused))
        found: dict[str, dict[str, Any]] = {stack.name: {"services": {}, "networks": {}} for stack in stacks}
        for path, body in endpoint.created:
            kind = path.split("/")[1]
            namespace = str((body.get("Labels") or {}).get(NAMESPACE))
            found[namespace].setdefault(kind, {})[str(body["Name"])] = body
    return {name: _sorted(answer) for name, answer in found.items()}


def _sorted(answer: dict[str, Any]) -> dict[str, Any]:
    """The client sends services in random order."""
    return {kind: dict(sorted(objects.items())) for kind, objects in answer.items()}


def _send(stack: Stack, endpoint: Recorder, client: tuple[str, ...], shell: Shell) -> str:
    words = ("stack", "deploy", "--compose-file", "-", "--resolve-image", "never", "--detach=true", stack.name)
    argv = (*client, "--host", endpoint.host, *words)
    result = shell.run(argv, stdin=validation.text(stack.document), check=False, environment=PLAIN)
    if result.code == 0:
        return ""
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    return f"stacks/{stack.target.template}/stack.yml.j2 ({stack.name}): {' '.join(lines)}"


def _kept(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found


def _make_room(cache: Path, count: int) -> None:
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = sorted((item.stat().st_mtime, item) for item in cache.glob("[!.]*.json"))
    for _, path in files[: max(0, len(files) + count - KEPT_FILES)]:
        path.unlink(missing_ok=True)
