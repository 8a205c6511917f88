"""Backfill: every hour that projects lack, once for all of them, with progress and estimate."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Event as Signal
from time import monotonic

from activity import log
from activity.archive.schedule.intake import HourDone, Intake, Task, Wanted
from activity.archive.schedule.prefetch import Ahead
from activity.archive.schedule.workers import Failed, carry_out
from activity.database.connect import LOG_DATABASE, transaction
from activity.database.hour_ledger import apply_empty_hours
from activity.database.indexes import defer_indexes, restore_indexes
from activity.database.project_locks import lock_exclusively
from activity.database.queries import query
from activity.errors import ActivityError, ArchiveUnreachable, Stopped
from activity.hour import hour_at
from activity.settings import Settings

SAID_EVERY = 10.0
AHEAD = 3
# Fewer hours than this are read before indexes would be built.
WORTH_DEFERRING = 100
IN_A_ROW = 5

Carried = Generator[HourDone | Failed, None, None]


@dataclass
class Progress:
    """How far a backfill is: hours in all, read, failed; events stored; the errors of hours that failed."""

    hours: int = 0
    done: int = 0
    events: int = 0
    failures: list[ActivityError] = field(default_factory=list)
    began: float = field(default_factory=monotonic)

    def __str__(self) -> str:
        seconds = monotonic() - self.began
        rate = (self.done + len(self.failures)) / seconds if seconds else 0.0
        left = self.hours - self.done - len(self.failures)
        estimate = f", {_duration(left / rate)} left" if rate and left else ""
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return (
            f"{self.done} of {self.hours} hours, {self.events} events{failed}, {rate * 60:.0f} hours a minute{estimate}"
        )


def backfill(settings: Settings, wanted: Wanted, jobs: int, stop: Signal, say: Callable[[str], None]) -> Progress:
    """Read what projects lack (or all, by force) while nobody else works on them; returns how it went.

    So many processes read side by side; with none this one reads, in order.

    An hour that cannot be had is recorded and left for later. Raises DatabaseUnavailable, SettingsError, Stopped, and
    ArchiveUnreachable when several hours in a row are out of reach; run again, it goes on from there.
    """
    intake = Intake(settings, stop)
    intake.prepare(wanted)
    with lock_exclusively(settings, wanted.projects, stop) as right, _deferred(settings, wanted):
        # Another backfill may have filled them while this one waited.
        intake.forget()
        tasks = intake.tasks(wanted)
        progress = Progress(hours=intake.count(wanted))
        with _recorded(settings, wanted, progress) as tell:
            carried = _carried_out(settings, tasks, jobs, stop) if jobs else _inline(intake, tasks, stop)
            # Whatever ends this, no process reads on when the right to the projects is given back.
            with closing(carried):
                for came in carried:
                    _note(intake, progress, came)
                    right.check()
                    if tell():
                        say(f"backfill: {progress}")
        for project in wanted.projects:
            apply_empty_hours(settings, project)
    return progress


def _carried_out(settings: Settings, tasks: Iterator[Task], jobs: int, stop: Signal) -> Carried:
    with (
        closing(Ahead(settings.archive, jobs + AHEAD)) as ahead,
        closing(carry_out(settings, tasks, jobs, stop, ahead)) as carried,
    ):
        yield from carried


def _inline(intake: Intake, tasks: Iterator[Task], stop: Signal) -> Carried:
    for task in tasks:
        if stop.is_set():
            raise Stopped(f"stopped before hour {task.hour}. Run again to go on from there.")
        try:
            yield intake.carry_out(task)
        except ActivityError as error:
            yield Failed(task, type(error), str(error))


def _note(intake: Intake, progress: Progress, came: HourDone | Failed) -> None:
    if isinstance(came, HourDone):
        intake.finished(came)
        progress.done += 1
        progress.events += sum(committed.events for committed in came.committed)
        return
    error = came.error()
    intake.spoilt(came.task, error)
    if not error.about_hour:
        raise error
    log.warning("hour not read", hour=came.task.hour, error=error)
    progress.failures.append(error)
    recent = progress.failures[-IN_A_ROW:]
    if len(recent) == IN_A_ROW and progress.done == 0 and all(isinstance(one, ArchiveUnreachable) for one in recent):
        raise error


@contextmanager
def _deferred(settings: Settings, wanted: Wanted) -> Iterator[None]:
    """Leave secondary indexes of empty databases for the end; one that is killed leaves them for the next."""
    first = wanted.first or min((hour_at(project.start) for project in wanted.projects), default=wanted.last)
    if first.shift(WORTH_DEFERRING) <= wanted.last:
        for project in wanted.projects:
            defer_indexes(settings, project)
    yield
    for project in wanted.projects:
        restore_indexes(settings, project)


@contextmanager
def _recorded(settings: Settings, wanted: Wanted, progress: Progress) -> Iterator[Callable[[], bool]]:
    """Keep a record of the progress in the log database; yields what tells, now and then, that it is time to speak."""
    first = wanted.first or min((hour_at(project.start) for project in wanted.projects), default=wanted.last)
    words = {
        "projects": [project.name for project in wanted.projects],
        "first": first.stamp,
        "last": wanted.last.stamp,
        "hours": progress.hours,
    }
    with transaction(settings, LOG_DATABASE) as cursor:
        cursor.execute(query("backfill/begin"), words)
        (number,) = cursor.fetchone() or (0,)
    said = monotonic()

    def record(*, ended: bool) -> None:
        values = {
            "id": number,
            "done": progress.done,
            "failed": len(progress.failures),
            "events": progress.events,
            "ended": ended,
        }
        with transaction(settings, LOG_DATABASE) as cursor:
            cursor.execute(query("backfill/tell"), values)

    def tell() -> bool:
        nonlocal said
        if monotonic() - said < SAID_EVERY:
            return False
        said = monotonic()
        record(ended=False)
        return True

    yield tell
    record(ended=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {rest:02}s" if minutes else f"{rest}s"
