"""How it stands with projects, and the end of a project's database."""

import json

import pytest


@pytest.fixture
def simulated(platform):
    platform.template = ""
    platform.environ |= {"ACTIVITY_ARCHIVE_SIMULATE": "always", "ACTIVITY_ARCHIVE_TO": "2026-01-01-9"}
    platform.follow("apache", "rust-lang", start="2026-01-01")
    return platform


def states(platform, *arguments):
    done = platform.run("status", *arguments)
    assert done.returncode == 0, done.stderr
    return {line["project"]: line for line in map(json.loads, done.stdout.splitlines())}


def test_the_state_of_a_project_goes_from_absent_to_ready_and_fresh(simulated):
    absent = states(simulated, "--project", "apache")["apache"]
    assert (absent["state"], absent["hours"], absent["missing"], absent["backfill"]) == ("absent", 0, 10, None)
    assert simulated.ingest("2026-01-01-0", "2026-01-01-3", ACTIVITY_ARCHIVE_TO="").returncode == 0
    assert simulated.run("series", "--project", "apache").returncode == 0

    found = states(simulated)

    ready = found["apache"]
    assert (ready["state"], ready["hours"], ready["missing"]) == ("ready", 4, 6)
    assert ready["events"] == simulated.events("apache") > 0
    assert (ready["oldest_hour"], ready["newest_hour"]) == ("2026-01-01-0", "2026-01-01-3")
    assert (ready["pending"], ready["deferred_indexes"]) == (0, 0)
    assert ready["series_at"] is not None
    assert (ready["backfill"]["hours"], ready["backfill"]["done"], ready["backfill"]["failed"]) == (4, 4, 0)
    assert found["rust-lang"]["series_at"] is None
    assert found["rust-lang"]["pending"] > 0


def test_a_database_is_dropped_only_once_nobody_follows_its_project(simulated):
    assert simulated.ingest("2026-01-01-0", "2026-01-01-0").returncode == 0
    database = simulated.database("apache")
    refused = simulated.run("drop", database)
    assert refused.returncode == 64
    assert "belongs to project apache" in refused.stderr
    assert simulated.events("apache") > 0
    assert simulated.run("drop", "devstats").returncode == 64

    simulated.follow("rust-lang", start="2026-01-01")
    dropped = simulated.run("drop", database)
    assert dropped.returncode == 0, dropped.stderr
    assert "was dropped" in dropped.stdout
    assert simulated.log_rows("select 1 from pg_database where datname = %s", [database]) == []
    assert simulated.events("rust-lang") > 0
    assert "does not exist" in simulated.run("drop", database).stdout
