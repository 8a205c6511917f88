"""Secrets of a real swarm of one node come back into files, and without them nothing is deployed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from swarm.containers import jobs
from swarm.containers.jobs import JobResult
from swarm.deploy import changeset
from swarm.engine.client import Engine
from swarm.engine.wire import NAMESPACE
from swarm.errors import NodeFailed, SecretFileMissing, SecretNotFetched
from swarm.nodes import lifecycle, manager
from swarm.report import Report
from swarm.secrets import fetch
from swarm.session import Session
from swarm.settings import environment, secrets
from swarm.settings.environment import Environment
from swarm.settings.secrets import Secret
from swarm.shell import Shell
from swarm.stacks import images, targets, versions
from tests.support.waiting import until

ENV = """
domain: secretstest.localhost
registry: 127.0.0.1:15183/swarmstats
driver: lab
lab: {subnet: 10.231.0.0/24, pool: 10.232.0.0/16, http_port: 18183}
nodes: [{name: node-1, role: manager}]
"""
MOUNTED, UNUSED, OTHER = "ro-user-password", "devstats-team-password", "gha-admin-password"
# What shells, logs and encodings might spoil.
CONTENTS = {MOUNTED: "cörrect 'horse' \"$\\ battery", UNUSED: "two\nlines\n", OTHER: "x" * 16}


@pytest.fixture(scope="module")
def lab() -> Iterator[Environment]:
    """A lab of one node with the service's image and three secrets, one of which a running service mounts."""
    # A short path: sockets lie below it.
    folder = Path(tempfile.mkdtemp(prefix="lab-"))
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_STATE_HOME", str(folder / "state"))
    (folder / "secretstest").mkdir()
    (folder / "secretstest" / "env.yaml").write_text(ENV)
    (folder / "secretstest" / "projects.yaml").write_text("projects: {apache: {organisations: [apache]}}")
    made = environment.load("secretstest", {**os.environ, "SWARMSTATS_ENVS": str(folder)})
    lifecycle.clean(made, Shell(), Report())
    lifecycle.init(made, Shell(), Report())
    image = images.image(made, "activity")
    images.build(made, [image], Shell(), Report())
    images.push([image], Report())
    engine = manager.connect(made, Shell())
    for key, text in CONTENTS.items():
        engine.secrets.create(name(key), text.encode(), {versions.LABEL: key})
    _service(engine, image.reference)
    yield made
    lifecycle.clean(made, Shell(), Report())
    patch.undo()
    shutil.rmtree(folder)


def name(key: str) -> str:
    return versions.secret_name(key, Secret(CONTENTS[key]))


def _service(engine: Engine, image: str) -> None:
    identity = next(item["ID"] for item in engine.secrets.list() if item["Spec"]["Name"] == name(MOUNTED))
    file = {"Name": MOUNTED, "UID": "0", "GID": "0", "Mode": 0o444}
    container = {
        "Image": image,
        "Command": ["sleep", "3600"],
        "Healthcheck": {"Test": ["NONE"]},
        "Secrets": [{"SecretID": identity, "SecretName": name(MOUNTED), "File": file}],
    }
    engine.services.create(
        {"Name": "test_reader", "Labels": {NAMESPACE: "test"}, "TaskTemplate": {"ContainerSpec": container}}
    )
    until("a running task", lambda: any(task["Status"]["State"] == "running" for task in engine.tasks.list()))


@pytest.fixture
def empty(lab: Environment) -> Environment:
    """The lab's environment in a checkout without secret files."""
    shutil.rmtree(lab.secrets, ignore_errors=True)
    return lab


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[JobResult]:
    """How the jobs of a test ended, with what their logs held."""
    found: list[JobResult] = []
    once = jobs.run_once

    def watched(*words: Any) -> JobResult:
        found.append(once(*words))
        return found[-1]

    monkeypatch.setattr(jobs, "run_once", watched)
    return found


def texts(made: Environment) -> dict[str, str]:
    found = {key: secrets.read(secrets.file(made.secrets, key)) for key in CONTENTS}
    return {key: secret.reveal() for key, secret in found.items() if secret}


def test_a_deploy_or_plan_without_the_files_is_refused_by_what_the_managers_hold(empty: Environment) -> None:
    engine = manager.connect(empty, Shell())
    with pytest.raises(SecretFileMissing) as caught:
        changeset.collect(Session(empty, engine, Shell(), Report()), targets.select(empty, "db,archive"))
    for key in CONTENTS:
        assert key in caught.value.message
    assert "postgres-password" not in caught.value.message
    assert not empty.secrets.exists()


def test_secrets_come_back_by_a_job_that_no_log_betrays(
    empty: Environment, ended: list[JobResult], capsys: pytest.CaptureFixture[str]
) -> None:
    engine = manager.connect(empty, Shell())
    fetch.fetch(Session(empty, engine, Shell(), Report()), "")
    assert texts(empty) == CONTENTS
    (job,) = ended
    said = "".join(capsys.readouterr()) + "".join(job.output)
    assert not [text for text in CONTENTS.values() if text.strip() in said]
    # Neither the job nor its files are left.
    assert [item["Spec"]["Name"] for item in engine.services.list()] == ["test_reader"]
    assert engine.configs.list(jobs.LABEL) == []
    before = {path: path.stat().st_mtime_ns for path in empty.secrets.iterdir()}
    fetch.fetch(Session(empty, engine, Shell(), Report()), "")
    assert {path: path.stat().st_mtime_ns for path in empty.secrets.iterdir()} == before


def test_a_running_task_alone_is_enough(empty: Environment, ended: list[JobResult]) -> None:
    fetch.fetch(Session(empty, manager.connect(empty, Shell()), Shell(), Report()), MOUNTED)
    assert texts(empty) == {MOUNTED: CONTENTS[MOUNTED]}
    assert ended == []


def test_of_a_task_whose_node_does_not_answer_a_job_reads_for_us(
    empty: Environment, ended: list[JobResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise NodeFailed("node-1 cannot be reached from here")

    monkeypatch.setattr(fetch.exec, "find", unreachable)
    fetch.fetch(Session(empty, manager.connect(empty, Shell()), Shell(), Report()), MOUNTED)
    assert texts(empty) == {MOUNTED: CONTENTS[MOUNTED]}
    assert len(ended) == 1


def test_a_content_that_does_not_fit_its_name_is_not_written(empty: Environment) -> None:
    engine = manager.connect(empty, Shell())
    version = "patroni-password_0123456789"
    engine.secrets.create(version, b"something else", {versions.LABEL: "patroni-password"})
    try:
        with pytest.raises(SecretNotFetched, match="patroni-password"):
            fetch.fetch(Session(empty, engine, Shell(), Report()), "patroni-password")
    finally:
        identity = next(item["ID"] for item in engine.secrets.list() if item["Spec"]["Name"] == version)
        engine.secrets.discard(identity)
    assert not secrets.file(empty.secrets, "patroni-password").exists()
