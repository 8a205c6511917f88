from pathlib import Path

import pytest

from swarm import doctor
from swarm.secrets import edit
from swarm.settings import age, secrets
from tests.support.age import Operator, share
from tests.support.secrets import READER, Swarm, swarm
from tests.unit.swarm.conftest import Make


def test_the_doctor_names_every_secret_file_that_is_missing_here_and_the_ways_out(make: Make) -> None:
    environment = make()
    engine = swarm(environment)
    assert doctor._secrets(environment, engine).well
    for name in (READER, "postgres-password"):
        secrets.file(environment.secrets, name).unlink()
    finding = doctor._secrets(environment, engine)
    assert not finding.well
    assert READER in finding.found
    assert "postgres-password" in finding.found
    assert "./run secret.fetch" in finding.advice


def test_files_that_the_first_deploy_will_generate_are_no_finding(make: Make) -> None:
    assert doctor._secrets(make(), Swarm()).well


def test_the_doctor_finds_encrypted_secrets_that_cannot_be_read(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, ann = make(), Operator(tmp_path, "ann")
    engine = swarm(environment)
    share(environment.secrets, ann)
    monkeypatch.setenv(age.IDENTITY_VARIABLE, str(ann.identity))
    edit.encrypt(environment, edit.EVERY)
    assert doctor._secrets(environment, engine).well
    monkeypatch.setenv(age.IDENTITY_VARIABLE, str(Operator(tmp_path, "bob").identity))
    finding = doctor._secrets(environment, engine)
    assert not finding.well
    assert "not for the identity" in finding.found
