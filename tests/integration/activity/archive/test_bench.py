"""The benchmark measures what it says: both ways of loading store the same rows."""

import pytest

from swarm.dev import ingest_bench
from swarm.report import Report
from swarm.shell import Shell
from tests.bench import load


@pytest.fixture
def fat(tmp_path, monkeypatch):
    """A small hour of the archive's shape before October 2025, and the project that follows some of it."""
    monkeypatch.setattr(ingest_bench, "FOLDER", tmp_path)
    bench = ingest_bench.Bench(1, 0.02, Shell(), Report())
    return bench.hour("fat"), bench.projects("usual", ingest_bench.usual())


def test_both_ways_store_the_same_rows(postgres_server, secrets, fat):
    told = []
    verdict = load.measure(postgres_server, *fat, 1, told.append, secrets)
    (only,) = verdict.rounds
    assert only.rows > 100
    assert verdict.over_gunzip == only.ours / only.gunzip
    assert verdict.under_gha2db == only.gha2db / only.ours > 1
    assert told[0].startswith("round 1: ")
