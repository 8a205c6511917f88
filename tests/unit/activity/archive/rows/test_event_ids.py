"""Ids depend on the event alone, are DevStats's where it has one, and keep out of one another's way."""

from datetime import datetime, timedelta

import pytest
from activity.archive.rows.event_ids import (
    COLLIDED,
    DEVSTATS_OWN,
    RESTARTED,
    content_digest,
    devstats_hash,
    event_digest,
    id_before_2015,
    stored_id,
    surrogate_id,
)
from hypothesis import given
from hypothesis import strategies as some

# Label ids of DevStats's own loader, from its rows of the two real hours.
LABELS = {
    ("upstream issue", "ff7722"): -4184975459841092193,
    ("I-crash", "e10c02"): -1133172683014866157,
    ("Ported from googlecode", "e102d8"): -1587894433753540331,
}
AFTER = datetime(2025, 11, 1, 10)


@pytest.mark.parametrize(("words", "identity"), LABELS.items())
def test_a_hash_is_that_of_devstats(words, identity):
    assert devstats_hash(*words) == identity


@given(some.lists(some.text(), max_size=4))
def test_a_hash_is_never_positive_and_fits_64_bits(words):
    assert -(2**63) < devstats_hash(*words) <= 0


def test_an_old_event_is_hashed_by_its_wall_clock():
    # DevStats's own example, jsons/1402423200_-5613262351614458275.json.exemple.
    assert id_before_2015("PushEvent", "cloudyan", "useGit", datetime(2014, 6, 10, 18, 38, 59)) == -5613262351614458275


@pytest.mark.parametrize(
    ("identity", "created_at", "stored"),
    [
        (5629348833, datetime(2017, 4, 19), 5629348833),
        (55_000_000_000, datetime(2025, 10, 8, 1), 55_000_000_000),
        (4_000_000_000, datetime(2025, 10, 8, 20), RESTARTED + 4_000_000_000),
        (5629348833, AFTER, RESTARTED + 5629348833),
        (2**47 - 1, AFTER, 2**47 - 1),
    ],
)
def test_events_since_github_counts_anew_are_stored_above_those_before(identity, created_at, stored):
    assert stored_id(identity, created_at) == stored


@given(some.integers(1, 6 * 10**10), some.datetimes(datetime(2015, 1, 1), datetime(2025, 10, 7)))
def test_no_event_since_the_restart_meets_one_before_it_nor_what_devstats_makes_up(identity, before):
    assert stored_id(identity, before) == identity < stored_id(identity, AFTER) < COLLIDED < DEVSTATS_OWN


@given(some.integers(-(2**63) + 1, 2**62), some.integers(0, 2**63 - 1))
def test_a_surrogate_lies_in_a_band_of_its_own(identity, digest):
    made = surrogate_id(identity, digest)
    assert made == surrogate_id(identity, digest)
    assert COLLIDED <= made < DEVSTATS_OWN if identity >= 0 else made <= 0


def test_events_of_one_id_differ_by_type_repository_or_time_and_old_ones_by_anything():
    at = datetime(2017, 4, 19)
    meanings = {
        event_digest("PushEvent", "a/b", at),
        event_digest("ForkEvent", "a/b", at),
        event_digest("PushEvent", "a/c", at),
        event_digest("PushEvent", "a/b", at + timedelta(seconds=1)),
    }
    assert len(meanings) == 4
    assert content_digest({"a": 1, "b": 2}) == content_digest({"b": 2, "a": 1}) != content_digest({"a": 1, "b": 3})
