"""Secrets that come from the swarm back into files."""

import json
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from swarm.containers import secret_agent
from swarm.containers.exec import ContainerLocation
from swarm.containers.job_log import Line
from swarm.containers.job_spec import Job
from swarm.containers.jobs import JobResult
from swarm.deploy import missing_secrets
from swarm.engine.client import Engine
from swarm.errors import (
    CommandFailed,
    JobFailed,
    Locked,
    NodeFailed,
    SecretMissing,
    SecretNotDecrypted,
    SecretNotFetched,
    SecretRefused,
    UnknownName,
)
from swarm.secrets import fetch, rotate
from swarm.settings import age, secrets
from swarm.settings.environment import Environment
from swarm.settings.secrets import Secret
from tests.support.age import Operator, share
from tests.support.secrets import MADE, READER, Swarm, generated, swarm
from tests.support.sessions import session
from tests.unit.swarm.conftest import Make

ADMIN, USERS, BOOTSTRAP = "traefik-admin", "traefik-users", "devstats-team-password"


@dataclass
class Tasks:
    """What tasks and jobs that mount secrets answer: the contents of a deploy, unless a test says otherwise."""

    reachable: bool = True
    running: Callable[[str], bool] = lambda service: service != "db_bootstrap"
    contents: dict[str, str] = field(default_factory=lambda: dict(generated()))
    asked: list[tuple[str, ...]] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    lost: bool = False
    lost_reads: int = 0

    def find(self, environment: Environment, engine: Engine, service: str) -> ContainerLocation:
        if not self.reachable:
            raise NodeFailed(f"{service} is far away")
        if not self.running(service):
            raise CommandFailed(f"{service} has no running task.")
        return ContainerLocation(engine, service)

    def run_at(self, place: ContainerLocation, service: str, argv: Sequence[str], write: Any, **_: Any) -> int:
        self.asked.append((service, *argv))
        if self.lost_reads:
            self.lost_reads -= 1
        else:
            write(self.contents[Path(argv[-1]).name].encode())
        return 0

    def once(self, engine: Engine, name: str, job: Job) -> JobResult:
        self.jobs.append(job)
        if self.lost:
            return JobResult(0, ())
        contents = {path: self.contents[Path(path).name].encode() for path in job.secrets}
        message = json.loads(job.files[secret_agent.MESSAGE])
        assert message["paths"] == list(contents)
        lines = secret_agent.written(bytes.fromhex(message["key"]), contents)
        return JobResult(0, tuple(Line("task", "", text, False) for text in lines))


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> Tasks:
    made = Tasks()
    monkeypatch.setattr(fetch.exec, "find", made.find)
    monkeypatch.setattr(fetch.exec, "run_at", made.run_at)
    monkeypatch.setattr(fetch.jobs, "run_once", made.once)
    return made


def deployed(environment: Environment) -> Swarm:
    """A swarm that was deployed from a checkout whose files are gone."""
    engine = swarm(environment)
    for file in environment.secrets.iterdir():
        file.unlink()
    return engine


def files(environment: Environment) -> dict[str, str]:
    return {path.name.removesuffix(".secret"): path.read_text()[:-1] for path in environment.secrets.iterdir()}


def test_all_missing_files_come_back_as_they_were_for_their_owner_alone(
    make: Make, tasks: Tasks, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = make()
    engine = deployed(environment)
    fetch.fetch(session(environment, engine), "")
    # The swarm has no more of this password than its hash.
    assert files(environment) == {name: text for name, text in generated().items() if name != ADMIN}
    assert {stat.S_IMODE(path.stat().st_mode) for path in environment.secrets.iterdir()} == {0o600}
    assert stat.S_IMODE(environment.secrets.stat().st_mode) == 0o700
    said = "".join(capsys.readouterr())
    assert f"{ADMIN} itself is not in the swarm" in said
    assert not [text for text in generated().values() if text in said]
    missing_secrets.require(environment, MADE, engine)


def test_a_running_task_is_asked_first_and_a_job_for_what_none_mounts(make: Make, tasks: Tasks) -> None:
    environment = make()
    fetch.fetch(session(environment, deployed(environment)), "")
    assert ("admin_portal", "cat", f"/run/secrets/{READER}") in tasks.asked
    (job,) = tasks.jobs
    assert set(job.secrets) == {
        f"/run/secrets/{name}" for name in ("gha-admin-password", "replication-password", "rewind-password", BOOTSTRAP)
    }


def test_one_secret_is_fetched_by_its_name(make: Make, tasks: Tasks) -> None:
    environment = make()
    fetch.fetch(session(environment, deployed(environment)), READER)
    assert files(environment) == {READER: generated()[READER]}
    assert tasks.jobs == []


@pytest.mark.parametrize(("lost", "jobs"), [(fetch.READS - 1, 0), (fetch.READS, 1)])
def test_a_task_whose_output_is_lost_is_read_again_before_a_job_does(
    make: Make, tasks: Tasks, lost: int, jobs: int
) -> None:
    environment = make()
    tasks.lost_reads = lost
    fetch.fetch(session(environment, deployed(environment)), READER)
    assert files(environment) == {READER: generated()[READER]}
    assert len(tasks.jobs) == jobs


def test_of_tasks_on_nodes_that_do_not_answer_a_job_reads_for_us(make: Make, tasks: Tasks) -> None:
    tasks.reachable = False
    environment = make()
    fetch.fetch(session(environment, deployed(environment)), READER)
    assert files(environment) == {READER: generated()[READER]}
    (job,) = tasks.jobs
    assert generated()[READER] not in repr(job)


def test_a_value_that_does_not_fit_its_name_is_never_written(make: Make, tasks: Tasks) -> None:
    tasks.contents[READER] = "another"
    environment = make()
    engine = deployed(environment)
    with pytest.raises(SecretNotFetched, match=f"Could not be read from the swarm: {READER}") as caught:
        fetch.fetch(session(environment, engine), "")
    assert "secret.rotate" in caught.value.hint
    # What was right is there all the same.
    assert files(environment).keys() == MADE.keys() - {READER, ADMIN}


def test_output_that_was_lost_is_an_error_and_nothing_is_written(make: Make, tasks: Tasks) -> None:
    tasks.reachable, tasks.lost = False, True
    environment = make()
    with pytest.raises(SecretNotFetched, match="is incomplete"):
        fetch.fetch(session(environment, deployed(environment)), READER)
    assert files(environment) == {}


def test_why_a_job_could_not_run_is_said(make: Make, tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> JobResult:
        raise JobFailed("no node can run it: insufficient memory")

    tasks.reachable = False
    monkeypatch.setattr(fetch.jobs, "run_once", refuse)
    environment = make()
    with pytest.raises(SecretNotFetched, match="insufficient memory"):
        fetch.fetch(session(environment, deployed(environment)), READER)


def test_a_dry_run_names_the_files_and_writes_none(
    make: Make, tasks: Tasks, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = make()
    fetch.fetch(session(environment, deployed(environment)), "", dry=True)
    assert f"{READER}.secret" in capsys.readouterr().out
    assert (files(environment), tasks.asked, tasks.jobs) == ({}, [], [])


def test_of_a_password_that_is_in_no_swarm_secret_its_hash_is_fetched(make: Make, tasks: Tasks) -> None:
    environment = make()
    fetch.fetch(session(environment, deployed(environment)), ADMIN)
    assert files(environment) == {USERS: generated()[USERS]}


def test_a_file_that_is_as_the_swarm_has_it_is_left_alone(
    make: Make, tasks: Tasks, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = make()
    engine = swarm(environment)
    for name in (READER, ""):
        fetch.fetch(session(environment, engine), name)
    assert capsys.readouterr().out.count("Nothing to fetch") == 2
    assert (tasks.asked, tasks.jobs) == ([], [])


def test_a_file_that_differs_is_replaced_only_where_that_is_said(make: Make, tasks: Tasks) -> None:
    environment = make()
    engine = swarm(environment)
    secrets.write(environment.secrets, READER, secrets.password())
    before = files(environment)
    with pytest.raises(SecretRefused, match="differs from"):
        fetch.fetch(session(environment, engine), READER)
    assert files(environment) == before
    fetch.fetch(session(environment, engine), READER, force=True)
    assert files(environment)[READER] == generated()[READER]


@pytest.mark.parametrize("name", ["", READER])
def test_a_file_that_a_deploy_generated_is_replaced_by_what_the_swarm_has(make: Make, tasks: Tasks, name: str) -> None:
    environment = make()
    engine = deployed(environment)
    assert secrets.get(environment.secrets, READER, MADE).reveal() != generated()[READER]
    fetch.fetch(session(environment, engine), name)
    assert secrets.look(environment.secrets, READER, MADE).reveal() == generated()[READER]
    assert not secrets.fresh(environment.secrets, READER)


def test_the_newest_version_that_services_use_counts(make: Make, tasks: Tasks) -> None:
    environment = make()
    engine = deployed(environment)
    newer = f"{READER}_0123456789"
    fetch.fetch(session(environment, replace(engine, there=[*engine.there, newer])), READER)
    assert files(environment) == {READER: generated()[READER]}


def test_a_name_that_is_none_and_a_secret_that_the_swarm_has_not_are_errors(make: Make, tasks: Tasks) -> None:
    environment = make()
    engine = deployed(environment)
    with pytest.raises(UnknownName, match=READER):
        fetch.fetch(session(environment, engine), "ro-usr-password")
    with pytest.raises(SecretMissing, match="The swarm has no version of backup-s3-key"):
        fetch.fetch(session(environment, engine), "backup-s3-key")


def test_nothing_is_fetched_while_a_rotation_is_under_way(make: Make, tasks: Tasks) -> None:
    environment = make()
    engine = deployed(environment)
    with rotate._alone(environment.secrets, READER), pytest.raises(Locked):
        fetch.fetch(session(environment, engine), READER)
    assert files(environment) == {}


@pytest.mark.parametrize("dry", [True, False])
def test_where_secrets_are_shared_what_is_fetched_is_encrypted(
    make: Make, tasks: Tasks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dry: bool
) -> None:
    environment, ann = make(), Operator(tmp_path, "ann")
    engine = deployed(environment)
    share(environment.secrets, ann)
    monkeypatch.setenv(age.IDENTITY_VARIABLE, str(Operator(tmp_path, "bob").identity))
    with pytest.raises(SecretNotDecrypted):
        fetch.fetch(session(environment, engine), READER, dry=dry)
    assert not secrets.file(environment.secrets, READER).exists()
    monkeypatch.setenv(age.IDENTITY_VARIABLE, str(ann.identity))
    fetch.fetch(session(environment, engine), READER, dry=dry)
    path = secrets.file(environment.secrets, READER)
    assert path.name == f"{READER}.age"
    assert path.exists() is not dry
    assert dry or secrets.read(path) == Secret(generated()[READER])
    assert not (environment.secrets / f"{READER}.secret").exists()
