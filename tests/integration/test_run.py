"""The bootstrap script, in a checkout of its own whose path has a space."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from swarm.settings.environment import ROOT

TASKS = """
import os
from invoke import Collection, Exit, Program, task

@task
def place(_):
    print(os.getcwd())

@task
def fail(_):
    raise Exit(code=64)

Program(namespace=Collection(place, fail)).run()
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with two verbs, whose lock file holds nothing but invoke."""
    made = tmp_path_factory.mktemp("a checkout")
    shutil.copy(ROOT / "run", made / "run")
    (made / "tasks.py").write_text(TASKS)
    locked = re.search(r"^invoke==.*\n(?: +--hash=.*\n)+", (ROOT / "requirements.txt").read_text(), re.M)
    assert locked
    (made / "requirements.txt").write_text(locked[0])
    return made


def run(checkout: Path, *words: str, directory: Path, **process: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (str(checkout / "run"), *words), cwd=directory, env={**os.environ, **process}, capture_output=True, text=True
    )


def test_the_first_run_makes_the_environment_and_the_second_does_not(checkout: Path, tmp_path: Path) -> None:
    first = run(checkout, "place", directory=tmp_path)
    assert (first.returncode, first.stdout.strip()) == (0, str(tmp_path)), first.stderr
    assert "Made .venv" in first.stderr
    second = run(checkout, "place", directory=tmp_path)
    assert (second.stdout, second.stderr) == (first.stdout, "")


def test_an_interrupted_first_run_is_begun_anew(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".venv" / "made-from").unlink()
    shutil.rmtree(next((checkout / ".venv").glob("lib/*/site-packages")) / "invoke")
    assert "Made .venv" in run(checkout, "place", directory=tmp_path).stderr


def test_without_a_verb_the_verbs_are_listed(checkout: Path, tmp_path: Path) -> None:
    assert re.search(r"^  place$", run(checkout, directory=tmp_path).stdout, re.M)


def test_the_exit_code_of_a_verb_is_the_scripts(checkout: Path, tmp_path: Path) -> None:
    assert run(checkout, "fail", directory=tmp_path).returncode == 64


def test_without_a_fitting_python_there_is_one_error_with_the_command(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".venv" / "made-from").unlink()
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    for program in tmp_path.iterdir():
        program.chmod(0o755)
    done = run(checkout, "place", directory=tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 71
    assert "No Python 3.11 or newer on this machine" in done.stderr
    assert "sudo apt-get update && sudo apt-get install -y python3 python3-venv" in done.stderr
