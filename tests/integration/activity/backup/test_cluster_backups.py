"""Backups of a real cluster by real pgBackRest, and the way back."""

import json
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.activity.backup.conftest import VOLUME, Cluster
from tests.support.waiting import HANG, until


@pytest.fixture(scope="module")
def backed(cluster: Cluster) -> Cluster:
    """The cluster with a full backup."""
    cluster.run("backup", "cluster", "--full")
    return cluster


def test_a_cluster_without_backups_says_so_and_cannot_be_verified(cluster: Cluster) -> None:
    told = cluster.shown()
    assert told["cluster"] == []
    assert told["problem"]
    done = cluster.run("backup", "verify", code=72)
    assert "There is no backup to verify yet" in done.stderr


def test_a_differential_backup_follows_a_full_one_and_both_are_listed(backed: Cluster) -> None:
    done = backed.run("backup", "cluster")
    assert done.stdout.startswith("diff backup ")
    told = backed.shown()
    assert [item["kind"] for item in told["cluster"]] == ["full", "diff"]
    assert told["problem"] == ""
    assert {item["kind"] for item in told["failures"]} <= {"verify"}
    kinds = backed.sql("devstats", "select string_agg(kind, ' ' order by id) from backups where not failed")
    assert kinds == "full differential"


def test_the_newest_backup_restores_and_every_row_of_it_is_read(backed: Cluster) -> None:
    backed.sql("apache", "create table since_the_backup as select generate_series(1, 500) i")
    backed.sql("postgres", "select pg_switch_wal()")
    _archived(backed)
    done = backed.run("backup", "verify")
    assert "indexes and checksums are intact" in done.stdout
    assert backed.shown()["verified"]["words"] in done.stdout
    counted = sum(
        int(backed.sql(name, "select count(*) from numbers")) for name in ("apache", "rust-lang")
    ) + backed.sql("apache", "select count(*) from since_the_backup")
    assert int(done.stdout.split(" rows read")[0].split()[-1]) >= counted


# pgBackRest on a disk that damages a page of what is restored: in template0, to which nobody connects.
DAMAGING = """#!/bin/sh
/usr/bin/pgbackrest "$@" || exit
for word in "$@"; do
    case $word in --pg1-path=*) data=${word#*=} ;; esac
done
case " $* " in
    *" restore "*) printf damaged | dd of="$data/base/4/1255" bs=1 seek=20000 conv=notrunc 2>/dev/null ;;
esac
"""


def test_damage_that_no_reader_meets_is_found_by_its_checksum(backed: Cluster) -> None:
    script = backed.folder / "damaging"
    script.write_text(DAMAGING)
    script.chmod(0o755)
    backed.more_mounts[str(script)] = {"bind": "/usr/local/bin/pgbackrest", "mode": "ro"}
    try:
        done = backed.run("backup", "verify", code=72)
    finally:
        backed.more_mounts.clear()
    assert "pg_checksums exited with 1" in done.stderr
    assert "checksum verification failed" in done.stderr


def test_a_backup_restores_also_when_the_server_takes_more_connections_since(backed: Cluster) -> None:
    backed.sql("postgres", "alter system set max_connections = 333")
    backed.stop()
    backed.start()
    backed.sql("apache", "create table with_more_connections as select generate_series(1, 7) i")
    _archived(backed)
    try:
        assert "indexes and checksums are intact" in backed.run("backup", "verify").stdout
    finally:
        backed.sql("postgres", "alter system reset max_connections")


def test_a_damaged_backup_does_not_verify_and_the_failure_is_on_record(backed: Cluster) -> None:
    # What the newest one, a differential, takes from the full one before it.
    full = next(item["label"] for item in backed.shown()["cluster"] if item["kind"] == "full")
    folder = f"/data/backups/cluster/backup/main/{full}"
    backed.shell(
        f"for f in $(find {folder}/bundle -type f -size +100k); do cp -a $f $f.whole;"
        " dd if=/dev/zero of=$f bs=1k seek=20 count=40 conv=notrunc 2>/dev/null; done"
    )
    try:
        # By itself pgBackRest reads what is damaged three times, the last time after 15 seconds.
        done = backed.run("backup", "verify", code=72, PGBACKREST_JOB_RETRY="0")
        assert "pgbackrest exited with" in done.stderr
    finally:
        backed.shell(f"for f in $(find {folder} -name '*.whole'); do mv $f ${{f%.whole}}; done")
    # Until the next one that succeeds, below.
    assert [item["kind"] for item in backed.shown()["failures"]] == ["verify"]


def test_backups_of_damaged_data_are_failures_and_cost_no_backup_that_is_whole(backed: Cluster) -> None:
    whole = [item["label"] for item in backed.shown()["cluster"]]
    backed.sql("apache", "create table damaged as select generate_series(1, 10000) i")
    file = str(backed.sql("apache", "select pg_relation_filepath('damaged')"))
    backed.stop()
    backed.shell(f"printf damaged | dd of={VOLUME}/main/{file} bs=1 seek=20000 conv=notrunc 2>/dev/null", "data")
    backed.start()
    # As many as are kept.
    for _ in range(2):
        done = backed.run("backup", "cluster", "--full", code=72)
        assert "invalid checksums" in done.stderr
    told = backed.shown()
    assert [item["label"] for item in told["cluster"] if not item["broken"]] == whole
    assert "full" in {item["kind"] for item in told["failures"]}
    # A whole one and WAL have no damage.
    assert f"{whole[-1]} restored and replayed" in backed.run("backup", "verify").stdout
    backed.sql("apache", "drop table damaged")
    backed.run("backup", "cluster", "--full")
    kept = [item["broken"] for item in backed.shown()["cluster"] if item["kind"] == "full"]
    assert kept == [True, False]


def test_a_second_backup_at_the_same_time_is_refused_and_is_no_failure(backed: Cluster) -> None:
    held = backed.container.exec_run(
        ["sh", "-c", "mkdir -p /tmp/pgbackrest; exec flock /tmp/pgbackrest/main-backup-1.lock sleep 60"],
        user="postgres", detach=True,
    )  # fmt: skip
    assert held is not None
    until("the lock", lambda: backed.container.exec_run(["pgrep", "-f", "sleep 60"]).exit_code == 0)
    done = backed.run("backup", "cluster", code=75)
    assert "is running" in done.stderr
    assert backed.shown()["failures"] == []
    backed.container.exec_run(["pkill", "-f", "sleep 60"])
    until("the lock's end", lambda: backed.container.exec_run(["pgrep", "-f", "sleep 60"]).exit_code != 0)


def test_the_cluster_comes_back_as_it_was_the_second_before_a_table_was_dropped(backed: Cluster) -> None:
    backed.sql("apache", "create table precious as select i, md5(i::text) word from generate_series(1, 5000) i")
    before = backed.checksum("apache", "precious"), backed.checksum("rust-lang", "numbers")
    moment = datetime.fromisoformat(str(backed.sql("postgres", "select clock_timestamp()"))).astimezone(UTC)
    until("the next second", lambda: (datetime.now(UTC) - moment).total_seconds() > 1)
    backed.sql("apache", "drop table precious")
    backed.sql("apache", "create table afterwards (i int)")
    said = backed.run("backup", "flush").stdout.split()
    undo = ("--to", said[2], "--timeline", said[-1])
    backed.stop()

    done = backed.run("backup", "restore-volume", "--to", moment.isoformat(), volume="data")
    assert "kept in main.before-restore-" in done.stdout
    backed.start()
    assert (backed.checksum("apache", "precious"), backed.checksum("rust-lang", "numbers")) == before
    assert backed.sql("apache", "select to_regclass('afterwards')") is None
    assert backed.sql("postgres", "select pg_is_in_recovery()") is False
    # Nothing is left of the restore: a replica would copy a recovery target, and stop there.
    settings = backed.container.exec_run(
        ["cat", f"{VOLUME}/main/postgresql.auto.conf"], user="postgres"
    ).output.decode()
    assert "recovery" not in settings and "restore_command" not in settings
    # The archive goes on with the new timeline, and backups with it.
    backed.sql("apache", "insert into numbers values (0, 'after the restore')")
    backed.run("backup", "cluster")
    # And back along the timeline that was left.
    backed.stop()
    backed.run("backup", "restore-volume", *undo, volume="data")
    backed.start()
    assert backed.sql("apache", "select to_regclass('precious')") is None
    assert backed.sql("apache", "select to_regclass('afterwards')::text") == "afterwards"
    # The newest backup belongs to the timeline in between; one of this timeline makes the archive whole again.
    backed.run("backup", "cluster")
    assert "indexes and checksums are intact" in backed.run("backup", "verify").stdout
    assert backed.shown()["failures"] == []


def test_a_moment_that_the_archive_does_not_reach_is_refused_and_nothing_is_touched(backed: Cluster) -> None:
    before = backed.checksum("apache", "numbers")
    backed.stop()
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    done = backed.run("backup", "restore-volume", "--to", tomorrow, volume="data", code=72)
    assert "recovery ended before configured recovery target was reached" in done.stderr
    done = backed.run("backup", "restore-volume", "--to", "2001-01-01T00:00:00Z", volume="data", code=72)
    assert "unable to find backup set" in done.stderr or "recovery" in done.stderr
    # Replay without a goal ends where WAL is missing, without a word.
    later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    done = backed.run("backup", "restore-volume", "--at-least", later, volume="data", code=72)
    assert "WAL is missing from the archive" in done.stderr
    backed.start()
    assert backed.checksum("apache", "numbers") == before


def test_wal_that_is_not_archived_yet_outlives_a_restart(backed: Cluster) -> None:
    away, back = "mv /data/backups/cluster /data/backups/away", "mv /data/backups/away /data/backups/cluster"
    backed.shell(away)
    waiting = set[str]()
    for _ in range(12):
        waiting.add(str(backed.sql("postgres", "select pg_walfile_name(pg_current_wal_lsn())")))
        backed.sql("postgres", "select pg_switch_wal() from pg_create_restore_point('x')")
    backed.stop()
    backed.shell(back)
    backed.start()
    _archived(backed)
    kept = backed.shell("ls -R /data/backups/cluster/archive/main")
    assert not [name for name in waiting if f"{name}-" not in kept]


def test_a_restore_that_is_killed_at_any_point_leaves_what_was_there_or_what_it_brings(backed: Cluster) -> None:
    before = backed.checksum("apache", "numbers")
    backed.sql("postgres", "select pg_switch_wal()")
    _archived(backed)
    backed.sql("apache", "create table not_archived_yet (i int)")
    backed.stop()
    # Killed while it copies or replays.
    restoring = subprocess.Popen(backed.command(("backup", "restore-volume"), "data"), stderr=subprocess.DEVNULL)
    look = f"ls {VOLUME}/main.restoring/main/PG_VERSION 2>/dev/null || true"
    until("half a restore", lambda: restoring.poll() is not None or backed.shell(look, "data"), every=0.05)
    backed.kill_verbs()
    assert restoring.wait(HANG) != 0
    assert not held(backed)["restored"]
    # Killed when its result is whole and nothing has been renamed yet.
    backed.shell(f"mkdir -p {VOLUME}/main.restoring && touch {VOLUME}/restored", "data")
    backed.shell(f"cp -a {VOLUME}/main/PG_VERSION {VOLUME}/main.restoring/main 2>/dev/null; true", "data")
    assert not held(backed)["restored"]
    backed.start()
    assert backed.checksum("apache", "numbers") == before
    assert backed.sql("apache", "select to_regclass('not_archived_yet')::text") == "not_archived_yet"
    assert backed.shell(f"ls {VOLUME} | grep -e restoring -e restored || true", "data") == ""
    # Killed between the two renames: what it brings takes the place at the next start.
    backed.sql("apache", "drop table not_archived_yet")
    backed.stop()
    backed.run("backup", "restore-volume", volume="data")
    assert held(backed)["restored"]
    backed.shell(f"mkdir {VOLUME}/main.restoring && mv {VOLUME}/main {VOLUME}/main.restoring/main", "data")
    assert held(backed)["restored"]
    backed.start()
    assert backed.checksum("apache", "numbers") == before
    # Gone altogether: no empty database begins beside what was set aside.
    backed.stop()
    backed.shell(f"mv {VOLUME}/main {VOLUME}/gone", "data")
    backed.start_and_end("a restore was interrupted and its data is missing")
    backed.shell(f"mv {VOLUME}/gone {VOLUME}/main", "data")
    backed.start()
    backed.run("backup", "cluster")


def held(cluster: Cluster) -> dict[str, Any]:
    """What lies in the volume of the server, which is stopped."""
    told: dict[str, Any] = json.loads(cluster.run("backup", "state", volume="data").stdout)
    return told


def test_a_cluster_that_is_lost_with_its_volume_comes_back_into_an_empty_one(backed: Cluster) -> None:
    before = backed.checksum("rust-lang", "numbers")
    backed.sql("postgres", "select pg_switch_wal()")
    _archived(backed)
    backed.stop()
    done = backed.run("backup", "restore-volume", volume="fresh")
    assert "kept in" not in done.stdout
    backed.start("fresh")
    assert backed.checksum("rust-lang", "numbers") == before


def test_another_cluster_is_kept_out_of_the_repository(backed: Cluster) -> None:
    known = backed.shown()["cluster"]
    backed.stop()
    backed.start("other")
    done = backed.run("backup", "cluster", code=72)
    assert "rejected this cluster" in done.stderr
    assert "restore that with ./run db.restore" in done.stderr
    backed.stop()
    backed.start("fresh")
    assert backed.shown()["cluster"] == known


def test_the_keeper_makes_what_is_due_and_tells_its_age(backed: Cluster) -> None:
    argv = backed.command(("backup", "keep"), ACTIVITY_BACKUP_DUMPS="0 0 1 1 *")
    lines: list[str] = []
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as keeper:
        reader = threading.Thread(target=lambda: lines.extend(keeper.stderr or ()), daemon=True)
        reader.start()
        try:
            until("dumps of both projects", lambda: len(backed.shown()["dumps"]) >= 2, every=1)
        finally:
            keeper.terminate()
            assert keeper.wait(HANG) == 0
            reader.join()
    assert {item["project"] for item in backed.shown()["dumps"]} == {"apache", "rust-lang"}
    assert not [line for line in lines if " error " in line or " warning " in line]


def _archived(cluster: Cluster) -> None:
    """Wait until everything that is written is in the archive."""
    wanted = str(cluster.sql("postgres", "select pg_walfile_name(pg_current_wal_lsn())"))
    cluster.sql("postgres", "select pg_switch_wal()")
    until(
        f"{wanted} in the archive",
        lambda: (
            str(cluster.sql("postgres", "select coalesce(last_archived_wal, '') from pg_stat_archiver")) >= wanted
            or not int(
                cluster.sql("postgres", "select count(*) from pg_ls_archive_statusdir() where name like '%.ready'")
            )
        ),
    )
