"""Where hours come from is decided once, by what a database holds."""

from datetime import UTC, datetime

import pytest
from activity.archive.schedule.source import choose_sources
from activity.database.watermarks import Source
from activity.errors import SettingsError
from activity.projects import Project
from activity.settings import Simulate

EMPTY, REAL, MADE = (
    Project(name, name, "", (name,), (), (), datetime(2015, 1, 1, tzinfo=UTC), name) for name in ("e", "r", "m")
)
NOTHING, ARCHIVE, SIMULATED = frozenset(), frozenset({Source.ARCHIVE}), frozenset({Source.SIMULATED})


def unasked():
    raise AssertionError("the archive was probed")


@pytest.mark.parametrize(("reachable", "source"), [(True, Source.ARCHIVE), (False, Source.SIMULATED)])
def test_only_for_an_empty_database_is_the_archive_probed(reachable, source):
    held = {EMPTY: NOTHING, REAL: ARCHIVE, MADE: SIMULATED}
    decided = choose_sources(Simulate.WHEN_UNREACHABLE, held, lambda: reachable)
    assert decided == {EMPTY: source, REAL: Source.ARCHIVE, MADE: Source.SIMULATED}
    filled = {REAL: ARCHIVE, MADE: SIMULATED}
    assert choose_sources(Simulate.WHEN_UNREACHABLE, filled, unasked) == {REAL: Source.ARCHIVE, MADE: Source.SIMULATED}


@pytest.mark.parametrize(
    ("simulate", "fits", "source", "contrary"),
    [(Simulate.NEVER, REAL, Source.ARCHIVE, MADE), (Simulate.ALWAYS, MADE, Source.SIMULATED, REAL)],
)
def test_never_and_always_do_not_probe_and_refuse_a_database_of_the_other_kind(simulate, fits, source, contrary):
    held = {EMPTY: NOTHING, REAL: ARCHIVE, MADE: SIMULATED}
    assert choose_sources(simulate, {EMPTY: NOTHING, fits: held[fits]}, unasked) == {EMPTY: source, fits: source}
    with pytest.raises(SettingsError, match=f"{simulate.value}, but database {contrary.database} holds"):
        choose_sources(simulate, held, unasked)
