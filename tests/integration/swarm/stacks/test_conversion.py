"""Docker's own client says what the managers would be told; no engine is needed for that."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from swarm.engine.client import Engine
from swarm.errors import StackInvalid
from swarm.host import prerequisites
from swarm.plan import plan
from swarm.plan.spec_fields import flat
from swarm.settings import environment
from swarm.shell import RecordingShell, Shell
from swarm.stacks import conversion, manifest
from swarm.stacks import stack as stacks
from swarm.stacks.stack import Stack
from swarm.stacks.targets import Target

ENV = """
domain: example.test
registry: 127.0.0.1:5000/swarmstats
driver: lab
nodes: [{name: node-1, role: manager}]
"""
# Of a cluster, or of backups in S3, alone.
ELSEWHERE = {"patroni-password", "backup-s3-key", "backup-s3-key-secret"}
PROJECTS = "projects:\n  apache: {organisations: [apache]}\n"


class Speaking(Engine):
    """An engine whose API version is known without asking it."""

    @property
    def speaks(self) -> str:
        return "1.45"


@pytest.fixture
def engine() -> Engine:
    return Speaking(client=prerequisites.client(Shell()))


def load(folder: Path, env: str = ENV, projects: str = PROJECTS) -> environment.Environment:
    place = folder / "env" / "lab"
    place.mkdir(parents=True, exist_ok=True)
    (place / "env.yaml").write_text(env)
    (place / "projects.yaml").write_text(projects)
    return environment.load("lab", {"SWARMSTATS_ENVS": str(folder / "env")})


def changed(before: Stack, after: Stack, engine: Engine, cache: Path) -> dict[str, list[str]]:
    """Service -> what it differs in."""

    def ask(stack: Stack) -> Mapping[str, Any]:
        return conversion.convert([stack], engine, Shell(), cache)[stack.name].services

    old, new = ask(before), ask(after)
    found = {
        name: [item.path for item in plan.differences(flat(old.get(name, {}), {}), flat(new[name], {}))] for name in new
    }
    return {name: paths for name, paths in found.items() if paths}


def test_a_stack_is_converted_once_and_then_known(tmp_path: Path, engine: Engine) -> None:
    stack = stacks.render(load(tmp_path), Target("db"))
    first = conversion.convert([stack], engine, Shell(), tmp_path / "cache")["db"]
    shell = RecordingShell()
    assert conversion.convert([stack], engine, shell, tmp_path / "cache")["db"] == first
    assert shell.ran == []
    assert set(first.services) == {"db_postgres", "db_haproxy", "db_bootstrap", "db_backups"}
    assert set(first.networks) == {"db_internal"}
    configs = {name.rpartition("_")[0] for name in first.configs}
    assert configs == {"db_haproxy.cfg", "db_pgbackrest.conf", "db_projects.json"}
    assert {name.rpartition("_")[0] for name in first.secrets} == set(manifest.read()["db"].secrets) - ELSEWHERE


def test_what_is_kept_is_the_operators_alone_and_holds_no_secret(tmp_path: Path, engine: Engine) -> None:
    stack = stacks.render(load(tmp_path), Target("db"))
    conversion.convert([stack], engine, Shell(), tmp_path / "cache")
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    text = "".join(path.read_text() for path in (tmp_path / "cache").iterdir())
    assert text
    assert not [item for item in stack.secrets if item.secret.reveal() in text]


def test_what_docker_refuses_is_told_with_its_stack(tmp_path: Path, engine: Engine) -> None:
    environment = load(tmp_path, ENV + "stacks: {app: {replicas: many}}\n")
    with pytest.raises(StackInvalid, match=r"stacks/app/stack.yml.j2 \(app\): .*replicas"):
        conversion.convert([stacks.render(environment, Target("app"))], engine, Shell(), tmp_path / "cache")


def test_a_changed_secret_changes_exactly_the_services_that_use_it(tmp_path: Path, engine: Engine) -> None:
    environment = load(tmp_path)
    before = {name: stacks.render(environment, Target(name)) for name in ("admin", "db", "archive")}
    environment.secrets.mkdir()
    (environment.secrets / "ro-user-password.secret").write_text("another\n")
    found = {name: changed(before[name], stacks.render(environment, Target(name)), engine, tmp_path) for name in before}
    secret = ["secrets.ro-user-password"]
    assert found == {"admin": {"admin_portal": secret}, "db": {"db_bootstrap": secret}, "archive": {}}


def test_another_project_changes_exactly_the_services_that_read_the_projects(tmp_path: Path, engine: Engine) -> None:
    names = ("admin", "archive", "app")
    first = load(tmp_path)
    before = {name: stacks.render(first, Target(name)) for name in names}
    more = load(tmp_path, projects=PROJECTS + "  cachethq: {organisations: [cachethq]}\n")
    found = {name: changed(before[name], stacks.render(more, Target(name)), engine, tmp_path) for name in names}
    assert {service for changes in found.values() for service in changes} == {"admin_portal", "archive_ingest"}
    assert all("configs./etc/swarmstats/projects.json" in paths for paths in found["archive"].values())


def test_siblings_are_told_apart_from_the_document_that_docker_gets(tmp_path: Path, engine: Engine) -> None:
    stack = stacks.render(load(tmp_path), Target("app"))
    assert "x-rollout" not in stack.text()
    assert conversion.convert([stack], engine, Shell(), tmp_path / "cache")["app"].rollout == {}
