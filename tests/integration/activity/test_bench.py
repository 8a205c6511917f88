"""The benchmark measures what it says: both ways of loading store the same rows."""

from tests.bench import load


def test_both_ways_store_the_same_rows(postgres_server, secrets, monkeypatch, tmp_path, shared_data):
    monkeypatch.setattr(load, "KEPT", tmp_path)
    told = []
    verdict = load.measure(postgres_server, 3000, 1, told.append, secrets)
    (only,) = verdict.rounds
    assert only.rows > 100
    assert verdict.over_gunzip == only.ours / only.gunzip
    assert verdict.under_gha2db == only.gha2db / only.ours > 1
    assert told[0].startswith("made an hour of 3000 events")
