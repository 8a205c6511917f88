"""One server that becomes a cluster of members, whose backups and WAL go on when another member leads."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg2
import pytest
from psycopg2.extras import PhysicalReplicationConnection

from swarm.database.config import PARAMETERS, Setting, with_states
from swarm.database.members import query
from tests.integration.activity.backup.support.patroni_cluster import Members, members, settle
from tests.support.waiting import HANG, until

REPOSITORY, AWAY = "/data/backups/cluster", "/data/backups/away"
SUM = "select md5(string_agg(t::text, ',' order by i)) from numbers t"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Members]:
    """One server with a table."""
    with members() as made:
        made.single()
        until("Postgres", lambda: made.answers("postgres"))
        made.sql("postgres", "create table numbers as select i, md5(i::text) word from generate_series(1, 20000) i")
        yield made


@pytest.fixture(scope="module")
def whole(cluster: Members) -> tuple[Members, str]:
    """The cluster that the server became, and the checksum of the table before."""
    before = str(cluster.sql("postgres", SUM))
    # In mode single it made the roles that members use.
    _bootstrap(cluster, "db_postgres", "5432")
    cluster.etcd()
    cluster.haproxy()
    cluster.member("patroni2")
    # It is there first, its volume is empty, nobody leads, and it must not begin a cluster of its own.
    until("its wait", lambda: "waiting for leader to bootstrap" in cluster.said("patroni2"))
    cluster.end("postgres")
    held = cluster.held("patroni1")
    assert (held["alone"], held["follows"], held["restored"], held["timeline"]) == (True, False, False, 1)
    cluster.member("patroni1")
    settle(cluster)
    return cluster, before


def _bootstrap(cluster: Members, host: str, port: str) -> None:
    given = {"ACTIVITY_DATABASE_HOST": host, "ACTIVITY_DATABASE_PORT": port, "ACTIVITY_DATABASE_PORT_READ": port}
    cluster.run("bootstrap", image="activity", **given)


def test_a_server_becomes_the_first_member_and_the_others_copy_it_whoever_starts_first(
    whole: tuple[Members, str],
) -> None:
    cluster, before = whole
    assert cluster.leader() == "patroni1"
    for name in ("patroni1", "patroni2"):
        assert cluster.sql(name, SUM) == before
    system = "select system_identifier from pg_control_system()"
    assert cluster.sql("patroni1", system) == cluster.sql("patroni2", system)


def test_what_the_leader_does_not_take_of_what_the_cluster_is_told_is_seen_and_nothing_else(
    whole: tuple[Members, str],
) -> None:
    cluster, _ = whole
    assert _refused(cluster) == {}
    change = {"wrok_mem": "9MB", "deadlock_timeout": "0", "work_mem": "9MB", "enable_sort": "perhaps"}
    _tell(cluster, change)
    try:
        until("the new settings", lambda: cluster.sql("patroni1", "show work_mem") == "9MB")
        assert _refused(cluster) == {"wrok_mem": None, "deadlock_timeout": "1", "enable_sort": None}
    finally:
        _tell(cluster, dict.fromkeys(change))


def _tell(cluster: Members, parameters: dict[str, str | None]) -> None:
    script = 'curl -fsS -u "patroni:$(cat /run/secrets/patroni-password)" -X PATCH -d "$0" http://127.0.0.1:8008/config'
    body = json.dumps({"postgresql": {"parameters": parameters}})
    done = cluster.containers["patroni1"].exec_run(["sh", "-c", script, body])
    assert done.exit_code == 0, done.output


def _refused(cluster: Members) -> dict[str, str | None]:
    """The parameters that the cluster is told and that its leader did not take, with what it has instead."""
    said = cluster.containers["patroni1"].exec_run(["curl", "-fsS", "http://127.0.0.1:8008/config"]).output
    told = json.loads(said)["postgresql"]["parameters"]
    rows = cluster.sql("patroni1", f"select json_agg(told) from ({query('taken')}) told (name, value, place)")
    taken = {row["name"]: (row["value"], row["place"]) for row in rows}
    found = [with_states(Setting(f"{PARAMETERS}{name}", str(value), str(value)), taken) for name, value in told.items()]
    return {item.name.removeprefix(PARAMETERS): item.actual for item in found if item.refused}


@pytest.mark.parametrize("server", ["patroni1", "patroni2", "haproxy"])
@pytest.mark.parametrize("user", ["postgres", "gha_admin", "ro_user", "replicator", "rewind"])
def test_nobody_comes_into_the_database_without_the_password(
    whole: tuple[Members, str], server: str, user: str
) -> None:
    cluster, _ = whole
    for password in ("", "wrong"):
        with pytest.raises(psycopg2.OperationalError, match=r"no password supplied|password authentication failed"):
            cluster.connect(server, password, user)


@pytest.mark.parametrize("member", ["patroni1", "patroni2"])
def test_nobody_copies_a_member_without_the_password(whole: tuple[Members, str], member: str) -> None:
    cluster, _ = whole
    for password in ("", "wrong"):
        with pytest.raises(psycopg2.OperationalError, match=r"no password supplied|password authentication failed"):
            cluster.connect(member, password, "replicator", connection_factory=PhysicalReplicationConnection)


@pytest.mark.parametrize("member", ["patroni1", "patroni2"])
def test_nobody_changes_the_cluster_over_http_without_the_password(whole: tuple[Members, str], member: str) -> None:
    cluster, _ = whole
    asked = [
        ("PATCH", "config"), ("PUT", "config"), ("POST", "restart"), ("POST", "reload"), ("POST", "reinitialize"),
        ("POST", "switchover"), ("POST", "failover"), ("DELETE", "restart"), ("DELETE", "switchover"),
    ]  # fmt: skip
    for login in ([], ["--user", "patroni:wrong"]):
        for method, path in asked:
            argv = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *login, "-X", method, "-d", "{}"]
            said = cluster.containers["patroni1"].exec_run([*argv, f"http://db_{member}:8008/{path}"])
            assert said.output.decode() == "401", f"{method} /{path}"


def test_wal_a_differential_and_a_full_backup_go_on_when_the_leader_was_killed(
    whole: tuple[Members, str],
) -> None:
    cluster, _ = whole
    assert "full backup" in cluster.run("backup", "cluster", "--full")
    cluster.sql("haproxy", "insert into numbers values (0, 'before the switch')")
    before = str(cluster.sql("haproxy", SUM))
    moment = _then(cluster)
    waiting = _not_archived(cluster)
    # Without a word: nobody archives what the leader has not, unless the next one does.
    cluster.end("patroni1", kill=True)
    cluster.containers["patroni2"].exec_run(["mv", AWAY, REPOSITORY])
    until("another leader", lambda: cluster.leader() == "patroni2")
    until("its address", lambda: cluster.answers("haproxy"))
    until(f"{waiting} in the archive", lambda: not [name for name in waiting if f"{name}-" not in _archive(cluster)])
    cluster.sql("haproxy", "delete from numbers where i <= 1000")
    after, later = str(cluster.sql("haproxy", SUM)), _then(cluster)
    assert "is archived, timeline 3" in cluster.run("backup", "flush")
    cluster.member("patroni1")
    settle(cluster)
    assert "diff backup" in cluster.run("backup", "cluster")
    assert "full backup" in cluster.run("backup", "cluster", "--full")
    cluster.marks = [(later, after), (moment, before)]


def test_a_member_leads_when_it_is_asked_to(
    whole: tuple[Members, str],
) -> None:
    cluster, _ = whole
    settle(cluster)
    led = cluster.leader()
    follower = next(name for name in ("patroni1", "patroni2") if name != led)
    code, said = cluster.containers[follower].exec_run(["patroni-member", "lead"])
    assert (code, cluster.leader()) == (0, follower), said


def test_one_server_goes_on_with_the_volume_of_the_leader_and_refuses_that_of_a_follower(
    whole: tuple[Members, str],
) -> None:
    cluster, _ = whole
    if cluster.leader() != "patroni1":
        assert cluster.containers["patroni1"].exec_run(["patroni-member", "lead"]).exit_code == 0
    settle(cluster)
    before = str(cluster.sql("haproxy", SUM))
    for name in ("patroni2", "patroni1", "etcd1"):
        cluster.end(name)
    mine, other = cluster.held("patroni1"), cluster.held("patroni2")
    assert (mine["timeline"], mine["checkpoint"]) >= (other["timeline"], other["checkpoint"])
    assert (mine["cluster"], mine["alone"], mine["follows"]) == (other["cluster"], False, False)
    assert other["follows"]
    cluster.start("refused", "postgres", [], volume="patroni2")
    assert cluster.containers["refused"].wait(timeout=HANG)["StatusCode"] == 64
    assert "this volume holds a replica" in cluster.said("refused")
    cluster.single()
    until("Postgres", lambda: cluster.answers("postgres"))
    assert cluster.sql("postgres", SUM) == before


def test_moments_before_and_after_the_switch_are_reached_from_a_backup_of_the_timeline_before_it(
    whole: tuple[Members, str],
) -> None:
    cluster, _ = whole
    for to, found in cluster.marks:
        cluster.run("backup", "restore-volume", "--to", to.isoformat(), volume="scratch")
        cluster.start("restored", "postgres", [], volume="scratch")
        until("the restored server", lambda: cluster.answers("restored"))
        assert cluster.sql("restored", SUM) == found
        cluster.end("restored")


def _not_archived(cluster: Members) -> list[str]:
    """Take the archive away, and write segments of WAL that have to wait for it; their names."""
    cluster.containers["patroni1"].exec_run(["mv", REPOSITORY, AWAY])
    waiting = []
    for _ in range(4):
        waiting.append(str(cluster.sql("haproxy", "select pg_walfile_name(pg_current_wal_lsn())")))
        cluster.sql("haproxy", "select pg_switch_wal() from pg_create_restore_point('x')")
    # A commit waits until the other member has all of that.
    cluster.sql("haproxy", "create table after_what_waits (i int)")
    return waiting


def _archive(cluster: Members) -> str:
    """Everything that lies in the archive, as patroni2 sees it."""
    return str(cluster.containers["patroni2"].exec_run(["ls", "-R", f"{REPOSITORY}/archive"]).output.decode())


def _then(cluster: Members) -> datetime:
    """This moment by the server's clock, once the next second has come."""
    moment = datetime.fromisoformat(str(cluster.sql("haproxy", "select clock_timestamp()"))).astimezone(UTC)
    until("the next second", lambda: (datetime.now(UTC) - moment).total_seconds() > 1)
    return moment
