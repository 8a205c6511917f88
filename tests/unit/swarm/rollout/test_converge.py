import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from swarm.engine import reach
from swarm.engine.client import Engine
from swarm.errors import StackFailed
from swarm.live import services as live
from swarm.live.services import Service, Task
from swarm.report import Step
from swarm.rollout import converge
from swarm.rollout.converge import Timing

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TASK = Task(
    id="t1", slot="1", node="node-2", state="running", desired="running", error="", exit_code=None,
    since=NOW, created=NOW, current=True,
)  # fmt: skip
SPEC = {"Name": "app_nginx", "TaskTemplate": {"ContainerSpec": {"Image": "nginx"}}}
OTHER = {"Name": "app_nginx", "TaskTemplate": {"ContainerSpec": {"Image": "other"}}}
SERVICE = Service(
    id="s1", name="app_nginx", stack="app", mode="replicated", image="nginx", desired=1,
    update="", update_message="", labels={}, tasks=(TASK,), spec=SPEC,
)  # fmt: skip
BEFORE = NOW - timedelta(seconds=60)


def test_a_stack_is_settled_when_the_wanted_services_are_as_wanted_and_healthy() -> None:
    assert converge.settled([SERVICE], {"app_nginx": SPEC})
    assert not converge.settled([SERVICE], {"app_nginx": OTHER})
    assert not converge.settled([SERVICE], {"app_nginx": SPEC, "app_api": SPEC})
    assert not converge.settled([replace(SERVICE, tasks=())], {"app_nginx": SPEC})


def test_a_task_of_an_older_specification_does_not_count() -> None:
    assert not replace(SERVICE, tasks=(replace(TASK, current=False),)).healthy


def test_zero_replicas_are_healthy_with_zero_tasks() -> None:
    assert replace(SERVICE, desired=0, tasks=()).healthy


def test_a_job_is_complete_when_its_task_has_completed() -> None:
    job = replace(SERVICE, mode="replicated-job", tasks=(replace(TASK, state="complete", desired="complete"),))
    assert job.healthy
    assert job.state == "complete"


def test_an_update_that_was_rolled_back_is_a_failure_and_says_why() -> None:
    service = replace(SERVICE, update="rollback_completed", update_message="update rolled back")
    assert converge.failure(service, BEFORE, OTHER, NOW) == "its update was rollback completed: update rolled back"


def test_what_was_rolled_back_to_is_no_failure_where_it_is_wanted() -> None:
    assert converge.failure(replace(SERVICE, update="rollback_completed"), BEFORE, SPEC, NOW) == ""


def test_a_job_may_fail_as_often_as_its_policy_allows() -> None:
    policy = {"TaskTemplate": {"RestartPolicy": {"MaxAttempts": 5}}}
    failed = replace(TASK, state="failed", desired="shutdown")
    job = replace(SERVICE, mode="replicated-job", spec=policy)
    assert converge.failure(replace(job, tasks=(failed,) * 5), BEFORE, policy, NOW) == ""
    assert converge.failure(replace(job, tasks=(failed,) * 6), BEFORE, policy, NOW) == "6 of its tasks failed"


def test_one_failed_task_may_still_recover_and_three_may_not() -> None:
    failed = replace(TASK, state="failed", desired="shutdown")
    assert converge.failure(replace(SERVICE, tasks=(failed,)), BEFORE, SPEC, NOW) == ""
    assert converge.failure(replace(SERVICE, tasks=(failed,) * 3), BEFORE, SPEC, NOW) == "3 of its tasks failed"


def test_a_task_that_ends_with_0_has_failed_too_where_it_is_to_run_for_ever() -> None:
    ended = replace(TASK, state="complete", desired="shutdown", exit_code=0)
    assert converge.failure(replace(SERVICE, tasks=(ended,) * 3), BEFORE, SPEC, NOW) == "3 of its tasks failed"


class Silent(Engine):
    """An engine whose tasks wrote nothing."""

    def _of_task_logs(self, task: str, *, tail: int = 20) -> list[str]:
        return []

    @property
    def logs(self) -> Any:
        return SimpleNamespace(of_task=self._of_task_logs)


def test_the_reason_is_that_of_a_task_of_this_change_and_of_no_earlier_one() -> None:
    old = replace(TASK, id="t0", state="failed", error="old", created=BEFORE - timedelta(1), current=False)
    ours = replace(TASK, state="complete", since=BEFORE)
    text, _ = converge.explain(Silent(), replace(SERVICE, tasks=(ours, old)), "reason", reach.nowhere, BEFORE)
    assert text.splitlines() == ["app_nginx: reason", "  node-2, task 1: exited"]
    text, _ = converge.explain(Silent(), replace(SERVICE, tasks=(old,)), "reason", reach.nowhere, BEFORE)
    assert text == "app_nginx: reason"


def test_where_no_task_has_ended_the_one_that_has_not_come_up_is_shown() -> None:
    slow = replace(TASK, state="starting")
    text, _ = converge.explain(Silent(), replace(SERVICE, tasks=(slow,)), "reason", reach.nowhere, BEFORE)
    assert text.splitlines() == ["app_nginx: reason", "  node-2, task 1: still starting"]


def test_tasks_that_failed_before_this_deploy_are_not_held_against_it() -> None:
    old = replace(TASK, state="failed", created=BEFORE - timedelta(seconds=1))
    assert converge.failure(replace(SERVICE, tasks=(old,) * 5), BEFORE, SPEC, NOW) == ""


def test_a_task_that_no_node_takes_is_a_failure_after_a_while() -> None:
    waiting = replace(TASK, state="pending", error="no suitable node", created=NOW - timedelta(seconds=30))
    assert (
        converge.failure(replace(SERVICE, tasks=(waiting,)), BEFORE, SPEC, NOW)
        == "no node can run it: no suitable node"
    )
    assert converge.failure(replace(SERVICE, tasks=(replace(waiting, created=NOW),)), BEFORE, SPEC, NOW) == ""


def test_a_task_waits_for_room_while_the_one_that_it_replaces_still_stops() -> None:
    waiting = replace(TASK, state="pending", error="host-mode port already in use", created=NOW - timedelta(seconds=30))
    leaving = replace(TASK, id="t0", desired="shutdown", current=False)
    assert converge.failure(replace(SERVICE, tasks=(waiting, leaving)), BEFORE, SPEC, NOW) == ""
    gone = replace(leaving, state="shutdown")
    assert "no node can run it" in converge.failure(replace(SERVICE, tasks=(waiting, gone)), BEFORE, SPEC, NOW)


def test_an_update_that_waits_for_a_node_that_is_down_is_a_failure_after_a_while() -> None:
    lost = replace(TASK, state="preparing", lost=True, created=NOW - timedelta(seconds=30))
    service = replace(SERVICE, update="updating", tasks=(lost,))
    assert "waits for a task on node-2, which is down" in converge.failure(service, BEFORE, SPEC, NOW)
    assert converge.failure(replace(service, tasks=(replace(lost, created=NOW),)), BEFORE, SPEC, NOW) == ""
    assert converge.failure(replace(service, tasks=(replace(lost, lost=False),)), BEFORE, SPEC, NOW) == ""
    assert converge.failure(replace(service, update="completed"), BEFORE, SPEC, NOW) == ""


def test_the_summary_names_only_what_is_waited_for() -> None:
    waiting = replace(SERVICE, name="app_api", tasks=())
    assert converge.summary([SERVICE, waiting]) == "api 0/1"
    assert converge.summary([SERVICE]) == "all healthy, watching"


def test_a_task_that_was_told_to_stop_does_not_count_and_is_waited_for_unless_its_node_is_lost() -> None:
    going = replace(TASK, id="t0", desired="shutdown")
    service = replace(SERVICE, tasks=(TASK, going))
    assert (service.running, service.leaving, service.healthy) == (1, 1, True)
    assert converge.summary([service]) == "nginx 1 leaving"
    assert not replace(SERVICE, tasks=(going,)).healthy
    for gone in (replace(going, lost=True), replace(going, node=""), replace(going, state="shutdown")):
        assert replace(SERVICE, tasks=(TASK, gone)).leaving == 0
    assert converge.summary([replace(service, tasks=())]) == "nginx 0/1"


class Playing(Engine):
    """An engine that shows one state of a service after the other, and then the last one again and again."""

    def __init__(self, *shown: tuple[Task, ...]) -> None:
        super().__init__()
        self.shown = list(shown)

    def now(self) -> datetime:
        return NOW

    @property
    def logs(self) -> Any:
        return SimpleNamespace(of_task=lambda task, tail: ["no page to serve"])


def waited(monkeypatch: pytest.MonkeyPatch, timeout: float, *shown: tuple[Task, ...]) -> int:
    """Wait for the service; returns how many states were not shown."""
    engine = Playing(*shown)

    def services(_: Engine, stack: str | None = None) -> tuple[Service, ...]:
        return (replace(SERVICE, tasks=engine.shown.pop(0) if len(engine.shown) > 1 else engine.shown[0]),)

    monkeypatch.setattr(live, "services", services)
    watch = converge.Watch("app", {"app_nginx": SPEC}, BEFORE, timeout, Timing(stable_seconds=0.1, poll_seconds=0.05))
    converge.wait(engine, watch, Step("app", None))
    return len(engine.shown) - 1


def test_a_deploy_ends_once_what_it_replaced_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    going = replace(TASK, id="t0", desired="shutdown")
    assert waited(monkeypatch, 60, *[(TASK, going)] * 8, (TASK,)) == 0


def test_what_does_not_go_in_time_fails_no_deploy(monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    waited(monkeypatch, 0.5, (TASK, replace(TASK, id="t0", desired="shutdown")))
    assert 0.5 <= time.monotonic() - began < 5


class Clock:
    """Time that passes when it is slept; stands for the module `time`."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds


def dying(monkeypatch: pytest.MonkeyPatch, lifetime: float, **options: float) -> float:
    """Wait for a service whose task dies after `lifetime` seconds, as does each that replaces it; when that ended."""
    clock, engine = Clock(), Playing()

    def services(_: Engine, stack: str | None = None) -> tuple[Service, ...]:
        died = int(clock.passed // lifetime)
        dead = tuple(
            replace(TASK, id=f"dead{number}", state="failed", desired="shutdown", exit_code=1) for number in range(died)
        )
        # For a moment after each death there is nothing that runs.
        fresh = () if clock.passed % lifetime < 0.6 and died else (TASK,)
        return (replace(SERVICE, tasks=(*fresh, *dead)),)

    monkeypatch.setattr(live, "services", services)
    monkeypatch.setattr(converge, "time", clock)
    watch = converge.Watch("app", {"app_nginx": SPEC}, BEFORE, 60, Timing(**options))
    converge.wait(engine, watch, Step("app", None))
    return clock.passed


def test_a_service_that_dies_two_seconds_after_it_was_healthy_fails_the_deploy(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StackFailed, match="3 of its tasks failed"):
        dying(monkeypatch, 2.0)


def test_a_service_that_stays_healthy_for_the_stable_time_is_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 3.0 <= dying(monkeypatch, 20.0) < 4.0
    assert 1.0 <= dying(monkeypatch, 2.0, stable_seconds=1.0) < 2.0
