"""The cluster page, from a Docker API over real HTTP."""

import re
from html import unescape


def words(answer):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def test_nodes_and_the_tasks_on_each_are_shown(swarm_manager, portal):
    page = portal.get("/cluster")
    assert page.status_code == 200
    told = words(page)
    assert "4 nodes, 9 services, 9 of 11 tasks running." in told
    assert "Not assigned 1 waiting" in told
    assert "no suitable node (scheduling constraints not satisfied on 3 nodes)" in told
    assert "Role manager, leader State ready, active Engine 26.1.5+dfsg1 Size 4 CPU, 7.77 GiB" in told
    assert "node-4 down" in told
    assert "1 earlier failure" in told


def test_the_cluster_is_given_as_json(swarm_manager, portal):
    told = portal.get("/api/cluster").json()
    assert [node["hostname"] for node in told["nodes"]] == ["node-1", "node-2", "node-3", "node-4"]
    assert told["nodes"][1]["labels"] == {"database": "true", "zone": "eu-west"}
    assert told["nodes"][0]["tasks"][0]["service"] == "admin_portal"
    assert told["unplaced"][0]["state"] == "pending"


def test_an_api_out_of_reach_is_said_plainly(portal):
    page = portal.get("/cluster")
    assert page.status_code == 503
    assert "Cluster unavailable" in words(page)
    assert "http://127.0.0.1:9 does not answer" in words(page)
    assert portal.get("/api/cluster").status_code == 503


def test_a_node_that_is_no_manager_is_said_plainly(swarm_worker, portal):
    assert "rejected /nodes (503): This node is not a swarm manager." in words(portal.get("/cluster"))


def test_something_that_is_not_docker_is_said_plainly(not_docker, portal):
    assert "is not the Docker API: /nodes is not JSON." in words(portal.get("/cluster"))
