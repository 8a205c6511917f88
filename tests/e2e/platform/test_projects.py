"""A project comes from nothing by one command, is filled by a job, and goes again; everything else stays."""

import json
import os
import pty
import subprocess
from subprocess import PIPE, STDOUT

import pytest

from swarm.live import services
from swarm.settings.environment import ROOT
from tests.e2e.conftest import NAME, STATE, Platform
from tests.support.waiting import until, wait

# Stops the ingest where it is: it answers no health check any more, as one that hangs.
STOP = """
import os, pathlib, signal
found = [
    int(process.name) for process in pathlib.Path("/proc").glob("[0-9]*")
    if process.name not in ("1", str(os.getpid())) and b"activity\\0ingest" in (process / "cmdline").read_bytes()
]
assert found
for process in found:
    os.kill(process, signal.SIGSTOP)
"""
FILE = STATE / "env" / NAME / "projects.yaml"


def typed(platform: Platform, answer: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A verb at a terminal, where one line is typed."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{answer}\n".encode())
        return subprocess.run(
            (str(ROOT / "run"), *words), env=platform.process, stdin=theirs, stdout=PIPE, stderr=STDOUT, text=True
        )
    finally:
        os.close(ours)
        os.close(theirs)


def status(platform: Platform, *names: str) -> dict[str, dict[str, object]]:
    said = platform.run("project.status", *names, "--json").stdout
    return {item["project"]: item for item in json.loads(said)}


@pytest.mark.usefixtures("shared_data")
def test_a_project_comes_is_filled_and_goes_by_one_command_each(platform: Platform) -> None:
    before = FILE.read_text()
    said = platform.run("project.add", "moby", "--orgs", "docker", "--start", "2015-01-01", "--jobs", "1")
    try:
        assert "moby is now in" in said.stdout
        assert "Started the backfill of moby" in said.stdout
        assert FILE.read_text().startswith(before)

        until("moby to hold both hours", lambda: status(platform, "moby")["moby"]["missing"] == 0)
        until("the series of moby", lambda: status(platform, "moby")["moby"]["series_at"])
        found = status(platform)
        assert found["moby"]["hours"] == 2
        assert found["moby"]["events"] == int(platform.sql("moby", "select count(*) from gha_events")) > 0
        assert found["apache"]["missing"] == 0
        assert platform.get("moby").status_code == 200
        assert "moby" in platform.run("project.status", "moby").stdout

        again = platform.run("project.add", "moby", "--orgs", "docker", "--no-backfill")
        assert "moby is already in" in again.stdout
        other = platform.run("project.add", "moby", "--orgs", "else", check=False)
        assert other.returncode == 87, other.stderr
        asked = platform.run("project.remove", "moby", "--drop-database", check=False)
        assert asked.returncode == 76, asked.stderr
        assert "drops the database moby" in asked.stdout
        there = "select count(*) from pg_database where datname = 'moby'"
        mistyped = typed(platform, "apache", "project.remove", "moby", "--drop-database")
        assert mistyped.returncode == 76, mistyped.stdout
        assert platform.sql("postgres", there).strip() == "1"
        assert "moby" in FILE.read_text()
        dropped = typed(platform, "moby", "project.remove", "moby", "--drop-database")
        assert dropped.returncode == 0, dropped.stdout
        assert "was dropped" in dropped.stdout
        assert platform.sql("postgres", there).strip() == "0"
    finally:
        platform.run("project.remove", "moby", "--yes", check="moby" in FILE.read_text())
    assert FILE.read_text() == before
    assert platform.get("moby").status_code == 404


def test_a_stuck_ingest_is_unhealthy_and_is_replaced(platform: Platform) -> None:
    client, first = platform.container("archive_ingest")
    code, said = client.containers.get(first).exec_run(["python", "-c", STOP])
    assert code == 0, said

    def replaced() -> bool:
        return platform.container("archive_ingest")[1] != first

    until("the verdict", lambda: client.containers.get(first).attrs["State"]["Health"]["Status"] == "unhealthy")
    # Swarm asks it to end, which it does not heed: a minute of grace, of which a moment is enough here.
    wait(2)
    client.containers.get(first).kill("SIGKILL")
    until("another ingest", replaced)
    until("its health", lambda: "1/1" in platform.run("status", "archive").stdout)
    (ingest,) = services.services(platform.engine, "archive")
    assert ["unhealthy" in task.error for task in ingest.tasks if task.container == first] == [True]
