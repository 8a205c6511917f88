"""What an operator does from day to day: look at logs, run commands, scale, restart, watch; each by the verbs."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from swarm.live import services
from swarm.rollout import lock
from swarm.settings.environment import ROOT
from tests.e2e.conftest import Platform
from tests.support.waiting import HANG, until

NGINX = "app_nginx"
# Seconds in which a verb ends on Ctrl-C, on a machine that has ten other things to do.
PROMPT = 15.0


def begin(platform: Platform, *words: str) -> "subprocess.Popen[str]":
    """`./run VERB ...` that goes on by itself."""
    return subprocess.Popen(
        (str(ROOT / "run"), *words), env=platform.process, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def interrupted(process: "subprocess.Popen[Any]") -> str:
    """What it said until Ctrl-C, which it must follow at once and with 130."""
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=HANG)
    assert process.returncode == 130, said
    assert time.monotonic() - began < PROMPT
    assert "Traceback" not in (said or "")
    return said or ""


def service(platform: Platform, name: str = NGINX) -> services.Service:
    (found,) = [item for item in services.services(platform.engine) if item.name == name]
    return found


def running(platform: Platform, name: str = NGINX) -> set[str]:
    return {task.id for task in service(platform, name).tasks if task.running}


@pytest.fixture
def app(platform: Platform) -> Iterator[Platform]:
    """The demo application, as the environment says before and after."""
    platform.run("deploy", "app")
    yield platform
    platform.run("deploy", "app")


def test_logs_of_services_on_several_nodes_come_in_the_order_of_time_with_their_tasks(platform: Platform) -> None:
    lines = platform.run("logs", "all", "--tail", "5", "--times").stdout.splitlines()
    found = [re.match(r"(\S+)@(node-\d) +\| (\S+Z) ", line) for line in lines]
    assert all(found), lines
    moments = [item[3] for item in found if item]
    assert moments == sorted(moments)
    assert len({item[2] for item in found if item}) > 1
    assert len({item[1] for item in found if item}) > 5


def test_logs_take_stacks_projects_and_lists_and_only_lines_that_match(platform: Platform) -> None:
    mark = f"/mark-{time.time_ns()}"
    for _ in range(8):
        platform.get("app", mark)

    def found() -> list[str]:
        return platform.run("logs", "app,apache", "--since", "10m", "--grep", f"GET {mark}").stdout.splitlines()

    lines = until("the requests in the logs", lambda: got if len(got := found()) >= 8 else None)
    assert all(line.startswith("app_nginx.") and mark in line for line in lines)
    assert {line.partition(" ")[0].rpartition(".")[2][0] for line in lines} == {"1", "2"}
    assert platform.run("logs", "app", "--since", "2d", "--grep", "no such text").stdout == ""


def test_a_word_that_means_nothing_is_one_error(platform: Platform) -> None:
    for words, code, text in (
        (("logs", "app", "--since", "soon"), 79, "not a duration or a time"),
        (("logs", "app", "--grep", "["), 79, "not a regular expression"),
        (("logs", "app/ngnix"), 64, "Did you mean app/nginx?"),
        (("exec", "app/nginx"), 79, "./run exec app/nginx -- ls /"),
        (("exec", "db", "--", "true"), 64, "db/patroni1"),
        (("exec", "app/nginx", "--task", "node-77", "--", "true"), 64, 'No task "node-77"'),
        (("scale", "app/nginx=many"), 79, "SERVICE=N"),
        (("scale", "db/bootstrap=2"), 79, "is a job"),
        (("restart", "ap"), 64, "Did you mean app"),
        (("status", "metrcis"), 64, "Did you mean metrics"),
        (("open", "apach"), 64, "Did you mean apache"),
    ):
        done = platform.run(*words, check=False)
        assert (done.returncode, text in done.stderr, "Traceback" in done.stderr) == (code, True, False), done.stderr


def test_whoever_reads_only_the_head_of_logs_sees_no_complaint(platform: Platform) -> None:
    command = f"'{ROOT}/run' logs all --since 2d | head -n 2"
    done = subprocess.run(("sh", "-c", command), env=platform.process, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == ""


def test_following_shows_lines_as_they_come_also_of_tasks_that_come_later(app: Platform, tmp_path: Path) -> None:
    file, began = tmp_path / "followed", time.time_ns()

    def shown(page: str) -> set[str]:
        """Ask for a page; the tasks of whose answers the log was shown until now."""
        app.get("app", page)
        return set(re.findall(rf"^(app_nginx\S+) .*{page}", file.read_text(), re.M))

    with file.open("w") as output:
        words = ("logs", "app", "--follow", "--tail", "0", "--grep", f"/follow-{began}")
        followed = subprocess.Popen((str(ROOT / "run"), *words), env=app.process, stdout=output, stderr=output)
        until("lines of both tasks", lambda: len(shown(f"/follow-{began}-first")) == 2)
        app.run("restart", "app/nginx")
        until("lines of the two that came later", lambda: len(shown(f"/follow-{began}-later")) == 2)
        interrupted(followed)
    assert "Traceback" not in file.read_text()


def test_a_command_runs_on_whichever_node_the_task_is_with_its_exit_code_and_its_words(platform: Platform) -> None:
    nodes = {platform.run("exec", name, "--", "hostname").stdout.strip() for name in ("app/nginx", "admin_traefik")}
    assert len(nodes) == 2
    words = ("sh", "-c", 'printf "%s|" "$@"; echo oops >&2; exit 7', "sh", "a  b", "$HOME", "", "--", "ü'\"")
    done = platform.run("exec", "apache/sync", "--", *words, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, "a  b|$HOME||--|ü'\"|", "oops\n")


def test_each_task_can_be_reached_and_its_bytes_come_unchanged(platform: Platform) -> None:
    for task in service(platform).tasks:
        if task.running:
            told = platform.run("exec", "app/nginx", "--task", task.slot, "--", "hostname").stdout.strip()
            assert told == f"app_nginx-{task.slot}-{task.node}"
    code = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 4096)"
    argv = (str(ROOT / "run"), "exec", "admin/portal", "--", "python3", "-c", code)
    done = subprocess.run(argv, env=platform.process, capture_output=True, check=True)
    assert done.stdout == bytes(range(256)) * 4096


def test_interactive_gives_the_command_our_input(platform: Platform) -> None:
    argv = (str(ROOT / "run"), "exec", "--interactive", "db/patroni1", "--user", "postgres", "--", "psql", "-XAtq")
    done = subprocess.run(argv, env=platform.process, input="select 40 + 2;\n", stdout=subprocess.PIPE, text=True)
    assert done.stdout == "42\n"


def test_scaling_waits_for_the_tasks_says_how_long_it_lasts_and_the_next_deploy_sets_it_back(app: Platform) -> None:
    before = app.versions()
    dry = app.run("scale", "app/nginx=4,admin/portal=1", "--dry").stdout
    assert "app/nginx: 2 -> 4 tasks" in dry
    assert app.versions() == before
    done = app.run("scale", "app/nginx=4,admin/portal=1")
    assert len(running(app)) == 4
    assert "sizes: {app.nginx: {replicas: 4}}" in done.stdout
    assert [name for name, version in app.versions().items() if version != before[name]] == [NGINX]
    app.run("scale", "app/nginx=1")
    assert len(running(app)) == 1
    app.run("deploy", "app")
    assert len(running(app)) == 2


def test_restarting_gives_new_tasks_while_requests_are_answered(app: Platform) -> None:
    before, others = running(app), app.versions()
    restarting = begin(app, "restart", "app")
    codes = []
    while restarting.poll() is None:
        codes.append(app.get("app").status_code)
    said, _ = restarting.communicate()
    assert restarting.returncode == 0, said
    assert set(codes) == {200}
    assert not running(app) & before
    assert len(running(app)) == 2
    assert [name for name, version in app.versions().items() if version != others[name]] == [NGINX]


def test_scale_and_restart_wait_for_the_lock(platform: Platform) -> None:
    before = platform.versions()
    with lock.held(platform.engine, "maintenance", 5, print):
        for words in (("scale", "app/nginx=3"), ("restart", "app")):
            done = platform.run(*words, "--lock-timeout", "1", check=False)
            assert done.returncode == 6
            assert "maintenance" in done.stderr
    assert platform.versions() == before


def test_status_of_a_stack_shows_each_service_with_image_and_node(platform: Platform) -> None:
    lines = platform.run("status", "db").stdout.splitlines()
    assert lines[0].split() == ["SERVICE", "MODE", "TASKS", "STATE", "IMAGE", "NODES", "LAST", "ERROR"]
    (postgres,) = [line for line in lines if line.startswith("db/patroni1")]
    assert re.search(r"replicated +1/1 +healthy +postgres:\S+ +node-\d", postgres)
    told = json.loads(platform.run("status", "app,apache", "--json").stdout)["services"]
    assert [(item["name"], item["healthy"]) for item in told] == [("apache_sync", True), (NGINX, True)]


def test_status_shows_the_release_of_each_stack(platform: Platform) -> None:
    lines = {line.split()[0]: line for line in platform.run("status").stdout.splitlines()}
    for stack in ("admin", "db", "archive", "metrics", "app", "projects"):
        assert re.match(rf"{stack} +\d+ +\d+[smhd] ago +\d+ +\d+/\d+ +healthy", lines[stack]), lines[stack]


def test_watching_in_a_pipe_says_what_changes_and_nothing_else(app: Platform, tmp_path: Path) -> None:
    file = tmp_path / "watched"

    def seen() -> list[str]:
        return re.findall(r"^app .* (\d/\d) ", file.read_text(), re.M)

    with file.open("w") as output:
        argv = (str(ROOT / "run"), "status", "--watch")
        watched = subprocess.Popen(argv, env=app.process, stdout=output, stderr=output)
        until("the first table", lambda: seen() == ["2/2"])
        app.run("scale", "app/nginx=3")
        until("the change", lambda: seen()[-1] == "3/3")
        interrupted(watched)
    tables = file.read_text().split("STACK ")[1:]
    assert all(before != after for before, after in pairwise(tables)), tables
