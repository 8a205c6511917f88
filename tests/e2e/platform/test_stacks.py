"""Deploying, cleaning and looking, as an operator does it."""

import json
import os
import re
import secrets
import subprocess
import time
from pathlib import Path

import pytest

from swarm.live import services
from swarm.nodes import manager
from tests.e2e.conftest import FILE, NAME, STATE, Platform
from tests.e2e.support.checkout import leftovers
from tests.support.waiting import until

QUICK = 60.0


def test_the_demo_application_answers_under_its_host(platform: Platform) -> None:
    answer = platform.get("app")
    assert answer.status_code == 200
    assert "Swarmstats" in answer.text


def test_clean_leaves_nothing_of_the_stack_and_deploy_right_after_works(platform: Platform, long: bool) -> None:
    for _ in range(10 if long else 2):
        platform.run("clean", "app", "--yes")
        engine = platform.engine
        assert engine.services.list("app") == []
        assert [task for task in engine.tasks.list("app") if task["Status"]["State"] == "running"] == []
        assert engine.networks.list("app") == []
        # What is left of its configs and secrets is what its releases need to be rolled back to.
        assert leftovers(engine) == []
        platform.run("deploy", "app")
        until("app through Traefik", lambda: platform.get("app").status_code == 200)


def test_a_stack_whose_networks_are_used_is_not_removed_by_half(platform: Platform) -> None:
    before = platform.versions()
    done = platform.run("clean", "admin", "--yes", check=False)
    assert done.returncode == 14
    assert "./run clean apache,app,archive,cachethq,db,metrics,rust-lang,admin" in done.stderr
    assert platform.versions() == before


def test_a_second_deploy_of_everything_is_quick_and_touches_nothing(platform: Platform) -> None:
    before = platform.versions()
    began = time.monotonic()
    done = platform.run("deploy", "all")
    assert time.monotonic() - began < QUICK
    assert done.stdout.count("nothing to do") == 6
    assert platform.versions() == before


def test_the_demo_on_a_running_lab_is_quick_and_touches_nothing(platform: Platform) -> None:
    before = platform.versions()
    began = time.monotonic()
    done = platform.run("demo")
    assert time.monotonic() - began < QUICK
    assert "Ready in" in done.stdout
    assert platform.environment.url("apache") in done.stdout
    assert platform.versions() == before


def test_a_changed_value_restarts_its_service_and_no_other(platform: Platform) -> None:
    text = FILE.read_text()
    before = platform.versions()
    try:
        FILE.write_text(text + "sizes: {app.nginx: {memory: 56M}}\n")
        platform.run("deploy", "app")
    finally:
        FILE.write_text(text)
    after = platform.versions()
    assert [name for name in before if before[name] != after[name]] == ["app_nginx"]
    platform.run("deploy", "app")


def test_a_changed_secret_restarts_exactly_the_services_that_use_it(platform: Platform) -> None:
    before = {task["ID"] for task in platform.engine.tasks.list()}
    (FILE.parent / "secrets" / "ro-user-password.secret").write_text(secrets.token_urlsafe(24) + "\n")
    platform.run("deploy", "all")
    started = {
        item.name for item in services.services(platform.engine) if any(task.id not in before for task in item.tasks)
    }
    assert started == {"admin_portal", "db_bootstrap"}
    until("the portal with its new password", lambda: platform.get("", "/healthz").json()["database"] == "ok")
    assert platform.run("deploy", "all").stdout.count("nothing to do") == 6


def test_a_service_that_cannot_become_healthy_ends_the_deploy_with_its_reason(platform: Platform) -> None:
    text = FILE.read_text()
    try:
        FILE.write_text(text + f'images: {{nginx: "{platform.environment.registry}/no-such-image:1"}}\n')
        done = platform.run("deploy", "app", check=False)
    finally:
        FILE.write_text(text)
    assert done.returncode == 3
    assert "app_nginx" in done.stderr
    assert re.search(r"No such image|not found|rollback|paused", done.stderr)
    platform.run("deploy", "app")
    assert platform.get("app").status_code == 200


def test_an_image_that_was_never_pushed_stops_the_deploy_before_anything_is_sent(platform: Platform) -> None:
    before = platform.versions()
    process = {**platform.process, "SWARMSTATS_ENVS": str(STATE / "unpushed")}
    folder = STATE / "unpushed" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("env.yaml", "projects.yaml"):
        text = (FILE.parent / name).read_text()
        (folder / name).write_text(text.replace("/swarmstats\n", "/elsewhere\n"))
    done = Platform(platform.environment, process).run("deploy", "app", check=False)
    assert done.returncode == 73
    assert "./run deliver" in done.stderr
    assert platform.versions() == before


def test_the_dashboard_wants_the_password_and_takes_it(platform: Platform) -> None:
    assert platform.get("traefik", "/api/overview").status_code == 401
    password = platform.run("secret.show", "traefik-admin").stdout.strip()
    assert platform.get("traefik", "/api/overview", auth=("admin", password)).status_code == 200
    assert platform.get("traefik", "/api/overview", auth=("admin", "wrong")).status_code == 401


def test_the_docker_api_that_the_portal_reaches_can_only_be_read_and_keeps_secrets(platform: Platform) -> None:
    ask = "import sys,httpx;r=httpx.request(sys.argv[1],'http://admin_socket-proxy:2375'+sys.argv[2]);print(r.status_code)"
    answers = {
        (method, path): platform.inside("admin_portal", "python3", "-c", ask, method, path).strip()
        for method, path in (
            ("GET", "/services"), ("GET", "/v1.41/nodes"), ("POST", "/services/create"), ("GET", "/secrets"),
            ("GET", "/configs"), ("GET", "/containers/json"), ("DELETE", "/nodes/x"),
        )
    }  # fmt: skip
    assert set(list(answers.values())[:2]) == {"200"}
    assert set(list(answers.values())[2:]) == {"403"}


def test_victoriametrics_sees_traefik_portal_and_every_sync(platform: Platform) -> None:
    password = platform.run("secret.show", "traefik-admin").stdout.strip()

    def up() -> bool:
        answer = platform.get("metrics", "/api/v1/query?query=up==1", auth=("admin", password))
        services = {item["metric"].get("service", "") for item in answer.json()["data"]["result"]}
        wanted = {"admin_traefik", "admin_portal", "apache_sync", "rust-lang_sync", "cachethq_sync"}
        return wanted <= services

    until("all targets up", up)


def test_status_names_every_stack_and_calls_it_healthy(platform: Platform) -> None:
    lines = platform.run("status").stdout.splitlines()
    for stack in ("admin", "db", "archive", "metrics", "app", "projects"):
        (line,) = [line for line in lines if line.startswith(stack)]
        assert "healthy" in line
    found = json.loads(platform.run("status", "--json").stdout)
    assert found["not_running"] == []
    assert {service["name"] for service in found["services"]} >= {"admin_traefik", "db_patroni1", "apache_sync"}


def test_logs_come_from_whichever_node_the_task_runs_on(platform: Platform) -> None:
    assert "archive_ingest" in platform.run("logs", "archive_ingest").stdout
    done = platform.run("logs", "archive_ingets", check=False)
    assert done.returncode == 64
    assert "Did you mean archive/ingest" in done.stderr


def test_no_secret_stands_in_a_rendered_file_a_service_or_an_argument(platform: Platform) -> None:
    files = list((FILE.parent / "secrets").glob("*.secret"))
    assert {"postgres-password", "gha-admin-password", "ro-user-password", "traefik-admin"} <= {
        file.stem for file in files
    }
    sealed = [file.read_text().strip() for file in files]
    seen = platform.run("render", "all").stdout + json.dumps(platform.engine.services.list(), default=str)
    for node in platform.environment.nodes:
        client = manager.engine(platform.environment, node)._sdk
        seen += json.dumps([container.attrs for container in client.containers.list()], default=str)
        for container in client.containers.list():
            seen += json.dumps(container.top(), default=str)
            seen += container.logs(tail=500).decode(errors="replace")
    assert [secret for secret in sealed if secret in seen] == []


@pytest.fixture
def context(platform: Platform, tmp_path: Path) -> Platform:
    """The same swarm, reached by a docker context instead of the lab's driver."""
    process = {**platform.process, "DOCKER_CONFIG": str(tmp_path / "docker"), "SWARMSTATS_ENVS": str(tmp_path / "env")}
    subprocess.run(
        ("docker", "context", "create", NAME, "--docker", f"host={platform.engine.host}"), env=process, check=True
    )
    plugins = tmp_path / "docker" / "cli-plugins"
    plugins.symlink_to(Path(os.path.expanduser("~/.docker/cli-plugins")))
    folder = tmp_path / "env" / NAME
    folder.mkdir(parents=True)
    text = FILE.read_text()
    entry = f"127.0.0.1:{platform.environment.http_port}"
    (folder / "env.yaml").write_text(text.replace("driver: lab", f"driver: context\ncontext: {NAME}\nentry: {entry}"))
    (folder / "projects.yaml").write_text((FILE.parent / "projects.yaml").read_text())
    (folder / "secrets").symlink_to(FILE.parent / "secrets")
    return Platform(platform.environment, process)


def test_everything_but_making_nodes_works_through_a_docker_context(context: Platform) -> None:
    context.run("swarm.init")
    context.run("swarm.status")
    assert "healthy" in context.run("status").stdout
    context.run("clean", "app", "--yes")
    context.run("deliver", "app")
    assert "nothing to do" in context.run("deploy", "db").stdout
    until("app through Traefik", lambda: context.get("app").status_code == 200)
    # The database runs on a node that this context does not lead to.
    done = context.run("exec", "db/patroni1", "--", "sh", "-c", "hostname; echo lost >&2; exit 7", check=False)
    assert (done.returncode, done.stderr.strip()) == (7, "lost")
    assert done.stdout.strip() == context.inside("db_patroni1", "hostname").strip()
    refused = context.run("swarm.clean", "--yes", check=False)
    assert refused.returncode == 74
    assert "healthy" in context.run("status").stdout
