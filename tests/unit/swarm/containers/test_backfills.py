from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from swarm.containers import backfills
from swarm.engine.client import Engine
from swarm.errors import ArgumentInvalid

INGEST = {
    "Name": "archive_ingest",
    "Labels": {"com.docker.stack.namespace": "archive"},
    "TaskTemplate": {
        "ContainerSpec": {
            "Image": "activity@sha256:1",
            "Args": ["ingest"],
            "Env": ["ACTIVITY_ARCHIVE_URL=https://example.test"],
            "Labels": {"com.docker.stack.namespace": "archive"},
            "Secrets": [{"SecretName": "gha-admin-password"}],
            "Healthcheck": {"Test": ["CMD", "curl"]},
        },
        "Networks": [{"Target": "n1", "Aliases": ["ingest"]}],
        "RestartPolicy": {"Condition": "any"},
        "ForceUpdate": 3,
    },
}


def test_a_backfill_is_a_job_that_has_what_the_ingest_has_and_is_no_part_of_its_stack() -> None:
    words = backfills.arguments("apache", "2015-01-01-0", "", newest_first=True, jobs=3)
    assert words == (*("ingest", "--project", "apache", "--from", "2015-01-01-0", "--newest-first", "--jobs", "3"),)
    spec = backfills.specification(INGEST, "swarmstats-backfill-apache", "apache", words)
    container = spec["TaskTemplate"]["ContainerSpec"]
    assert container["Image"] == "activity@sha256:1"
    assert container["Args"] == list(words)
    assert container["Secrets"] == [{"SecretName": "gha-admin-password"}]
    assert container["Healthcheck"] == {"Test": ["NONE"]}
    assert "com.docker.stack.namespace" not in {**spec["Labels"], **container.get("Labels", {})}
    # Answering to the ingest's name, it would be asked for its metrics and its health.
    assert spec["TaskTemplate"]["Networks"] == [{"Target": "n1"}]
    assert spec["TaskTemplate"]["RestartPolicy"]["Condition"] == "on-failure"
    assert "ReplicatedJob" in spec["Mode"]
    assert INGEST["TaskTemplate"]["ContainerSpec"]["Args"] == ["ingest"]


@pytest.mark.parametrize("hour", ["2015", "2015-01-01", "2015-01-01-24", "2015-13-01-0", "-5h", "x"])
def test_what_is_no_hour_is_said_to_be_none(hour: str) -> None:
    with pytest.raises(ArgumentInvalid, match=r"is not a valid hour\."):
        backfills.arguments("apache", "", hour, newest_first=False, jobs=1)


def task(project: str, state: str, desired: str, second: int = 0) -> dict[str, Any]:
    moment = f"2026-01-01T00:00:{second:02}Z"
    return {
        "ID": f"{project}-{second}", "ServiceID": f"id-of-{project}", "CreatedAt": moment, "DesiredState": desired,
        "JobIteration": {"Index": 7}, "Status": {"State": state, "Timestamp": moment},
    }  # fmt: skip


FAILED, RUNNING, COMPLETE = ("failed", "shutdown"), ("running", "complete"), ("complete", "complete")


@dataclass(frozen=True)
class Swarm(Engine):
    """A swarm with an ingest and backfills in these states: of each project its tasks, oldest first."""

    backfills: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def _list_services(self, stack: str | None = None) -> list[dict[str, Any]]:
        return [
            {
                "ID": f"id-of-{project}",
                "Spec": backfills.specification(INGEST, backfills.PREFIX + project, project, ("ingest",)),
                "JobStatus": {"JobIteration": {"Index": 7}},
            }
            for project in self.backfills
        ]

    def _get_services(self, identity: str) -> dict[str, Any] | None:
        if identity == backfills.INGEST:
            return {"Spec": INGEST}
        return next((item for item in self._list_services() if item["Spec"]["Name"] == identity), None)

    def _list_tasks(self, stack: str | None = None) -> list[dict[str, Any]]:
        return [
            task(project, *state, number)
            for project, states in self.backfills.items()
            for number, state in enumerate(states)
        ]

    def _list_networks(self, stack: str | None = None) -> list[dict[str, Any]]:
        return [{"Id": "n1", "Name": "admin_edge"}] if stack == "admin" else []

    def _create_services(self, spec: Any) -> dict[str, Any]:
        self.done.append(f"create {spec['Name']}")
        return dict(spec)

    def _remove_services(self, identity: str) -> None:
        self.done.append(f"remove {identity}")
        del self.backfills[identity.removeprefix(backfills.PREFIX)]

    @property
    def services(self) -> Any:
        return SimpleNamespace(
            list=self._list_services, get=self._get_services, create=self._create_services, remove=self._remove_services
        )

    @property
    def tasks(self) -> Any:
        return SimpleNamespace(list=self._list_tasks)

    @property
    def networks(self) -> Any:
        return SimpleNamespace(list=self._list_networks)


@pytest.mark.parametrize(
    ("states", "starts"),
    [
        ([], False),
        ([RUNNING], False),
        ([("pending", "complete")], False),
        ([FAILED, RUNNING], False),
        ([FAILED, ("ready", "ready")], False),
        ([("failed", "complete")], False),
        ([FAILED, FAILED], True),
        ([("rejected", "shutdown")], True),
        ([FAILED, COMPLETE], True),
    ],
)
def test_a_backfill_that_ended_however_makes_room_for_a_new_one_and_one_that_swarm_tries_again_does_not(
    states: list[tuple[str, str]], starts: bool
) -> None:
    swarm = Swarm(backfills={"apache": states})
    assert backfills.start(swarm, "apache", ("ingest",)) is starts
    name = "swarmstats-backfill-apache"
    assert swarm.done == ([f"remove {name}", f"create {name}"] if starts else [])


def test_the_failed_backfill_of_another_project_is_left_to_be_seen() -> None:
    swarm = Swarm(backfills={"rust": [FAILED], "moby": [COMPLETE]})
    assert backfills.running(swarm) == {"rust": "failed", "moby": "complete"}
    assert backfills.start(swarm, "apache", ("ingest",))
    assert swarm.done == ["remove swarmstats-backfill-moby", "create swarmstats-backfill-apache"]


def test_backfills_that_ended_or_use_what_goes_cannot_outlive_a_stack() -> None:
    swarm = Swarm(backfills={"apache": [RUNNING], "rust": [FAILED], "moby": [COMPLETE], "cncf": [FAILED, RUNNING]})
    ended = {"rust": "failed", "moby": "complete"}
    assert backfills.bound(swarm, {"metrics"}) == ended
    assert backfills.bound(swarm, {"apache"}) == {"apache": "", **ended}
    assert backfills.bound(swarm, {"archive"}) == {"apache": "", "cncf": "", **ended}
    assert backfills.bound(swarm, {"admin", "db"}) == {"apache": "", "cncf": "", **ended}
    assert backfills.bound(Swarm(), {"admin"}) == {}
