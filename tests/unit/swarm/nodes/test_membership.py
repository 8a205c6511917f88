import pytest

from swarm.nodes.membership import Adjustment, adjustment, desired_spec, problem
from swarm.settings.environment import Node

SPEC = {"Role": "worker", "Availability": "drain", "Labels": {"rack": "7", "database": "false"}}
READY = {"Status": {"State": "ready"}}
LEADS = {"ManagerStatus": {"Reachability": "reachable"}}
DOWN = {"Status": {"State": "down", "Message": "heartbeat failure"}}


def node(role: str = "manager") -> Node:
    return Node.model_validate({"name": "node-1", "role": role, "labels": {"database": "true"}})


def test_role_and_named_labels_follow_env_yaml_and_all_else_stays() -> None:
    assert desired_spec(SPEC, node(), role=True) == {
        "Role": "manager",
        "Availability": "drain",
        "Labels": {"rack": "7", "database": "true"},
    }


def test_where_nodes_are_not_ours_the_role_stays() -> None:
    assert desired_spec(SPEC, node(), role=False)["Role"] == "worker"


@pytest.mark.parametrize(
    ("role", "entry", "said"),
    [
        ("manager", {**READY, **LEADS}, ""),
        ("worker", READY, ""),
        ("worker", None, "node-1 (not a member)"),
        ("worker", DOWN, "node-1 (down: heartbeat failure)"),
        ("manager", READY, "node-1 (not yet manager)"),
        ("worker", {**READY, **LEADS}, "node-1 (not yet worker)"),
    ],
)
def test_what_keeps_a_node_from_being_ready_is_said(role: str, entry: dict[str, object] | None, said: str) -> None:
    assert problem(node(role), entry) == said


@pytest.mark.parametrize(
    ("role", "labels", "change"),
    [
        ("worker", {"database": "true"}, None),
        ("worker", {}, Adjustment("set the labels of node-1", "labels of node-1 set")),
        ("manager", {}, Adjustment("make node-1 a manager", "node-1 is now a manager")),
    ],
)
def test_a_change_of_a_node_has_words_before_and_after(
    role: str, labels: dict[str, str], change: Adjustment | None
) -> None:
    assert adjustment({"Spec": {"Role": "worker", "Labels": labels}}, node(role), role=True) == change
