"""Attempts of a job: the tasks of one iteration, and which of them decides how it ended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from swarm.engine import timestamps
from swarm.engine.wire import Spec

FAILED_STATES = ("failed", "rejected", "orphaned")
LEAVING_STATES = ("shutdown", "remove")


@dataclass(frozen=True)
class Attempt:
    """One task of a job's iteration."""

    id: str
    slot: int
    node: str
    state: str
    desired: str
    error: str
    code: int | None
    created: datetime
    since: datetime

    @property
    def complete(self) -> bool:
        """Ended well."""
        return self.state == "complete"

    @property
    def failed(self) -> bool:
        """Ended badly, and Swarm has decided whether there is another attempt."""
        return self.state in FAILED_STATES and self.desired in LEAVING_STATES


def attempts(tasks: Iterable[Spec], iteration: int) -> list[Attempt]:
    """The tasks of one iteration, oldest first."""
    found = (_attempt(task) for task in tasks if _iteration(task) == iteration)
    return sorted(found, key=lambda attempt: attempt.created)


def verdict(tasks: Sequence[Attempt], completions: int) -> Attempt | None:
    """A task that decides the end: one that failed for good, or one that completed last; None while it goes on."""
    newest = {attempt.slot: attempt for attempt in tasks}
    failed = [attempt for attempt in newest.values() if attempt.failed]
    complete = [attempt for attempt in newest.values() if attempt.complete]
    if failed and len(failed) + len(complete) == len(newest):
        return min(failed, key=lambda attempt: attempt.since)
    return max(complete, key=lambda attempt: attempt.since) if complete and len(complete) >= completions else None


def _attempt(task: Spec) -> Attempt:
    status = task["Status"]
    return Attempt(
        id=str(task["ID"]),
        slot=int(task.get("Slot") or 0),
        node=str(task.get("NodeID") or ""),
        state=str(status["State"]),
        desired=str(task.get("DesiredState", "")),
        error=str(status.get("Err", "")),
        code=(status.get("ContainerStatus") or {}).get("ExitCode"),
        created=timestamps.parse(task["CreatedAt"]),
        since=timestamps.parse(status["Timestamp"]),
    )


def _iteration(task: Spec) -> int:
    return int((task.get("JobIteration") or {}).get("Index", 0))
