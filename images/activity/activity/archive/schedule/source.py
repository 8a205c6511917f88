"""Which archive each project's hours come from: the real one or a simulated one; decided once, and it sticks."""

from collections.abc import Callable, Mapping

from activity.database.watermarks import Source
from activity.errors import SettingsError
from activity.projects import Project
from activity.settings import Simulate


def decide(
    simulate: Simulate, held: Mapping[Project, frozenset[Source]], reachable: Callable[[], bool]
) -> dict[Project, Source]:
    """Decide for each project by what its database holds; only an empty one makes the archive be probed.

    SettingsError when the setting contradicts what a database holds.
    """
    undecided = [project for project, sources in held.items() if not sources]
    out_of_reach = simulate is Simulate.WHEN_UNREACHABLE and bool(undecided) and not reachable()
    fallback = Source.SIMULATED if out_of_reach or simulate is Simulate.ALWAYS else Source.ARCHIVE
    decided = {project: _one(sources) or fallback for project, sources in held.items()}
    mistakes = [
        f"ACTIVITY_ARCHIVE_SIMULATE: {simulate.value}, but database {project.database} "
        f"holds {source.value} hours; they are never mixed"
        for project, source in decided.items()
        if simulate is not Simulate.WHEN_UNREACHABLE and source is not fallback
    ]
    if mistakes:
        raise SettingsError(mistakes)
    return decided


def _one(sources: frozenset[Source]) -> Source | None:
    # A database that somehow holds both is real: what is real must not be added to.
    if Source.ARCHIVE in sources:
        return Source.ARCHIVE
    return next(iter(sources), None)
