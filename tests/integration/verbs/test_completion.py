"""Completion in the real shells: their functions are called as they call them when somebody presses Tab."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from swarm.settings.environment import ROOT

QUICK = 0.3
ENV = "{domain: a.test, registry: r/x, driver: lab, nodes: [{name: n, role: manager}]}\n"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment of its own, and the table of a first call."""
    folder = tmp_path_factory.mktemp("envs") / "completed"
    folder.mkdir()
    (folder / "env.yaml").write_text(ENV)
    (folder / "projects.yaml").write_text("projects: {apache: {organisations: [apache]}}\n")
    made = {**os.environ, "SWARMSTATS_ENVS": str(folder.parent), "SWARMSTATS_ENV": "completed"}
    subprocess.run((ROOT / "run", "completion"), env=made, check=True, capture_output=True)
    return made


def demand(shell: str) -> None:
    """Leave a test out, by name, where its shell is absent; fail where CI=true."""
    if shutil.which(shell):
        return
    message = f"{shell} is not on this machine: its completion is left out (apt-get install {shell})"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def bash(process: dict[str, str], *line: str) -> list[str]:
    """COMPREPLY for a line whose last word is being typed."""
    code = """
        source <(./run completion bash)
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        function=$(complete -p run | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
        "$function" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ("bash", "-euc", code, "bash", *line), env=process, cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout.split()


def test_bash_completes_verbs_flags_stacks_projects_and_services(process: dict[str, str]) -> None:
    assert bash(process, "./run", "stat") == ["status"]
    assert bash(process, "./run", "deploy", "ap") == ["apache", "app"]
    assert bash(process, "./run", "logs", "admin,apache/") == ["admin,apache/sync"]
    assert bash(process, "invoke", "status", "--w") == ["--watch"]
    assert bash(process, "./run", "--dry", "deploy", "--n") == ["--no-rollback", "--no-tests"]
    assert bash(process, f"{ROOT}/run", "logs", "--env", "") == ["completed"]


def test_a_change_of_the_environment_is_noticed_at_the_next_tab(process: dict[str, str]) -> None:
    file = Path(process["SWARMSTATS_ENVS"]) / "completed" / "projects.yaml"
    file.write_text("projects: {apache: {organisations: [apache]}, kubernetes: {organisations: [kubernetes]}}\n")
    assert bash(process, "./run", "deploy", "kub") == ["kubernetes"]


def test_an_answer_comes_before_one_notices(process: dict[str, str]) -> None:
    argv = (str(ROOT / ".venv" / "bin" / "python"), "-E", "-S", "-m", "verbs.completion", "logs", "a")
    subprocess.run((ROOT / "run", "completion"), env=process, check=True, capture_output=True)
    took = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run(argv, env=process, cwd=ROOT, check=True, capture_output=True)
        took.append(time.monotonic() - began)
    assert min(took) < QUICK


def test_zsh_completes_too(process: dict[str, str]) -> None:
    demand("zsh")
    code = """
        compdef() { function=$1 }
        compadd() { shift; print -l -- "$@" }
        source <(./run completion zsh)
        words=("$@") CURRENT=$#
        $function
    """
    for line, wanted in ((("./run", "stat"), ["status"]), (("run", "open", "po"), ["portal"])):
        done = subprocess.run(
            ("zsh", "-fc", code, "zsh", *line), env=process, cwd=ROOT, check=True, capture_output=True, text=True
        )
        assert done.stdout.split() == wanted, done.stderr


def test_fish_completes_too(process: dict[str, str]) -> None:
    demand("fish")
    for line, wanted in (("./run stat", ["status"]), ("run logs admin/so", ["admin/socket-proxy"])):
        code = f"./run completion fish | source; complete --do-complete '{line}'"
        done = subprocess.run(
            ("fish", "--no-config", "-c", code), env=process, cwd=ROOT, check=True, capture_output=True, text=True
        )
        assert done.stdout.split() == wanted, done.stderr
