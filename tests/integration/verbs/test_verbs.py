"""The verbs as a user runs them, with the mistakes users make: one clear error, an exit code, nothing half done."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import docker
import pytest

from swarm.settings.environment import ROOT

PORT = 18480
ENV = f"""
domain: verbs.localhost
registry: 127.0.0.1:15480/swarmstats
driver: lab
lab: {{subnet: 10.244.0.0/24, http_port: {PORT}}}
nodes: [{{name: node-1, role: manager}}]
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout with an environment `verbs` of its own; the name of the folder has a space."""
    copy = tmp_path / "check out"
    left_out = shutil.ignore_patterns(".git", ".venv", ".swarmstats", "__pycache__", ".*_cache", "*.secret")
    shutil.copytree(ROOT, copy, ignore=left_out)
    folder = copy / "env" / "verbs"
    folder.mkdir()
    (folder / "env.yaml").write_text(ENV)
    (folder / "projects.yaml").write_text("projects: {apache: {organisations: [apache]}}")
    return copy


def run(checkout: Path, *words: str, **process: str) -> subprocess.CompletedProcess[str]:
    """`invoke VERB ...` on the copy, from another folder, as a user may."""
    return subprocess.run(
        (sys.executable, "-m", "invoke", "--search-root", str(checkout), *(words or ("--list",))),
        env={**os.environ, "SWARMSTATS_ENV": "verbs", **process},
        capture_output=True, text=True, check=False, timeout=300, cwd="/",
    )  # fmt: skip


def one_error(done: subprocess.CompletedProcess[str], code: int, *texts: str) -> None:
    """The exit code, the texts, and no traceback."""
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Traceback" not in said
    for text in texts:
        assert text in said


def test_three_mistakes_in_env_yaml_are_three_lines_with_their_places(checkout: Path) -> None:
    (checkout / "env" / "verbs" / "env.yaml").write_text(ENV.replace("manager", "boss") + "colour: red\nstorage: 3\n")
    done = run(checkout, "render", "app")
    one_error(
        done, 65, "3 mistakes",
        "env/verbs/env.yaml:6: nodes[0].role: 'boss' is not one of 'manager', 'worker'",
        "env/verbs/env.yaml:7: colour: unknown key; allowed: archive, build,", "env/verbs/env.yaml:8: storage:",
    )  # fmt: skip


def test_an_unknown_stack_project_or_environment_gives_the_nearest_names(checkout: Path) -> None:
    one_error(run(checkout, "deploy", "metrcis"), 64, 'No stack "metrcis". Did you mean metrics?', "Stacks: ")
    one_error(run(checkout, "deploy", "apach"), 64, 'No stack "apach". Did you mean apache')
    one_error(run(checkout, "render", "app", "--env", "verb"), 64, 'No environment "verb". Did you mean verbs?')


def test_a_template_with_an_unknown_variable_names_file_line_and_variable(checkout: Path) -> None:
    template = checkout / "stacks" / "app" / "stack.yml.j2"
    template.write_text(template.read_text() + "\n# {{ regsitry }}\n")
    line = len(template.read_text().splitlines())
    one_error(run(checkout, "render", "app"), 66, f"stacks/app/stack.yml.j2:{line}: 'regsitry' is undefined.")


def test_a_key_that_docker_does_not_know_is_refused_before_anything_is_sent(checkout: Path) -> None:
    template = checkout / "stacks" / "app" / "stack.yml.j2"
    template.write_text(template.read_text().replace("services:\n", "services:\n  odd: {image: x, gpus: all}\n", 1))
    one_error(run(checkout, "render", "app"), 67, "stacks/app/stack.yml.j2", "gpus")


def test_an_engine_that_does_not_run_is_one_error_with_the_command_to_start_it(checkout: Path) -> None:
    done = run(checkout, "swarm.init", DOCKER_HOST="unix:///var/run/no-such-docker.sock")
    one_error(done, 69, "no-such-docker.sock")


def test_a_lab_that_is_not_there_says_how_to_make_it(checkout: Path) -> None:
    one_error(run(checkout, "deploy", "app"), 69, "./run swarm.init")
    one_error(run(checkout, "status"), 69, "./run swarm.init")


def test_a_port_that_is_taken_is_named_and_nothing_is_made(checkout: Path) -> None:
    with socket.create_server(("127.0.0.1", PORT)):
        done = run(checkout, "swarm.init")
    one_error(done, 70, str(PORT), "lab.http_port")
    client = docker.from_env()
    made = {"label": "swarmstats.lab=swarmstats-verbs"}
    assert client.containers.list(all=True, filters=made) == []
    assert client.networks.list(filters=made) == []
    assert client.volumes.list(filters=made) == []


def test_a_project_called_like_a_stack_is_a_mistake(checkout: Path) -> None:
    (checkout / "env" / "verbs" / "projects.yaml").write_text("projects: {db: {organisations: [db]}}")
    one_error(run(checkout, "render", "all"), 65, "projects.db: a stack has this name")


def test_rendering_prints_what_docker_takes(checkout: Path) -> None:
    done = run(checkout, "render", "all")
    assert done.returncode == 0, done.stderr
    for document in done.stdout.split("---\n"):
        checked = subprocess.run(
            ("docker", "stack", "config", "-c", "-"), input=document, text=True, capture_output=True, check=False
        )
        assert checked.returncode == 0, checked.stderr
    assert "{{.Service.Name}}-{{.Task.Slot}}-{{.Node.Hostname}}" in done.stdout


def test_the_list_of_verbs_reads_like_a_table_of_contents(checkout: Path) -> None:
    done = run(checkout)
    assert done.returncode == 0
    for verb in ("demo", "deliver", "deploy", "clean", "swarm.init", "status", "doctor"):
        assert f"  {verb} " in done.stdout
