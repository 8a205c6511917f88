from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from swarm.containers import job_attempts, job_spec, jobs
from swarm.containers.job_attempts import Attempt
from swarm.containers.job_spec import Job
from swarm.errors import ChangedMeanwhile, JobFailed, UnknownName
from swarm.live.services import Service
from tests.support.fake_managers import Known

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUNNING = Attempt("t1", 0, "n1", "running", "complete", "", None, NOW, NOW)
COMPLETE = replace(RUNNING, state="complete")
FAILED = replace(RUNNING, state="failed", desired="shutdown", error="task: non-zero exit (3)", code=3)
BOOTSTRAP = Service(
    id="s1", name="db_bootstrap", stack="db", mode="replicated-job", image="activity", desired=1,
    update="", update_message="", labels={}, tasks=(),
)  # fmt: skip
HAPROXY = replace(BOOTSTRAP, name="db_haproxy", mode="replicated")


def later(attempt: Attempt, seconds: int, **changes: Any) -> Attempt:
    moment = NOW + timedelta(seconds=seconds)
    return replace(attempt, id=f"t{seconds}", created=moment, since=moment, **changes)


def test_a_job_that_runs_has_not_ended() -> None:
    assert job_attempts.verdict([], 1) is None
    assert job_attempts.verdict([RUNNING], 1) is None


def test_a_job_has_ended_when_all_its_completions_are_there() -> None:
    assert job_attempts.verdict([COMPLETE], 1) == COMPLETE
    assert job_attempts.verdict([COMPLETE], 2) is None
    assert job_attempts.verdict([COMPLETE, later(COMPLETE, 2, slot=1)], 2) is not None


def test_a_failed_task_that_was_replaced_is_not_the_end() -> None:
    assert job_attempts.verdict([FAILED, later(RUNNING, 5)], 1) is None
    assert job_attempts.verdict([FAILED, later(COMPLETE, 5)], 1) == later(COMPLETE, 5)


def test_a_failed_task_of_which_swarm_has_not_decided_yet_is_not_the_end() -> None:
    assert job_attempts.verdict([replace(FAILED, desired="complete")], 1) is None


def test_a_failed_task_that_nothing_replaced_decides_once_no_other_runs() -> None:
    second = later(FAILED, 5, code=4)
    assert job_attempts.verdict([FAILED, second], 1) == second
    assert job_attempts.verdict([second, later(RUNNING, 6, slot=1)], 2) is None
    assert job_attempts.verdict([second, later(FAILED, 6, slot=1)], 2) == second


def test_tasks_of_earlier_iterations_do_not_count() -> None:
    raw = {
        "ID": "t1", "CreatedAt": "2026-01-01T00:00:00.5Z", "DesiredState": "complete", "JobIteration": {},
        "Status": {"State": "failed", "Timestamp": "2026-01-01T00:00:01Z", "ContainerStatus": {"ExitCode": 3}},
    }  # fmt: skip
    newer = {**raw, "ID": "t2", "Slot": 1, "NodeID": "n1", "JobIteration": {"Index": 12}}
    assert [attempt.id for attempt in job_attempts.attempts([newer, raw], 0)] == ["t1"]
    (attempt,) = job_attempts.attempts([newer, raw], 12)
    assert (attempt.id, attempt.slot, attempt.node, attempt.code) == ("t2", 1, "n1", 3)


def test_a_job_is_found_by_stack_and_name_or_by_full_name() -> None:
    assert jobs.find([BOOTSTRAP, HAPROXY], "db/bootstrap") == BOOTSTRAP
    assert jobs.find([BOOTSTRAP, HAPROXY], "db_bootstrap") == BOOTSTRAP


def test_what_is_no_job_is_an_error_with_the_jobs_there_are() -> None:
    with pytest.raises(UnknownName, match="Did you mean db/bootstrap"):
        jobs.find([BOOTSTRAP, HAPROXY], "db/bootstap")
    with pytest.raises(JobFailed, match="db/haproxy is not a job: its mode is replicated") as caught:
        jobs.find([BOOTSTRAP, HAPROXY], "db/haproxy")
    assert caught.value.hint == "Jobs: db/bootstrap."


def test_an_ad_hoc_job_runs_once_without_rights_and_is_labelled() -> None:
    job = Job("activity:1", ("probe",), networks=("admin_edge",), environment={"A": "1"})
    spec = job_spec.specification("swarmstats-job-x", {jobs.LABEL: "x"}, job, {"Secrets": [], "Configs": []})
    template = spec["TaskTemplate"]
    assert spec["Labels"] == {jobs.LABEL: "x"}
    assert spec["Mode"] == {"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}}
    assert template["RestartPolicy"] == {"Condition": "none"}
    assert template["Networks"] == [{"Target": "admin_edge"}]
    container = template["ContainerSpec"]
    assert (container["Args"], container["Env"], container["CapabilityDrop"]) == (["probe"], ["A=1"], ["ALL"])
    assert "Command" not in container


def labels(owner: str, minutes: int) -> dict[str, str]:
    return {jobs.OWNER: owner, jobs.UNTIL: (NOW + timedelta(minutes=minutes)).isoformat()}


def test_a_job_is_abandoned_when_its_time_is_over_or_its_process_here_is_gone() -> None:
    assert jobs.abandoned(labels("elsewhere:1", -1), NOW, "here")
    assert jobs.abandoned(labels("here:4194305", 5), NOW, "here")
    assert jobs.abandoned({}, NOW, "here")
    assert not jobs.abandoned(labels("elsewhere:4194305", 5), NOW, "here")
    assert not jobs.abandoned(labels("here:1", 5), NOW, "here")


def test_a_job_runs_once_also_where_the_answer_to_having_it_run_was_lost() -> None:
    engine = Known(patience=5, pause=0.01)
    spec = {"Name": "db_bootstrap", "TaskTemplate": {"ContainerSpec": {"Image": "activity"}, "ForceUpdate": 2}}
    identity = str(engine.managers.put("services", spec)["ID"])
    engine.managers.lose_answer()
    assert jobs._again(engine, identity)["Spec"]["TaskTemplate"]["ForceUpdate"] == 3
    assert len(engine.managers.told) == 1


def test_a_job_that_somebody_else_changed_meanwhile_is_not_taken_for_one_that_runs() -> None:
    engine = Known()
    spec = {"Name": "db_bootstrap", "TaskTemplate": {"ContainerSpec": {"Image": "activity"}}}
    held = engine.managers.put("services", spec)

    def crossing(method: str, path: str) -> None:
        if method == "POST":
            held["Version"] = {"Index": 99}

    engine.managers.before = crossing
    with pytest.raises(ChangedMeanwhile):
        jobs._again(engine, str(held["ID"]))
