"""One server becomes a cluster and one server again, on data that stay: with --long, for it takes minutes."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from swarm.settings import environment
from tests.e2e.conftest import FILE, NAME, Platform
from tests.support.waiting import until

LABELS = {
    "{name: node-2, role: worker, labels: {database: \"true\"}}":
        "{name: node-2, role: worker, labels: {database: \"true\", patroni: \"1\", etcd: \"1\"}}",
    "{name: node-3, role: worker, labels: {metrics: \"true\"}}":
        "{name: node-3, role: worker, labels: {metrics: \"true\", patroni: \"2\", etcd: \"2\"}}",
    "{name: node-4, role: worker}": "{name: node-4, role: worker, labels: {patroni: \"3\", etcd: \"3\"}}",
}  # fmt: skip
SYSTEM = "select system_identifier from pg_control_system()"
NOTES = "select coalesce(string_agg(word, ' ' order by word), '-') from notes"


@pytest.fixture
def single(platform: Platform, long: bool) -> Iterator[Platform]:
    """The platform with one server, whose nodes could have a cluster; one server again at the end."""
    if not long:
        pytest.skip("the mode of the database changes three times: --long")
    before = FILE.read_text()
    text = before
    for old, new in LABELS.items():
        assert old in text
        text = text.replace(old, new)
    FILE.write_text(text)
    platform.run("swarm.init")
    yield platform
    FILE.write_text(text)
    platform.run("deliver", "db")
    FILE.write_text(before)


def changed(platform: Platform, mode: str) -> Platform:
    """The platform after the mode of its database was changed by a deploy."""
    plain = FILE.read_text().replace("db: {mode: ha}\n", "")
    FILE.write_text(plain + ("db: {mode: ha}\n" if mode == "ha" else ""))
    planned = platform.run("plan", "db", check=False)
    assert ("switching to a cluster" if mode == "ha" else "switching to a single server") in planned.stdout
    platform.run("deliver", "db")
    return replace(platform, environment=environment.load(NAME, platform.process))


@pytest.mark.timeout(1500, func_only=True)
def test_the_mode_changes_both_ways_and_again_and_what_former_members_hold_never_comes_back(single: Platform) -> None:
    before, system = single.fingerprint(), single.sql("postgres", SYSTEM)
    single.sql("devstats", "drop table if exists notes; create table notes (word text); insert into notes values ('a')")

    cluster = changed(single, "ha")
    assert cluster.fingerprint() == before
    assert (cluster.sql("postgres", SYSTEM), cluster.sql("devstats", NOTES)) == (system, "a")
    cluster.sql("devstats", "insert into notes values ('b')")
    # The volume that stays is that of the first member, whoever leads.
    cluster.run("db.switchover", "--to", "patroni2")
    cluster.sql("devstats", "insert into notes values ('c')")

    one = changed(cluster, "single")
    assert one.fingerprint() == before
    assert (one.sql("postgres", SYSTEM), one.sql("devstats", NOTES)) == (system, "a b c")
    # What members and etcd were left with knows nothing of this.
    one.sql("devstats", "insert into notes values ('d')")

    again = changed(one, "ha")
    assert again.fingerprint() == before
    assert (again.sql("postgres", SYSTEM), again.sql("devstats", NOTES)) == (system, "a b c d")
    for number in (1, 2, 3):
        argv = ("psql", "-XAtq", "-d", "devstats", "-c", NOTES)
        said = until("an answer", lambda n=number, a=argv: again.inside(f"db_patroni{n}", *a, user="postgres"))
        assert said.strip() == "a b c d"
    again.sql("devstats", "drop table notes")
    assert changed(again, "single").fingerprint() == before
