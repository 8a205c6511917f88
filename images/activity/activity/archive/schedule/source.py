"""Which source each project's hours come from, the archive or the simulator: chosen once, never changed."""

from collections.abc import Callable, Mapping
from time import monotonic

from activity import log
from activity.archive.read.open_hour import answers, hour_url
from activity.database.watermarks import Source
from activity.errors import SettingsError
from activity.hour import Hour
from activity.projects import Project
from activity.settings import Simulate

PROBE_SECONDS = 5.0
PROBED_HOURS = 3


def choose_sources(
    simulate: Simulate, stored: Mapping[Project, frozenset[Source]], is_reachable: Callable[[], bool]
) -> dict[Project, Source]:
    """Choose each project's source by the hours in its database; the archive is probed only for an empty one.

    Raises SettingsError when the setting contradicts the hours in a database.
    """
    any_empty = any(not sources for sources in stored.values())
    unreachable = simulate is Simulate.WHEN_UNREACHABLE and any_empty and not is_reachable()
    fallback = Source.SIMULATED if unreachable or simulate is Simulate.ALWAYS else Source.ARCHIVE
    chosen = {project: _stored_source(sources) or fallback for project, sources in stored.items()}
    if simulate is Simulate.WHEN_UNREACHABLE:
        return chosen
    mistakes = [
        f"ACTIVITY_ARCHIVE_SIMULATE: {simulate.value}, but database {project.database} "
        f"holds {source.value} hours; they are never mixed"
        for project, source in chosen.items()
        if source is not fallback
    ]
    if mistakes:
        raise SettingsError(mistakes)
    return chosen


def is_archive_reachable(url: str, first: Hour, last: Hour) -> bool:
    """Probe the first few hours of a range: the archive may lack one of them, not all."""
    deadline = monotonic() + PROBE_SECONDS
    for number in range(PROBED_HOURS):
        hour, seconds_left = first.shift(number), deadline - monotonic()
        if hour <= last and seconds_left > 0 and answers(hour_url(url, hour), seconds_left):
            return True
    log.warning("archive unreachable, simulating hours instead", url=url)
    return False


def _stored_source(sources: frozenset[Source]) -> Source | None:
    # A database that holds both counts as real: simulated hours must not be added to real ones.
    if Source.ARCHIVE in sources:
        return Source.ARCHIVE
    return next(iter(sources), None)
