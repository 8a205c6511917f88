"""The cluster is looked after by verbs: status, settings, a switchover, a rolling deploy, a member copied anew."""

import json
import re
import time
from functools import partial

import pytest

from swarm.settings import secrets
from tests.e2e.conftest import FILE, Platform
from tests.e2e.support.members import leader, until_whole
from tests.e2e.support.writer import Writer, undisturbed
from tests.support.waiting import until

# Each member that restarts ends its readers' sessions, and a setting that goes down again takes the followers twice.
ROLLING = 12


def test_the_status_has_all_members_slots_and_databases(platform: Platform) -> None:
    found = json.loads(platform.run("db.status", "--json").stdout)
    assert [item["role"] for item in found["members"]].count("leader") == 1
    assert len(found["members"]) == len(found["slots"]) + 1
    assert {"devstats", "apache", "rust_lang"} <= {name for name, _, _ in found["databases"]}
    assert re.search(r"patroni\d +leader +running", platform.run("db.status").stdout)


def test_psql_writes_at_the_leader_and_only_reads_elsewhere(platform: Platform) -> None:
    made = "create table if not exists notes (n int); truncate notes; insert into notes values (7); select n from notes"
    assert "7" in platform.run("db.psql", "--command", made).stdout
    assert "7" in platform.run("db.psql", "--ro", "--command", "select n from notes").stdout
    refused = platform.run("db.psql", "--ro", "--command", "insert into notes values (8)", check=False)
    assert refused.returncode != 0
    assert "read-only transaction" in refused.stderr + refused.stdout
    assert platform.run("db.psql", "apachee", "--command", "select 1", check=False).returncode == 64
    platform.run("db.psql", "--command", "drop table notes")


def test_a_switchover_costs_seconds_and_no_row(writer: Writer) -> None:
    platform = writer.platform
    until_whole(platform)
    led, began = leader(platform), time.time()
    platform.run("db.switchover")
    assert leader(platform) not in ("", led)
    undisturbed(writer, "switchover", began)
    assert platform.run("db.switchover", "--to", "patroni9", check=False).returncode == 64


@pytest.mark.timeout(900, func_only=True)
def test_a_setting_that_needs_a_restart_reaches_all_members_one_by_one(writer: Writer) -> None:
    platform, before = writer.platform, FILE.read_text()
    until_whole(platform)
    began = time.time()
    try:
        FILE.write_text(before.replace("mode: ha", "mode: ha\n  parameters: {max_locks_per_transaction: 96}"))
        (changed,) = json.loads(platform.run("db.config", "--changed", "--json").stdout)
        assert changed["name"] == "postgresql.parameters.max_locks_per_transaction"
        platform.run("deploy", "db")
        assert json.loads(platform.run("db.config", "--changed", "--json").stdout) == []
        show = ("psql", "-XAtqc", "show max_locks_per_transaction")
        for number in range(1, platform.environment.database.members + 1):
            # Docker now and then loses the output of a command that ends at once.
            said = until("an answer", partial(platform.inside, f"db_patroni{number}", *show, user="postgres"))
            assert said.strip() == "96"
        undisturbed(writer, "rolling restart", began, few=ROLLING)
    finally:
        FILE.write_text(before)


@pytest.mark.timeout(900, func_only=True)
def test_the_setting_goes_back_and_a_new_image_of_members_replaces_their_tasks_the_leader_last(writer: Writer) -> None:
    platform = writer.platform
    began = time.time()
    platform.run("deploy", "db")
    assert json.loads(platform.run("db.config", "--changed", "--json").stdout) == []
    undisturbed(writer, "back again", began, few=ROLLING)
    began = time.time()
    platform.run("restart", "db/patroni2" if leader(platform) != "patroni2" else "db/patroni1")
    until_whole(platform)
    undisturbed(writer, "a new task", began)


def test_a_member_is_copied_anew_while_rows_go_on(writer: Writer) -> None:
    platform = writer.platform
    until_whole(platform)
    led = leader(platform)
    follower = next(name for name in ("patroni1", "patroni2") if name != led)
    refused = platform.run("db.reinit", led, "--yes", check=False)
    assert (refused.returncode, "is the leader and cannot be reinitialized" in refused.stdout + refused.stderr) == (
        89,
        True,
    )
    began = time.time()
    platform.run("db.reinit", follower, "--yes")
    until_whole(platform)
    undisturbed(writer, "reinit", began)


def test_no_password_is_in_any_argv_specification_log_or_rendered_file(platform: Platform) -> None:
    folder = platform.environment.secrets
    sealed = {path.stem: secrets.read(path) for path in folder.glob("*.secret") if not path.name.startswith(".")}
    words = {name: secret.reveal() for name, secret in sealed.items() if secret}
    assert {"postgres-password", "replication-password", "rewind-password", "patroni-password"} <= words.keys()
    haystacks = {"specifications": json.dumps(platform.engine.services.list())}
    for stack in ("db", "admin"):
        haystacks[f"render {stack}"] = platform.run("render", stack).stdout
    haystacks["logs"] = platform.run("logs", "db").stdout
    for number in range(1, platform.environment.database.members + 1):
        script = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' '\\n'"
        haystacks[f"patroni{number}"] = platform.inside(f"db_patroni{number}", "sh", "-c", script)
        # Whatever lies on a disk: the data, and the whole image.
        script = (
            "for s in /run/secrets/*; do cat $s; echo; done | grep -rlF -f - /var/lib/postgresql /etc /usr/local /tmp"
        )
        assert platform.inside(f"db_patroni{number}", "sh", "-c", f"{script} || true", user="root").strip() == ""
    found = [(name, place) for name, word in words.items() for place, text in haystacks.items() if word in text]
    assert found == []
