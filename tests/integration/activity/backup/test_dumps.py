"""Dumps of projects, and one project's database brought back from one while others, and its own clients, go on."""

import subprocess
import threading
from contextlib import suppress
from typing import Any

import docker.errors
import psycopg2
import pytest

from tests.integration.activity.backup.conftest import Cluster
from tests.support.waiting import HANG, until

EXTENSIONS = "select string_agg(extname, ', ' order by extname) from pg_extension where extname <> 'plpgsql'"


@pytest.fixture(scope="module")
def dumped(cluster: Cluster) -> Cluster:
    """The cluster with a dump of one project."""
    cluster.run("backup", "dump", "apache")
    return cluster


def test_a_dump_tells_what_it_holds_and_has_its_name_only_when_it_is_whole(dumped: Cluster) -> None:
    (told,) = [item for item in dumped.shown()["dumps"] if item["project"] == "apache"]
    listed = dumped.shell("cd /data/backups/dumps/apache && ls -l && sha256sum *.dump")
    assert f"{told['sha256']}  {told['name']}" in listed
    assert told["rows"] >= 20000
    assert ".part" not in listed
    assert f"{told['bytes']}" in listed


def test_a_dump_that_is_killed_leaves_nothing_under_a_final_name(dumped: Cluster) -> None:
    # Enough for several seconds, and nothing for the log.
    rows = "select i, md5(i::text) || md5((-i)::text) w from generate_series(1, 2000000) i"
    dumped.sql("rust-lang", f"create unlogged table big as {rows}")
    before = dumped.shell("cd /data/backups/dumps && ls rust-lang 2>/dev/null || true")
    dumping = subprocess.Popen(dumped.command(("backup", "dump", "rust-lang"), ACTIVITY_BACKUP_KEEP_DUMPS="1"))
    look = "cat /data/backups/dumps/rust-lang/*.part 2>/dev/null | wc -c"
    until("half a dump", lambda: dumping.poll() is not None or int(dumped.shell(look)) > 0, every=0.05)
    dumped.kill_verbs()
    assert dumping.wait(HANG) != 0
    assert "rust-lang-" not in dumped.shell("ls /data/backups/dumps/rust-lang").replace(before.strip(), "")
    dumped.run("backup", "dump", "rust-lang")
    assert ".part" not in dumped.shell("ls /data/backups/dumps/rust-lang")
    dumped.sql("rust-lang", "drop table big")


def test_only_so_many_dumps_of_a_project_stay(dumped: Cluster) -> None:
    for _ in range(3):
        newest = dumped.run("backup", "dump", "rust-lang", ACTIVITY_BACKUP_KEEP_DUMPS="2").stdout.strip()
    names = [item["name"] for item in dumped.shown()["dumps"] if item["project"] == "rust-lang"]
    assert len(names) == 2
    assert newest in names


def test_a_project_comes_back_from_its_dump_while_its_clients_go_on(dumped: Cluster) -> None:
    before = dumped.checksum("apache", "numbers")
    dumped.run("backup", "dump", "apache")
    dumped.sql("apache", "delete from numbers where i % 2 = 0; update numbers set word = 'spoiled'")
    other = dumped.checksum("rust-lang", "numbers")
    loads = (
        Load(dumped, "apache", "gha_admin", "update numbers set word = 'and again' where i = 1"),
        Load(dumped, "apache", "ro_user", "select count(*) from numbers"),
        Load(dumped, "rust-lang", "gha_admin", "select sum(i) from numbers"),
    )
    with loads[0], loads[1] as reader, loads[2] as neighbour:
        done = dumped.run("backup", "restore", "apache")
        marks = [load.done for load in loads]
        until("all go on", lambda: all(load.done > mark for load, mark in zip(loads, marks, strict=True)))
    assert "the former database is kept as apache_before_restore" in done.stdout
    dumped.sql("apache", "update numbers set word = md5(i::text) where i = 1")
    assert dumped.checksum("apache", "numbers") == before
    assert dumped.checksum("rust-lang", "numbers") == other
    assert neighbour.failed == 0
    assert reader.failed <= 5
    assert dumped.sql("apache_before_restore", "select count(*) from numbers where word = 'spoiled'") > 0
    assert dumped.sql("apache", EXTENSIONS) == "hll, pgcrypto"
    # Rights are as before: the owner owns, the readers read, nobody else comes in.
    assert dumped.sql("apache", "select tableowner from pg_tables where tablename = 'numbers'") == "gha_admin"
    assert dumped.sql("postgres", "select has_database_privilege('public', 'apache', 'connect')") is False
    with pytest.raises(psycopg2.Error, match="permission denied"):
        dumped.sql("apache", "delete from numbers", user="ro_user")


def test_a_dump_from_before_the_extensions_comes_back_with_them_and_one_with_them_takes_no_superuser(
    dumped: Cluster,
) -> None:
    name = dumped.run("backup", "dump", "apache").stdout.split()[-1]
    restoring = (
        "createdb -h $0 -U gha_admin plain && "
        "pg_restore -h $0 -U gha_admin --no-owner --no-privileges --exit-on-error "
        "--dbname=plain /data/backups/dumps/apache/$1"
    )
    password = (dumped.folder / "secrets" / "gha-admin-password").read_text()
    dumped.client.containers.run(
        dumped.references["backup"],
        ["-c", restoring, dumped.host, name],
        entrypoint="sh",
        remove=True,
        environment={"PGPASSWORD": password},
        volumes=dumped.mounts,
    )
    assert dumped.sql("plain", EXTENSIONS) == "hll, pgcrypto"
    assert dumped.checksum("plain", "numbers") == dumped.checksum("apache", "numbers")
    dumped.sql("postgres", "drop database plain")
    dumped.sql("apache", "drop extension hll")
    dumped.sql("apache", "alter default privileges in schema public revoke select on tables from ro_user")
    dumped.run("backup", "dump", "apache")
    dumped.run("backup", "restore", "apache")
    assert dumped.sql("apache", EXTENSIONS) == "hll, pgcrypto"
    dumped.sql("apache", "create table by_hand as select 7 as n")
    assert dumped.sql("apache", "select n from by_hand", user="ro_user") == 7


def test_a_damaged_dump_is_refused_and_nothing_is_changed(dumped: Cluster) -> None:
    name = dumped.run("backup", "dump", "apache").stdout.strip()
    before = dumped.checksum("apache", "numbers")
    dumped.shell(f"printf x | dd of=/data/backups/dumps/apache/{name} bs=1 seek=5000 conv=notrunc 2>/dev/null")
    done = dumped.run("backup", "restore", "apache", code=72)
    assert f"{name} is damaged" in done.stderr
    assert dumped.checksum("apache", "numbers") == before
    dumped.shell(f"rm /data/backups/dumps/apache/{name}")


def test_a_dump_of_then_or_before_is_chosen_by_time_and_one_that_is_not_there_is_told(dumped: Cluster) -> None:
    done = dumped.run("backup", "restore", "apache", "--to", "2001-01-01", code=72)
    assert "There is no dump of apache of 2001-01-01 00:00:00+00:00 or before. Dumps: apache-2" in done.stderr
    assert dumped.run("backup", "restore", "apache", "--dry", "--to", "2099-01-01").stdout.startswith("{")
    assert "Project 'apachee' not found" in dumped.run("backup", "restore", "apachee", code=64).stderr


def test_a_password_stands_in_no_argument_and_no_environment_of_a_process(dumped: Cluster) -> None:
    passwords = [path.read_text() for path in (dumped.folder / "secrets").iterdir()]
    found: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        script = "for f in /proc/[0-9]*; do tr '\\0' ' ' <$f/cmdline; tr '\\0' ' ' <$f/environ; done 2>/dev/null; true"
        while not done.is_set():
            for container in dumped.containers():
                # One that has ended meanwhile has nothing to show.
                with suppress(docker.errors.APIError):
                    found.add(container.exec_run(["sh", "-c", script], user="postgres").output.decode(errors="replace"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        dumped.run("backup", "dump", "apache")
        dumped.run("backup", "restore", "apache")
    finally:
        done.set()
        watcher.join()
    seen = "\n".join(found)
    assert "pg_dump" in seen or "pg_restore" in seen
    assert not [password for password in passwords if password in seen]


def test_vacuum_leaves_no_dead_rows_and_knows_the_tables(dumped: Cluster) -> None:
    dumped.sql("apache", "update numbers set word = word where i <= 5000")
    assert dumped.run("backup", "vacuum", "apache").stdout.startswith("apache: ")
    statement = "select n_dead_tup from pg_stat_user_tables where relname = 'numbers' and last_vacuum is not null"
    until("no dead rows", lambda: dumped.sql("apache", statement) == 0)


class Load:
    """One statement again and again on its own connection, which is made anew whenever it is lost."""

    def __init__(self, cluster: Cluster, database: str, user: str, statement: str) -> None:
        self.cluster, self.database, self.user, self.statement = cluster, database, user, statement
        self.done = self.failed = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Load":
        self._thread.start()
        until("the first statement", lambda: self.done)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        connection: Any = None
        while not self._stop.is_set():
            try:
                connection = connection or self.cluster.connect(self.database, self.user)
                with connection.cursor() as cursor:
                    cursor.execute(self.statement)
                self.done += 1
            except psycopg2.Error:
                self.failed += 1
                connection = None
