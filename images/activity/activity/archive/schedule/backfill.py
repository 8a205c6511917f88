"""Backfill: every hour that projects lack, read once for all of them, with progress and an estimate."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Event as Signal
from time import monotonic

from activity import log
from activity.archive.schedule.ledger import Ledgers
from activity.archive.schedule.planner import HourRequest, Planner
from activity.archive.schedule.prefetch import Prefetcher
from activity.archive.schedule.runner import Runner
from activity.archive.schedule.task import HourTask, TaskResult
from activity.archive.schedule.workers import HourFailure, run_in_processes
from activity.database.connect import LOG_DATABASE, transaction
from activity.database.hour_ledger import apply_empty_hours
from activity.database.indexes import defer_indexes, restore_indexes
from activity.database.project_locks import lock_exclusively
from activity.database.queries import query
from activity.errors import ActivityError, ArchiveUnreachable, Stopped
from activity.hour import Hour, hour_at
from activity.settings import Settings

PROGRESS_SECONDS = 10.0
# Hours downloaded ahead, in addition to one for each process.
PREFETCHED_HOURS = 3
# For fewer hours than this, building the indexes afterwards would take longer than maintaining them.
LEAST_HOURS_TO_DEFER_INDEXES = 100
# So many unreachable hours, with none read before, end the backfill.
UNREACHABLE_IN_A_ROW = 5

Results = Generator[TaskResult | HourFailure, None, None]


@dataclass
class Progress:
    """How far a backfill is: hours in all, hours read, events stored, and the errors of hours that failed."""

    hours: int = 0
    done: int = 0
    events: int = 0
    failures: list[ActivityError] = field(default_factory=list)
    began: float = field(default_factory=monotonic)

    def __str__(self) -> str:
        seconds = monotonic() - self.began
        finished = self.done + len(self.failures)
        left = self.hours - finished
        hours_per_second = finished / seconds if seconds else 0.0
        estimate = f", {_duration(left / hours_per_second)} left" if hours_per_second and left else ""
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return (
            f"{self.done} of {self.hours} hours, {self.events} events{failed}, "
            f"{hours_per_second * 60:.0f} hours a minute{estimate}"
        )


def backfill(
    settings: Settings, request: HourRequest, jobs: int, stop: Signal, report: Callable[[str], None]
) -> Progress:
    """Read the hours that projects lack (with `force` all of them) while the projects are locked; returns the progress.

    `jobs` processes read side by side; with 0 this process reads the hours itself, in order.

    A failed hour is recorded and left for later. Raises DatabaseUnavailable, SettingsError, Stopped, and
    ArchiveUnreachable when several hours in a row are unreachable. Safe to repeat: it continues where it ended.
    """
    ledgers = Ledgers(settings)
    planner = Planner(settings, ledgers)
    planner.prepare(request)
    with lock_exclusively(settings, request.projects, stop) as right, _deferred_indexes(settings, request):
        # Another backfill may have read these hours while this one waited for its locks.
        planner.reload()
        progress = Progress(hours=planner.count(request))
        tasks = planner.tasks(request)
        with _recorded(settings, request, progress) as record_if_due:
            results = (
                _run_in_processes(settings, tasks, jobs, stop)
                if jobs
                else _run_inline(Runner(settings, ledgers, stop), tasks, stop)
            )
            # Whatever ends this block, no process reads on once the locks are released.
            with closing(results):
                for result in results:
                    _note(planner, progress, result)
                    right.check()
                    if record_if_due():
                        report(f"backfill: {progress}")
        for project in request.projects:
            apply_empty_hours(settings, project)
    return progress


def _run_in_processes(settings: Settings, tasks: Iterator[HourTask], jobs: int, stop: Signal) -> Results:
    with (
        closing(Prefetcher(settings.archive, jobs + PREFETCHED_HOURS)) as prefetcher,
        closing(run_in_processes(settings, tasks, jobs, stop, prefetcher)) as results,
    ):
        yield from results


def _run_inline(runner: Runner, tasks: Iterator[HourTask], stop: Signal) -> Results:
    for task in tasks:
        if stop.is_set():
            raise Stopped(f"stopped before hour {task.hour}. Run again to continue from there.")
        try:
            yield runner.run(task)
        except ActivityError as error:
            yield HourFailure(task, type(error), str(error))


def _note(planner: Planner, progress: Progress, result: TaskResult | HourFailure) -> None:
    if isinstance(result, TaskResult):
        planner.succeeded(result)
        progress.done += 1
        progress.events += result.events
        return
    error = result.error()
    planner.failed(result.task, error)
    if not error.about_hour:
        raise error
    log.warning("hour failed", hour=result.task.hour, error=error)
    progress.failures.append(error)
    latest = progress.failures[-UNREACHABLE_IN_A_ROW:]
    unreachable = len(latest) == UNREACHABLE_IN_A_ROW and all(isinstance(each, ArchiveUnreachable) for each in latest)
    if unreachable and progress.done == 0:
        raise error


@contextmanager
def _deferred_indexes(settings: Settings, request: HourRequest) -> Iterator[None]:
    """Build secondary indexes of empty databases at the end; after a kill the next backfill builds them."""
    if _first_hour(request).shift(LEAST_HOURS_TO_DEFER_INDEXES) <= request.last:
        for project in request.projects:
            defer_indexes(settings, project)
    yield
    for project in request.projects:
        restore_indexes(settings, project)


@contextmanager
def _recorded(settings: Settings, request: HourRequest, progress: Progress) -> Iterator[Callable[[], bool]]:
    """Record the backfill in the log database; yields a function that updates the record from time to time.

    It returns whether it did, so that the caller reports the progress just as often.
    """
    parameters = {
        "projects": [project.name for project in request.projects],
        "first": _first_hour(request).stamp,
        "last": request.last.stamp,
        "hours": progress.hours,
    }
    with transaction(settings, LOG_DATABASE) as cursor:
        cursor.execute(query("backfill/begin"), parameters)
        (backfill_id,) = cursor.fetchone() or (0,)
    recorded_at = monotonic()

    def record(*, ended: bool) -> None:
        values = {
            "id": backfill_id,
            "done": progress.done,
            "failed": len(progress.failures),
            "events": progress.events,
            "ended": ended,
        }
        with transaction(settings, LOG_DATABASE) as cursor:
            cursor.execute(query("backfill/tell"), values)

    def record_if_due() -> bool:
        nonlocal recorded_at
        if monotonic() - recorded_at < PROGRESS_SECONDS:
            return False
        recorded_at = monotonic()
        record(ended=False)
        return True

    yield record_if_due
    record(ended=True)


def _first_hour(request: HourRequest) -> Hour:
    return request.first or min((hour_at(project.start) for project in request.projects), default=request.last)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {rest:02}s" if minutes else f"{rest}s"
