"""Dry runs on a platform that runs: they say what would be done, and everything is as it was."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from swarm.settings import secrets
from tests.e2e.conftest import Platform
from tests.e2e.support import machine

READER = "ro-user-password"


def everything(platform: Platform) -> dict[str, Any]:
    """Objects of the swarm with their versions, objects of this machine's engine, and the operator's files."""
    engine, client = platform.engine, machine.engine()
    ours = {"label": f"swarmstats.lab={platform.environment.lab_name}"}
    started = [(item.name, item.attrs["State"]["StartedAt"]) for item in client.containers.list(filters=ours)]
    images = [item.tags for item in client.images.list(f"{platform.environment.registry}/*")]
    return {
        "services": platform.versions(),
        # Tasks that were replaced are forgotten by the managers when they like.
        "tasks": sorted(item["ID"] for item in engine.tasks.list() if item["DesiredState"] in ("running", "complete")),
        "networks": sorted(item["Id"] for item in engine.networks.list()),
        "configs": sorted((item["ID"], item["Version"]["Index"]) for item in engine.configs.list()),
        "secrets": sorted((item["ID"], item["Version"]["Index"]) for item in engine.secrets.list()),
        "nodes": sorted((item["ID"], str(item["Spec"])) for item in engine.nodes.list()),
        "containers": sorted(started),
        "images": sorted(images),
        "files": {
            path: (path.stat().st_mode, path.read_bytes())
            for path in platform.environment.directory.rglob("*")
            if path.is_file()
        },
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("demo", "nothing to build"),
        ("swarm.init", "nothing to do in the swarm"),
        ("swarm.start", "all lab containers are running"),
        ("swarm.stop", "would stop container swarmstats-{name}-node-1"),
        ("swarm.remount", "would write a file to /data on each of node-1"),
        ("swarm.clean", "would remove volume swarmstats-{name}-node-1-docker"),
        ("build all", "nothing to build"),
        ("push all", "nothing to push"),
        ("deploy app", "nothing to do"),
        ("deliver app", "nothing to push"),
        ("clean app", "would remove service app_nginx"),
        ("clean all -l app=nginx", "would remove service app_nginx"),
        ("restart app", "app/nginx: 2 new tasks, rolling"),
        ("scale app/nginx=5", "app/nginx: 2 -> 5 tasks"),
        ("lock.break", "the deploy lock is free"),
        (f"secret.generate {READER} --force", f"secrets/{READER}.secret"),
        (f"secret.rotate {READER}", "admin_portal"),
    ],
)
def test_a_dry_run_says_what_it_would_do_and_changes_nothing(platform: Platform, words: str, said: str) -> None:
    before = everything(platform)
    done = platform.run(*words.split(), "--dry")
    assert said.format(name=platform.environment.name) in done.stdout
    assert everything(platform) == before


@pytest.fixture
def missing(platform: Platform) -> Iterator[Path]:
    """The file of a secret that the swarm has, taken away for a while."""
    path = secrets.file(platform.environment.secrets, READER)
    kept = path.rename(path.with_suffix(".kept"))
    yield path
    kept.rename(path)


@pytest.mark.parametrize(("words", "code"), [("deploy admin --dry", 91), ("render admin", 0), ("doctor", 1)])
def test_who_only_looks_makes_no_secret(platform: Platform, missing: Path, words: str, code: int) -> None:
    before = everything(platform)
    assert platform.run(*words.split(), check=False).returncode == code
    assert everything(platform) == before
    assert not missing.exists()


def test_machines_read_what_people_see(platform: Platform) -> None:
    (stack,) = json.loads(platform.run("render", "app", "--json").stdout)
    assert (stack["stack"], list(stack["document"]["services"])) == ("app", ["nginx"])
    findings = json.loads(platform.run("doctor", "--json", check=False).stdout)
    assert {item["name"]: item["well"] for item in findings}["swarm"]
    lines = [json.loads(line) for line in platform.run("logs", "app", "--json", "--tail", "3").stdout.splitlines()]
    assert {line["service"] for line in lines} == {"app_nginx"}
    assert all(line.keys() == {"time", "service", "task", "node", "text"} for line in lines)
    coming = json.loads(platform.run("secret.rotate", READER, "--dry", "--json").stdout)
    assert "admin_portal" in [service["service"] for service in coming["restarts"]]
    (plan,) = json.loads(platform.run("plan", "app", "--json").stdout)
    assert (plan["stack"], plan["changes"], plan["blocked"]) == ("app", 0, 0)
