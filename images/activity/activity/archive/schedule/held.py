"""Which hours each project holds, and from which source."""

from activity import log
from activity.archive.schedule.hour_ranges import Coverage
from activity.database.connect import LOG_DATABASE, transaction
from activity.database.hour_ledger import (
    empty_ranges,
)
from activity.database.watermarks import Source, held_ranges, held_sources
from activity.projects import Project
from activity.settings import Settings


class Held:
    """What each project has of the archive, and from where: asked of every database once, then kept in memory."""

    def __init__(self, settings: Settings, projects: tuple[Project, ...]) -> None:
        self.coverage: dict[Project, Coverage] = {}
        self.sources: dict[Project, frozenset[Source]] = {}
        with transaction(settings, LOG_DATABASE) as cursor:
            empty = empty_ranges(cursor, projects)
        for project in projects:
            mine = [(source, first, last) for database, source, first, last in empty if database == project.database]
            with transaction(settings, project.database) as cursor:
                ranges = held_ranges(cursor)
                sources = held_sources(cursor)
            self.coverage[project] = Coverage([*ranges, *((first, last) for _, first, last in mine)])
            self.sources[project] = sources | {source for source, _, _ in mine}
        log.info("hours held", projects=len(projects), ranges=sum(len(one.ranges()) for one in self.coverage.values()))
