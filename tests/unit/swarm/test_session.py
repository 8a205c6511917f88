import subprocess
from dataclasses import replace
from pathlib import Path

from swarm.report import Report
from swarm.session import Session
from swarm.shell import Shell
from tests.support.secrets import Swarm
from tests.unit.swarm.conftest import Make

WHO = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.test", "-c", "commit.gpgsign=false")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(("git", *WHO, "-C", str(folder), *words), check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_session_knows_the_commit_and_whether_files_differ_from_it(make: Make, tmp_path: Path) -> None:
    environment = replace(make(), root=tmp_path)
    session = Session(environment, Swarm(), Shell(), Report())
    assert session.commit() == ""
    git(environment.root, "init", "-q")
    git(environment.root, "add", ".")
    git(environment.root, "commit", "-q", "-m", "one")
    commit = git(environment.root, "rev-parse", "--short=12", "HEAD")
    assert session.commit() == commit
    (environment.root / "another").write_text("file")
    assert session.commit() == f"{commit}+"
