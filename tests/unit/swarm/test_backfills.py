import pytest

from swarm import backfills
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
    with pytest.raises(ArgumentInvalid, match=r"is no hour\."):
        backfills.arguments("apache", "", hour, newest_first=False, jobs=1)
