"""The cluster from recorded answers of the Docker API."""

import json
from pathlib import Path

import pytest
from activity.portal.cluster import assembled, short_image

DATA = Path(__file__).parent / "data"


def recorded(name):
    return json.loads((DATA / f"{name}.json").read_text())


@pytest.fixture
def cluster():
    names = ("nodes_one_of_four_down", "services_nine", "tasks_one_pending_one_failed")
    return assembled(*(recorded(name) for name in names))


def test_managers_come_first_then_workers_by_name(cluster):
    assert [node.hostname for node in cluster.nodes] == ["node-1", "node-2", "node-3", "node-4"]
    assert cluster.nodes[0].leader


def test_a_node_says_what_it_is(cluster):
    node = cluster.nodes[1]
    assert (node.role, node.state, node.availability, node.engine) == ("worker", "ready", "active", "26.1.5+dfsg1")
    assert (node.cores, node.memory, node.address) == (8, 33_566_871_552, "10.33.0.3")
    assert node.labels == {"database": "true", "zone": "eu-west"}
    assert node.ok


def test_a_node_that_is_down_is_not_ok(cluster):
    node = cluster.nodes[3]
    assert (node.state, node.ok, node.tasks) == ("down", False, ())


def test_tasks_are_by_service_and_slot_and_leave_out_what_was_shut_down(cluster):
    assert [(task.service, task.slot, task.state) for task in cluster.nodes[2].tasks] == [
        ("admin_portal", "1", "running"),
        ("app_nginx", "1", "running"),
        ("archive_ingest", "1", "running"),
        ("db_bootstrap", "1", "complete"),
    ]


def test_a_task_of_a_global_service_has_no_slot(cluster):
    assert next(task.slot for task in cluster.nodes[0].tasks if task.service == "admin_traefik") == ""


def test_a_task_that_no_node_takes_is_shown_with_its_reason(cluster):
    (task,) = cluster.unplaced
    assert (task.service, task.state, task.ok) == ("metrics_victoriametrics", "pending", False)
    assert task.error == "no suitable node (scheduling constraints not satisfied on 3 nodes)"


def test_failures_are_kept_apart_with_their_error(cluster):
    (failure,) = cluster.nodes[2].failures
    assert (failure.service, failure.state, failure.error) == ("archive_ingest", "failed", "task: non-zero exit (70)")


def test_a_moment_in_nanoseconds_is_read(cluster):
    task = cluster.nodes[0].tasks[0]
    assert task.since is not None
    assert task.since.isoformat() == "2026-11-20T08:04:21.907251+00:00"


def test_an_empty_swarm_and_bare_objects_are_no_error():
    bare = assembled([{"ID": "x" * 25}], [{"ID": "s"}], [{"ID": "t", "NodeID": "x" * 25, "DesiredState": "running"}])
    assert bare.nodes[0].hostname == "x" * 12
    assert bare.nodes[0].tasks[0].service == "(removed service)"
    assert assembled([], [], []).tasks == ()


@pytest.mark.parametrize(
    ("image", "short"),
    [
        ("127.0.0.1:5000/swarmstats/activity:9d41e7@sha256:ab", "activity:9d41e7"),
        ("nginx", "nginx"),
        ("nginx:1.27@sha256:ab", "nginx:1.27"),
        ("", ""),
    ],
)
def test_an_image_is_shown_without_registry_and_digest(image, short):
    assert short_image(image) == short
