"""Which hours the projects lack, oldest first, without ever listing them all at once."""

from collections import defaultdict
from collections.abc import Iterator

from activity.database.connect import transaction
from activity.database.marks import missing_hours
from activity.hour import Hour, hour_at
from activity.projects import Project
from activity.settings import Settings

PAGE = 1000


def missing_between(
    settings: Settings, projects: tuple[Project, ...], first: Hour | None, last: Hour
) -> Iterator[tuple[Hour, tuple[Project, ...]]]:
    """Yield each hour up to the last one that some project lacks, with those projects.

    A project wants no hour before its own start; without a first hour its start is where it begins.
    """
    cursors = {project: _begin(project, first) for project in projects}
    while cursors:
        pages = {project: _page(settings, project, cursor, last) for project, cursor in cursors.items()}
        horizon = min((hours[-1] for hours in pages.values() if len(hours) == PAGE), default=last)
        lacking: dict[Hour, list[Project]] = defaultdict(list)
        for project, hours in pages.items():
            for hour in hours:
                if hour <= horizon:
                    lacking[hour].append(project)
        for hour in sorted(lacking):
            yield hour, tuple(lacking[hour])
        cursors = {
            project: horizon.shift(1)
            for project, hours in pages.items()
            if hours and (len(hours) == PAGE or hours[-1] > horizon)
        }


def _begin(project: Project, first: Hour | None) -> Hour:
    start = hour_at(project.start)
    return start if first is None else max(first, start)


def _page(settings: Settings, project: Project, first: Hour, last: Hour) -> list[Hour]:
    if first > last:
        return []
    with transaction(settings, project.database) as cursor:
        return missing_hours(cursor, first, last, PAGE)
