"""Nobody comes into the database, or changes its cluster, without a password."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from swarm.settings import postgres
from swarm.settings.environment import ROOT
from swarm.stacks import stack
from swarm.stacks.targets import Target
from tests.unit.swarm.conftest import ENV, Make

IMAGE = ROOT / "images" / "postgres"
PASSWORDS = {
    "patroni": "it's: the \\ member's", "postgres": "one", "replication": "two", "rewind": "three",
}  # fmt: skip


def unsafe(lines: list[str]) -> list[str]:
    """Lines of pg_hba that let somebody in without a password; inside the container the superuser may."""
    rules = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return [" ".join(rule) for rule in rules if not _safe(rule)]


def _safe(rule: list[str]) -> bool:
    place, _, user, *_, method = rule
    return method == "scram-sha-256" or (place, user, method) == ("local", "postgres", "peer")


def test_a_single_server_asks_everybody_for_a_password() -> None:
    lines = (IMAGE / "pg_hba.conf").read_text().splitlines()
    assert "host   all  all       all  scram-sha-256" in lines
    assert unsafe(lines) == []
    assert "hba_file = '/etc/postgresql/pg_hba.conf'" in (IMAGE / "postgresql.conf").read_text()
    assert "--auth-host=scram-sha-256" in (IMAGE / "start-postgres").read_text()


@pytest.mark.parametrize("key", ["cluster.json", "bootstrap.yml"])
def test_a_cluster_asks_everybody_for_a_password_from_its_first_start(make: Make, key: str) -> None:
    configs = stack.render(make(f"{ENV}db: {{mode: ha}}\n"), Target("db")).configs
    (text,) = [item.content.decode() for item in configs if item.key == key]
    rendered = json.loads(text) if key == "cluster.json" else yaml.safe_load(text)["bootstrap"]["dcs"]
    lines = rendered["postgresql"]["pg_hba"]
    assert lines == list(postgres.HBA)
    assert unsafe(lines) == []
    assert any(line.split()[:4] == ["host", "all", "all", "all"] for line in lines)


def test_a_new_cluster_trusts_nobody_while_it_is_made(make: Make) -> None:
    configs = stack.render(make(f"{ENV}db: {{mode: ha}}\n"), Target("db")).configs
    (text,) = [item.content.decode() for item in configs if item.key == "bootstrap.yml"]
    initdb = yaml.safe_load(text)["bootstrap"]["initdb"]
    assert {"auth-local": "peer"} in initdb
    assert {"auth-host": "scram-sha-256"} in initdb
    assert "data-checksums" in initdb


def test_a_member_takes_changes_of_the_cluster_with_a_password_only(tmp_path: Path) -> None:
    for name, password in PASSWORDS.items():
        (tmp_path / f"{name}-password").write_text(password)
    script = (IMAGE / "start-patroni").read_text()
    functions = script[script.index("quoted()") : script.index('[ "$(id -u)" = 0 ]')]
    reading = (IMAGE / "own-volume").read_text()
    shell = f"set -eu\n{reading}\nsecrets={tmp_path}\n{functions}\nwrite_secrets"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
    told = yaml.safe_load(done.stdout)
    assert told["restapi"]["authentication"] == {"username": "patroni", "password": PASSWORDS["patroni"]}
    assert {role: found["password"] for role, found in told["postgresql"]["authentication"].items()} == {
        "superuser": "one", "replication": "two", "rewind": "three",
    }  # fmt: skip
    # Patroni reads the files of its folder in their order, and this one last.
    assert 'write_secrets >"$run/20-secrets.yml"' in script


def test_no_file_that_patroni_reads_later_takes_the_password_away(make: Make) -> None:
    configs = stack.render(make(f"{ENV}db: {{mode: ha}}\n"), Target("db")).configs
    (text,) = [item.content.decode() for item in configs if item.key == "patroni.yml"]
    assert yaml.safe_load(text)["restapi"].keys() == {"listen"}
    services = stack.render(make(f"{ENV}db: {{mode: ha}}\n"), Target("db")).services
    given = {name for service in services.values() for name in service.get("environment") or ()}
    assert not [name for name in given if name.startswith("PATRONI_RESTAPI_") and "CONNECT_ADDRESS" not in name]
