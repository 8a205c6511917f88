"""Hours read by several processes at once, into the same database and over the same accounts and repositories."""

import gzip
import json
import sys
from subprocess import PIPE, Popen

import pytest
from activity.database.advisory_locks import lock_for_transaction

from tests.support.waiting import HANG, until

HOURS = ("2015-01-01-0", "2015-01-01-1")
SHARED = 1500
ROUNDS = 2
PEOPLE = "select md5(string_agg(id || login, ',' order by id, login)) from gha_actors"
DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"
# What each of the processes of a backfill does with an hour.
READ_ONE = """
import os, sys
from threading import Event
from activity.archive.ingest import Feed, ingest_hour
from activity.database.watermarks import Source
from activity.hour import parse_hour
from activity.settings import Need, read_settings
settings = read_settings(os.environ, frozenset({Need.OWNER, Need.PROJECTS}))
feed = Feed(settings.archive.url, Source.ARCHIVE)
ingest_hour(settings, feed, parse_hour(sys.argv[1]), settings.projects, Event())
"""
WAITING = "select count(*) from pg_stat_activity where datname = %s and wait_event_type = 'Lock'"


def event(number, hour, person):
    return {
        "id": str(number),
        "type": "IssueCommentEvent",
        "actor": {"id": person, "login": f"person-{person}"},
        "repo": {"id": person % 50, "name": f"apache/thing-{person % 50}"},
        "org": {"id": person % 7, "login": f"apache-{person % 7}"},
        "payload": {
            "comment": {"id": number, "body": "Well.", "user": {"id": person + 1, "login": f"person-{person + 1}"}},
            "issue": {
                "id": person,
                "number": person,
                "labels": [{"id": label, "name": f"label-{label}", "color": "ffffff"} for label in (person, 1, 2)],
            },
        },
        "created_at": f"{hour[:10]}T0{hour[-1]}:00:00Z",
    }


def pull(number, hour, person):
    made = event(number, hour, person)
    return {**made, "type": "PullRequestEvent", "payload": {"pull_request": {"id": person, "number": person}}}


def write(folder, hour, events):
    lines = b"".join(json.dumps(made).encode() + b"\n" for made in events)
    (folder / f"{hour}.json.gz").write_bytes(gzip.compress(lines))


def follow(platform, folder, common):
    """Have two hours that name the same people in opposite order, with these events of the first in the second too."""
    first = [event(number, HOURS[0], number) for number in range(1, SHARED)]
    second = [pull(number + SHARED, HOURS[1], number) for number in reversed(range(1, SHARED))]
    write(folder, HOURS[0], first)
    write(folder, HOURS[1], [*(first[number] for number in common), *second])
    platform.follow("apache")


def at_once(platform):
    """Read both hours in two processes that begin to write at the same moment."""
    database = platform.database("apache")
    holder = platform.connect(database)
    holder.autocommit = False
    try:
        with holder.cursor() as cursor:
            for hour in HOURS:
                lock_for_transaction(cursor, "hour", hour)
            both = [
                Popen([sys.executable, "-c", READ_ONE, hour], env=platform.environ, stdout=PIPE, stderr=PIPE, text=True)
                for hour in HOURS
            ]
            until("both to be inside", lambda: platform.rows("apache", WAITING, [database]) == [(2,)])
        holder.rollback()
    finally:
        holder.close()
    return [(process.communicate(timeout=HANG)[1], process.returncode) for process in both]


@pytest.mark.parametrize("common", [(), (700, 3)], ids=["no event in both", "two events in both"])
def test_two_processes_over_the_same_accounts_never_lock_each_other_out_and_lose_or_double_nothing(
    platform, web_archive, common
):
    follow(platform, web_archive.folder, common)
    for hour in HOURS:
        assert platform.ingest(hour, hour).returncode == 0
    expected, people = platform.counts("apache"), platform.rows("apache", PEOPLE)
    assert expected["gha_events"] == 2 * SHARED - 2
    assert expected["gha_issues_pull_requests"] == SHARED - 1
    for _ in range(ROUNDS):
        tables = [table for table in platform.tables("apache") if table != "schema_migrations"]
        platform.rows("apache", f"truncate {', '.join(tables)}")
        ends = at_once(platform)
        assert [code for _, code in ends] == [0, 0], ends
        assert platform.counts("apache") == expected
        assert platform.rows("apache", PEOPLE) == people
    assert platform.rows("apache", DEADLOCKS) == [(0,)]
