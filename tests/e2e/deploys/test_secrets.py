"""The operator's own secrets, from their files to the services that run with them."""

import json
import os
import shutil
import signal
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from swarm.errors import SecretFileMissing
from swarm.live import services
from swarm.rollout import lock
from swarm.settings import environment, secrets
from tests.e2e.conftest import Platform
from tests.e2e.deploys.test_lock import begin
from tests.support.waiting import until

READER = "ro-user-password"
LOGIN = (
    "import sys, psycopg2; psycopg2.connect(host='db_haproxy', port=5000, dbname=sys.argv[1], user=sys.argv[2],"
    "password=open(f'/run/secrets/{sys.argv[3]}').read()).close()"
)
OWNER = ("archive_ingest", "python3", "-c", LOGIN, "devstats", "gha_admin", "gha-admin-password")
PORTAL = ("admin_portal", "python3", "-c", LOGIN, "apache", "ro_user", READER)


def content(platform: Platform, name: str) -> str:
    found = secrets.read(secrets.file(platform.environment.secrets, name))
    assert found
    return found.reveal()


def files(platform: Platform) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in platform.environment.secrets.iterdir()}


def row(platform: Platform, name: str) -> Any:
    """What `secret.list --json` says of a secret."""
    (found,) = [item for item in json.loads(platform.run("secret.list", "--json").stdout) if item["name"] == name]
    return found


def started(platform: Platform, before: set[str]) -> set[str]:
    """Services that have a task which was not there before."""
    return {
        item.name for item in services.services(platform.engine) if any(task.id not in before for task in item.tasks)
    }


def tasks(platform: Platform) -> set[str]:
    return {task["ID"] for task in platform.engine.tasks.list()}


@contextmanager
def asking(platform: Platform, path: str) -> Iterator[list[str]]:
    """Ask the portal ten times a second; gives what was no 200."""
    refused: list[str] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.1):
            try:
                answer = platform.get("", path)
                if answer.status_code != 200:
                    refused.append(str(answer.status_code))
            except requests.RequestException as error:
                refused.append(repr(error))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield refused
    finally:
        over.set()
        thread.join()


def test_the_list_says_all_but_what_the_secrets_are(platform: Platform) -> None:
    done = platform.run("secret.list")
    for word in (READER, "generated", "htpasswd of traefik-admin", "admin_portal", "there"):
        assert word in done.stdout
    found = row(platform, READER)
    assert (found["services"], found["differs"]) == (["admin_portal", "db_bootstrap"], False)
    assert set(found["in_use"]) <= set(found["versions"])
    for name in ("postgres-password", "gha-admin-password", READER, "traefik-admin", "traefik-users"):
        assert content(platform, name) not in done.stdout


def test_a_dry_rotation_says_who_would_restart_and_changes_nothing(platform: Platform) -> None:
    before = platform.versions(), files(platform)
    said = platform.run("secret.rotate", "gha-admin-password", "--dry").stdout
    for service in ("db_bootstrap", "archive_ingest", "apache_sync", "rust-lang_sync", "cachethq_sync"):
        assert service in said
    assert "app_nginx" not in said
    assert (platform.versions(), files(platform)) == before


def test_a_rotated_password_of_the_portal_is_used_without_an_answer_lost(platform: Platform) -> None:
    former, before = content(platform, READER), tasks(platform)
    with asking(platform, "/api/projects") as refused:
        done = platform.run("secret.rotate", READER)
    assert refused == []
    assert started(platform, before) == {"admin_portal", "db_bootstrap"}
    now = content(platform, READER)
    assert now != former
    assert not {former, now} & set(done.stdout.split())
    assert row(platform, READER)["differs"] is False
    assert [path.name for path in files(platform) if path.name.startswith(".")] == []
    assert stat.S_IMODE(secrets.file(platform.environment.secrets, READER).stat().st_mode) == 0o600
    assert platform.get("", "/healthz").json()["database"] == "ok"


def test_the_owner_of_the_databases_gets_a_password_that_was_piped_in(platform: Platform) -> None:
    before = tasks(platform)
    done = subprocess.run(
        (str(platform.environment.root / "run"), "secret.rotate", "gha-admin-password", "--from", "-"),
        env=platform.process, input="correct horse battery staple'\"$\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "staple" not in done.stdout + done.stderr
    assert content(platform, "gha-admin-password") == "correct horse battery staple'\"$"
    users = {"db_bootstrap", "db_backups", "archive_ingest", "apache_sync", "rust-lang_sync", "cachethq_sync"}
    assert started(platform, before) == users
    platform.inside(*OWNER)
    platform.run("secret.rotate", "gha-admin-password")
    platform.inside(*OWNER)


def test_what_is_derived_follows_and_the_former_password_no_longer_opens(platform: Platform) -> None:
    former = content(platform, "traefik-admin")
    assert platform.get("traefik", "/api/overview", auth=("admin", former)).status_code == 200
    platform.run("secret.rotate", "traefik-admin")
    password = platform.run("secret.show", "traefik-admin").stdout.strip()
    until(
        "the dashboard with the new password",
        lambda: platform.get("traefik", "/api/overview", auth=("admin", password)).status_code == 200,
    )
    assert platform.get("traefik", "/api/overview", auth=("admin", former)).status_code == 401


def test_a_rotation_that_fails_goes_back_in_files_swarm_and_database(platform: Platform) -> None:
    file = platform.environment.directory / "env.yaml"
    text, before = file.read_text(), files(platform)
    try:
        # Too little for the portal, which comes after the job that has set the new password.
        file.write_text(text + "sizes: {admin.portal: {memory: 8M}}\n")
        with asking(platform, "/healthz") as refused:
            done = platform.run("secret.rotate", READER, check=False)
    finally:
        file.write_text(text)
    assert done.returncode == 3, done.stdout + done.stderr
    assert refused == []
    assert "admin_portal" in done.stderr
    assert "has its former content again" in done.stdout
    assert files(platform) == before
    assert row(platform, READER)["differs"] is False
    platform.inside(*PORTAL)
    assert platform.get("", "/api/projects").status_code == 200
    assert platform.run("deploy", "db,admin").stdout.count("nothing to do") == 2


def test_a_rotation_whose_client_was_killed_is_completed_by_the_next(platform: Platform) -> None:
    former = content(platform, READER)
    kept = secrets.kept(platform.environment.secrets, READER)
    client = begin(platform, "secret.rotate", READER)
    until("the lock", lambda: platform.engine.configs.get(lock.NAME), every=0.1)
    os.killpg(client.pid, signal.SIGKILL)
    client.communicate()
    # It would expire; test_lock waits for that.
    platform.run("lock.break")
    half = content(platform, READER)
    assert half != former
    assert kept.read_text().strip() == former
    done = platform.run("secret.rotate", READER)
    assert "is unfinished; completing it" in done.stdout
    assert content(platform, READER) == half
    assert not kept.exists()
    assert row(platform, READER)["differs"] is False
    until("the portal", lambda: platform.get("", "/api/projects").status_code == 200)


def test_what_is_generated_or_imported_reaches_services_with_the_next_deploy(platform: Platform) -> None:
    name, before = "devstats-team-password", tasks(platform)
    assert platform.run("secret.generate", name, check=False).returncode == 81
    platform.run("secret.generate", name, "--force", "--length", "48")
    assert len(content(platform, name)) == 48
    assert row(platform, name)["differs"] is True
    platform.run("deploy", "db")
    assert row(platform, name)["differs"] is False
    assert started(platform, before) == {"db_bootstrap"}


@pytest.mark.parametrize(
    ("words", "code"), [(("secret.rotate", "ro-usr-password"), 64), (("secret.rotate", "traefik-users"), 81)]
)
def test_what_cannot_be_rotated_is_one_clear_error(platform: Platform, words: tuple[str, ...], code: int) -> None:
    before = platform.versions(), files(platform)
    done = platform.run(*words, check=False)
    assert done.returncode == code
    assert "./run secret.rotate traefik-admin" in done.stderr or "Did you mean" in done.stderr
    assert (platform.versions(), files(platform)) == before


@pytest.fixture
def clone(platform: Platform, tmp_path: Path) -> Platform:
    """The same platform, seen from a checkout that has its environment without the ignored secret files."""
    name = platform.environment.name
    ignored = shutil.ignore_patterns("secrets")
    shutil.copytree(platform.environment.directory, tmp_path / "env" / name, ignore=ignored)
    process = {**platform.process, "SWARMSTATS_ENVS": str(tmp_path / "env")}
    return replace(platform, environment=environment.load(name, process), process=process)


def swarm_secrets(platform: Platform) -> set[str]:
    return {str(item["ID"]) for item in platform.engine.secrets.list()}


def test_a_checkout_without_the_secret_files_replaces_no_password_and_gets_them_from_the_swarm(
    platform: Platform, clone: Platform
) -> None:
    before = platform.versions(), swarm_secrets(platform)
    with asking(platform, "/api/projects") as unanswered:
        for words in (("deploy", "all"), ("deliver", "all"), ("plan", "all"), ("deploy", "all", "--dry")):
            done = clone.run(*words, check=False)
            assert done.returncode == SecretFileMissing.exit_code, done.stdout + done.stderr
            for name in (READER, "postgres-password", "gha-admin-password", "traefik-users", "./run secret.fetch"):
                assert name in done.stderr
    assert unanswered == []
    assert not clone.environment.secrets.exists()
    findings = {item["name"]: item for item in json.loads(clone.run("doctor", "--json", check=False).stdout)}
    assert not findings["secrets"]["well"]
    clone.run("render", "all")
    assert not clone.environment.secrets.exists()

    said = clone.run("secret.fetch", "--dry").stdout
    assert f"{READER}.secret" in said
    assert not clone.environment.secrets.exists()
    done = clone.run("secret.fetch")
    # The swarm has no more of this password than its hash; devstats-team-password is mounted by a job alone.
    fetched = {path.name: path.read_bytes() for path in clone.environment.secrets.iterdir()}
    kept = {path.name: path.read_bytes() for path in files(platform) if path.suffix == ".secret"}
    assert {"devstats-team-password.secret", "traefik-users.secret"} <= fetched.keys()
    assert fetched.items() <= kept.items()
    unused = {"patroni-password.secret"}
    assert kept.keys() - fetched.keys() <= {"traefik-admin.secret", *unused}
    assert not [text for text in fetched.values() if text.decode().strip() in done.stdout + done.stderr]

    assert "nothing to do" in clone.run("plan", "all").stdout
    clone.run("deploy", "all")
    assert (platform.versions(), swarm_secrets(platform)) == before
    assert platform.get("", "/api/projects").status_code == 200
