from dataclasses import replace
from datetime import UTC, datetime, timedelta

from swarm import converge
from swarm.live import Service, Task

NOW = datetime.now(UTC)
TASK = Task(
    id="t1", slot="1", node="node-2", state="running", desired="running", error="", exit_code=None,
    since=NOW, created=NOW, current=True,
)  # fmt: skip
SERVICE = Service(
    id="s1", name="app_nginx", stack="app", mode="replicated", image="nginx", digest="d1", desired=1,
    update="", update_message="", labels={}, tasks=(TASK,),
)  # fmt: skip
BEFORE = NOW - timedelta(seconds=60)


def test_a_stack_is_settled_when_exactly_the_wanted_services_are_healthy() -> None:
    assert converge.settled([SERVICE], {"app_nginx": "d1"})
    assert not converge.settled([SERVICE], {"app_nginx": "d2"})
    assert not converge.settled([SERVICE], {"app_nginx": "d1", "app_api": "d3"})
    assert not converge.settled([SERVICE, replace(SERVICE, name="app_old")], {"app_nginx": "d1"})


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
    assert converge.failure(service, BEFORE) == "its update was rollback completed: update rolled back"


def test_one_failed_task_may_still_recover_and_three_may_not() -> None:
    failed = replace(TASK, state="failed", desired="shutdown")
    assert converge.failure(replace(SERVICE, tasks=(failed,)), BEFORE) == ""
    assert converge.failure(replace(SERVICE, tasks=(failed,) * 3), BEFORE) == "3 of its tasks failed"


def test_tasks_that_failed_before_this_deploy_are_not_held_against_it() -> None:
    old = replace(TASK, state="failed", created=BEFORE - timedelta(seconds=1))
    assert converge.failure(replace(SERVICE, tasks=(old,) * 5), BEFORE) == ""


def test_a_task_that_no_node_takes_is_a_failure_after_a_while() -> None:
    waiting = replace(TASK, state="pending", error="no suitable node", created=NOW - timedelta(seconds=30))
    assert converge.failure(replace(SERVICE, tasks=(waiting,)), BEFORE) == "no node can run it: no suitable node"
    assert converge.failure(replace(SERVICE, tasks=(replace(waiting, created=NOW),)), BEFORE) == ""


def test_the_summary_names_only_what_is_waited_for() -> None:
    waiting = replace(SERVICE, name="app_api", tasks=())
    assert converge.summary([SERVICE, waiting]) == "api 0/1"
    assert converge.summary([SERVICE]) == "all healthy, watching"
