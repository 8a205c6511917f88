"""Which hours each project already has, and from which source."""

from activity import log
from activity.archive.schedule.hour_ranges import HourRanges
from activity.database.connect import LOG_DATABASE, transaction
from activity.database.hour_ledger import empty_ranges
from activity.database.watermarks import Source, held_ranges, held_sources
from activity.hour import Hour
from activity.projects import Project
from activity.settings import Settings


class Inventory:
    """The hours and the sources of each project: queried once from every database, then kept in memory."""

    def __init__(self, settings: Settings, projects: tuple[Project, ...]) -> None:
        self.hours: dict[Project, HourRanges] = {}
        self.sources: dict[Project, frozenset[Source]] = {}
        with transaction(settings, LOG_DATABASE) as cursor:
            all_empty = empty_ranges(cursor, projects)
        for project in projects:
            # Hours without events are recorded in the log database until the project's own database takes them over.
            empty = [row for row in all_empty if row[0] == project.database]
            with transaction(settings, project.database) as cursor:
                ranges = held_ranges(cursor)
                sources = held_sources(cursor)
            self.hours[project] = HourRanges([*ranges, *((first, last) for _, _, first, last in empty)])
            self.sources[project] = sources | {source for _, source, _, _ in empty}
        range_count = sum(len(hours.ranges()) for hours in self.hours.values())
        log.info("hours of all projects loaded", projects=len(projects), ranges=range_count)

    def newest(self) -> Hour | None:
        """Return the newest hour that any project has; None when no project has any."""
        newest = [hours.ranges()[-1][1] for hours in self.hours.values() if hours.ranges()]
        return max(newest, default=None)
