"""The program age and we read each other's files."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from swarm.settings import age, secrets
from swarm.settings.secrets import Secret
from tests.support.age import Operator, share

TEXT = "cörrect 'horse' \"$\\ battery"


@pytest.fixture
def program() -> str:
    """The program, or the test is left out by name; it fails where CI=true."""
    if found := shutil.which("age"):
        return found
    message = "age is not on this machine: its files are left out (apt-get install age)"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def ann(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    made = Operator(tmp_path, "ann")
    monkeypatch.setenv(age.IDENTITY_VARIABLE, str(made.identity))
    return made


def test_the_program_decrypts_what_we_encrypt(program: str, ann: Operator, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    share(folder, Operator(tmp_path, "bob"), ann)
    secrets.write(folder, "token", Secret(TEXT))
    said = subprocess.run(
        (program, "--decrypt", "--identity", ann.identity, folder / "token.age"), check=True, capture_output=True
    )
    assert said.stdout.decode() == f"{TEXT}\n"


@pytest.mark.parametrize("flags", [("--armor",), ()])
def test_we_decrypt_what_the_program_encrypts(
    program: str, ann: Operator, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    folder = tmp_path / "secrets"
    share(folder, ann)
    recipients, target = folder / age.RECIPIENTS, folder / "token.age"
    subprocess.run(
        (program, *flags, "--recipients-file", recipients, "--output", target), input=f"{TEXT}\n".encode(), check=True
    )
    assert secrets.read(secrets.file(folder, "token")) == Secret(TEXT)
