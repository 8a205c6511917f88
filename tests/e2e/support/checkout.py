"""A copy of the checkout with an environment and a stack of its own, which tests change at will."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarm.deploy import releases
from swarm.deploy.releases import State
from swarm.engine.client import Engine
from swarm.rollout import lock
from swarm.settings import secrets
from swarm.settings.environment import ROOT
from swarm.settings.secrets import Secret
from swarm.stacks import versions
from tests.e2e.conftest import NAME, Platform
from tests.e2e.support import verbs

LEFT_OUT = (".git", ".venv", ".swarmstats", "__pycache__", ".*_cache", ".hypothesis", "tests", "docs")
STACK = "scratch"
PASSWORD = "scratch-password"
MANIFEST = """
description: What the tests of deploys change at will.
needs: [admin]
secrets:
  scratch-password: {generate: password}
"""
SERVICE = """
  web{number}:
    x-rollout: {{siblings: web}}
    image: {{{{ image('nginx') }}}}
    environment: {{VERSION: "{version}", DRAIN: "1"}}
    cap_drop: [ALL]
    volumes: [{{type: tmpfs, target: /tmp}}]
    networks: [edge]
    configs: [{{source: page, target: /etc/page}}]
    secrets: [scratch-password]
    healthcheck: {{interval: 1s, timeout: 5s, start_interval: 1s, {health}}}
    deploy:
      endpoint_mode: dnsrr
      resources: {{limits: {{memory: 48M}}}}
      update_config: {{order: start-first, failure_action: {action}, monitor: 1s}}
      restart_policy: {{delay: 1s}}
"""
REST = """
networks:
  edge: {external: true, name: admin_edge}
configs:
  page: {file: config/page}
secrets:
  scratch-password: {external: true}
"""
WELL = "retries: 3, start_period: 20s"
UNWELL = 'retries: 1, test: [CMD-SHELL, "echo the page is blank; exit 1"]'
NEVER = 'retries: 1, start_period: 10m, test: [CMD-SHELL, "echo the page is not there yet; exit 1"]'


@dataclass(frozen=True)
class Checkout:
    """The copy: `path` holds it, `environment` its environments."""

    path: Path
    platform: Platform

    @classmethod
    def copied(cls, path: Path, platform: Platform) -> "Checkout":
        """Copy the checkout and the environment of the tier."""
        shutil.copytree(ROOT, path, ignore=shutil.ignore_patterns(*LEFT_OUT))
        shutil.copytree(platform.environment.directory, path / "envs" / NAME)
        made = cls(path, platform)
        # The same in every copy: the swarm may still have the version that another copy deployed.
        secrets.write(path / "envs" / NAME / "secrets", PASSWORD, Secret("a password of the tests"))
        made.stack(1)
        return made

    @property
    def process(self) -> dict[str, str]:
        """The process environment of its verbs."""
        return {**os.environ, "SWARMSTATS_ENVS": str(self.path / "envs"), "SWARMSTATS_ENV": NAME}

    def say(self, lines: str = "") -> None:
        """Let env.yaml have these lines more than that of the tier."""
        text = (self.platform.environment.directory / "env.yaml").read_text()
        (self.path / "envs" / NAME / "env.yaml").write_text(text + lines)

    def stack(
        self,
        version: object,
        *,
        unhealthy: Iterable[int] = (),
        action: str = "pause",
        services: int = 3,
        well: str = WELL,
        timeout: int = 120,
    ) -> None:
        """Write the stack of three siblings; those that are `unhealthy` fail their health check."""
        folder = self.path / "stacks" / STACK
        (folder / "config").mkdir(parents=True, exist_ok=True)
        (folder / "stack.yaml").write_text(f"{MANIFEST}timeout: {timeout}\n")
        (folder / "config" / "page").write_text(f"This is version {version}.\n")
        bodies = (
            SERVICE.format(
                number=number, version=version, health=UNWELL if number in unhealthy else well, action=action
            )
            for number in range(1, services + 1)
        )
        (folder / "stack.yml.j2").write_text(f"services:\n{''.join(bodies)}{REST}")

    def argv(self, *words: str) -> tuple[str, ...]:
        """`invoke VERB ...` on the copy."""
        return (sys.executable, "-m", "invoke", "--search-root", str(self.path), *words)

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end."""
        done = verbs.of(self.path).run(words, self.process, Path("/"), timeout=900)
        assert "Traceback" not in done.stderr, done.stderr
        if check:
            assert done.returncode == 0, f"{words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done

    def code_changed(self) -> None:
        """Let the verbs that follow run the code as it is now."""
        verbs.of(self.path).close()

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        """A verb that goes on by itself, in a process group of its own."""
        return subprocess.Popen(
            self.argv(*words), env=self.process, cwd="/", text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def ledger(self, stack: str) -> list[dict[str, Any]]:
        """The releases of a stack, newest first."""
        found: list[dict[str, Any]] = json.loads(self.run("releases", stack, "--json").stdout)
        return found


def version_of(spec: Any) -> str:
    """The version that a service of the stack asks for, by its specification."""
    words = dict(str(text).split("=", 1) for text in spec["TaskTemplate"]["ContainerSpec"]["Env"])
    return words["VERSION"]


def leftovers(engine: Engine) -> list[str]:
    """What nothing needs: versions that no service and no release names, releases never ended, lone parts, a lock."""
    used, known, heads = set[str](), releases.history(engine), set[str]()
    for service in engine.services.list():
        for spec in (service["Spec"], service.get("PreviousSpec") or {}):
            container = (spec.get("TaskTemplate") or {}).get("ContainerSpec") or {}
            used |= {item["ConfigName"] for item in container.get("Configs") or ()}
            used |= {item["SecretName"] for item in container.get("Secrets") or ()}
    for release in known:
        heads.add(f"{release.stack} {release.number}")
        if release.complete:
            held = releases.content(engine, release)
            used |= {*held.configs, *held.secrets}
    found = [f"{release} is pending" for release in known if release.state is State.PENDING]
    for kind, items in (("config", engine.configs.list()), ("secret", engine.secrets.list())):
        for item in items:
            name, labels = item["Spec"]["Name"], item["Spec"].get("Labels") or {}
            part = f"{labels.get(releases.PART)} {labels.get(f'{releases.PART}-number')}"
            if (versions.LABEL in labels and name not in used) or (releases.PART in labels and part not in heads):
                found.append(f"{kind} {name}")
            if name == lock.NAME:
                found.append("the lock")
    return found
