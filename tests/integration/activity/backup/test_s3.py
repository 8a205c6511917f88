"""Backups and WAL in a bucket instead of the shared storage, by the setting alone, and the way back from it."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import pytest

from tests.integration.activity.backup.support.patroni_cluster import Members, members
from tests.support.waiting import until

HOST, BUCKET = "s3.test", "swarmstats"
CA = "/data/backups/s3-ca.pem"
MORE = f"""
stacks:
  db:
    backup_s3: {{bucket: {BUCKET}, endpoint: {HOST}, region: eu-central-1, path: /lab, uri_style: path, ca_file: {CA}}}
"""
KEYS = {"backup-s3-key": "AKIATESTTESTTESTTEST", "backup-s3-key-secret": "it is a key: and no word of it is told"}
SUM = "select md5(string_agg(t::text, ',' order by i)) from numbers t"
OBJECTS = f"""
import boto3
client = boto3.client("s3", endpoint_url="https://{HOST}", verify="/run/s3/ca.pem", region_name="eu-central-1",
                      aws_access_key_id="a", aws_secret_access_key="b")
if not client.list_buckets()["Buckets"]:
    client.create_bucket(Bucket="{BUCKET}", CreateBucketConfiguration={{"LocationConstraint": "eu-central-1"}})
for item in client.list_objects_v2(Bucket="{BUCKET}").get("Contents", ()):
    print(item["Key"])
"""
SILENT = """
import socket, time
door = socket.create_server(("", 443), backlog=100)
while True:
    taken = door.accept()
    time.sleep(0.01)
"""
# The kernel drops what would connect while the queue of those that nobody takes is full.
FULL = """
import socket, time
door = socket.create_server(("", 443), backlog=0)
waiting = [socket.socket() for _ in range(4)]
for one in waiting:
    one.setblocking(False)
    one.connect_ex(("127.0.0.1", 443))
time.sleep(3600)
"""
CLOSED = "import time; time.sleep(3600)"
# It is given up after 12 seconds, where pgBackRest by itself tries for minutes; the rest is for a slow machine.
QUICK = 40.0


@pytest.fixture(scope="module")
def server() -> Iterator[Members]:
    """One server with a table that archives into the bucket."""
    with members(MORE, KEYS) as made:
        folder = Path(__file__).parent / "s3"
        made.references["s3"] = made.client.images.build(
            path=str(folder), buildargs={"BASE": made.references["etcd"]}, tag="swarmstats/tests-s3"
        )[0].id
        made.start("s3", "s3", [HOST], aliases=(HOST,))
        until("the bucket", lambda: made.containers["s3"].exec_run(["python3", "-c", OBJECTS]).exit_code == 0)
        made.share("s3", "/run/s3/ca.pem", CA)
        made.single()
        until("Postgres", lambda: made.answers("postgres"))
        made.sql("postgres", "create table numbers as select i, md5(i::text) word from generate_series(1, 20000) i")
        host = {"ACTIVITY_DATABASE_HOST": "db_postgres", "ACTIVITY_DATABASE_PORT": "5432"}
        made.environ.update(host, ACTIVITY_DATABASE_PORT_READ="5432")
        made.run("bootstrap", image="activity")
        yield made


def objects(server: Members) -> list[str]:
    said = server.containers["s3"].exec_run(["python3", "-c", OBJECTS])
    assert said.exit_code == 0, said.output.decode()
    return list(said.output.decode().split())


def test_backups_and_wal_lie_in_the_bucket_and_a_restore_from_it_is_equal(server: Members) -> None:
    assert "full backup" in server.run("backup", "cluster", "--full")
    server.sql("postgres", "update numbers set word = 'changed' where i % 3 = 0")
    assert "diff backup" in server.run("backup", "cluster")
    server.sql("postgres", "delete from numbers where i % 5 = 0")
    before = server.sql("postgres", SUM)
    assert "is archived" in server.run("backup", "flush")
    kept = objects(server)
    assert any(name.startswith("lab/archive/main/") for name in kept)
    assert any(name.startswith("lab/backup/main/") and name.endswith("F/backup.manifest") for name in kept)
    assert "indexes and checksums are intact" in server.run("backup", "verify")
    server.end("postgres", kill=True)
    server.run("backup", "restore-volume", volume="fresh")
    server.start("restored", "postgres", [], volume="fresh")
    until("the restored server", lambda: server.answers("restored"))
    assert server.sql("restored", SUM) == before
    # Nothing of it went to the shared storage.
    assert server.containers["restored"].exec_run(["ls", "/data/backups/cluster"]).output.decode().strip() == ""


def test_the_keys_stand_in_no_specification_and_no_log(server: Members) -> None:
    for name in ("restored", "s3"):
        told = str(server.client.api.inspect_container(server.containers[name].id)) + server.said(name)
        assert not [key for key in KEYS if KEYS[key] in told and key != "backup-s3-key"]
    # The name of the key is part of every signed request; the key's secret never is.
    assert KEYS["backup-s3-key"] not in str(server.client.api.inspect_container(server.containers["restored"].id))


REASONS = {
    SILENT: "it accepts connections but does not respond",
    FULL: "it does not accept connections",
    CLOSED: "connection refused",
    "": "name or service not known",
}
# With a bucket that is silent nothing is begun on the leader, and no server stays stopped for minutes.
REFUSED = {"cluster": "", "verify": "", "restore-volume": "scratch"}


@pytest.fixture(scope="module")
def answers(server: Members) -> dict[tuple[str, str], str]:
    """What verbs say of each bucket that does not answer, by its script and the verb; asked at once, as all wait."""
    server.environ["ACTIVITY_DATABASE_HOST"] = "db_restored"
    server.end("s3", kill=True)
    server.run("series", "--project", "apache")
    server.run("backup", "dump", "apache")
    addresses = dict[str, dict[str, str]]()
    for number, script in enumerate(REASONS):
        name = f"bucket{number}"
        if script:
            server.start(name, "s3", ["-c", script], entrypoint=["python3"])
            addresses[script] = {HOST: server.address(name)}
    with ThreadPoolExecutor() as threads:
        asked = {
            (script, "show"): threads.submit(quickly, server, "show", addresses.get(script, {})) for script in REASONS
        }
        for word, volume in REFUSED.items():
            asked[SILENT, word] = threads.submit(quickly, server, word, addresses[SILENT], volume, 72)
        return {question: answer.result() for question, answer in asked.items()}


@pytest.mark.parametrize("script", REASONS, ids=REASONS.values())
def test_a_bucket_that_does_not_answer_is_named_soon_and_dumps_are_told_all_the_same(
    answers: dict[tuple[str, str], str], script: str
) -> None:
    said = answers[script, "show"]
    told = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    assert (told["problem"], told["answered"], told["new"]) == (reason(script), False, False)
    assert [item["project"] for item in told["dumps"]] == ["apache"]


@pytest.mark.parametrize("word", REFUSED)
def test_what_needs_a_bucket_that_is_silent_ends_soon(answers: dict[tuple[str, str], str], word: str) -> None:
    assert reason(SILENT) in answers[SILENT, word]


def reason(script: str) -> str:
    return f"Bucket {BUCKET} at {HOST} does not answer: {REASONS[script]}."


def quickly(server: Members, word: str, hosts: Mapping[str, str], volume: str = "", code: int = 0) -> str:
    """What a verb says, which must not take long."""
    began = monotonic()
    said = server.run("backup", word, volume=volume, code=code, hosts=hosts)
    assert monotonic() - began < QUICK, f"{word} took {monotonic() - began:.0f} s"
    return said
