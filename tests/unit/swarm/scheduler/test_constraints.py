from typing import Any

import pytest

from swarm.scheduler import constraints

NODE: dict[str, Any] = {
    "ID": "abc1",
    "Spec": {"Role": "worker", "Availability": "active", "Labels": {"zone": "EU", "Disk": "ssd"}},
    "Description": {
        "Hostname": "node-1",
        "Platform": {"OS": "linux", "Architecture": "x86_64"},
        "Engine": {"Labels": {"rack": "7"}},
    },
    "Status": {"State": "ready", "Addr": "10.0.0.7"},
}


def node(name: str, **labels: str) -> dict[str, Any]:
    return {
        **NODE,
        "ID": f"id-{name}",
        "Spec": {**NODE["Spec"], "Labels": labels},
        "Description": {**NODE["Description"], "Hostname": name},
    }


def met(text: str) -> bool:
    return constraints.met(constraints.parse([text]), NODE)


@pytest.mark.parametrize(
    "text",
    [
        "node.id==abc1", "node.hostname == NODE-1", "NODE.ROLE == worker", "node.role != manager",
        "node.platform.os == linux", "node.platform.arch == x86_64", "node.ip == 10.0.0.7", "node.ip == 10.0.0.0/24",
        "node.ip != 10.0.1.0/24", "node.labels.zone == eu", "node.labels.zone != us", "node.labels.none != x",
        "engine.labels.rack == 7", "engine.labels.rack != 8",
    ],
)  # fmt: skip
def test_what_a_node_is_meets_its_constraint_without_regard_to_case(text: str) -> None:
    assert met(text)


@pytest.mark.parametrize(
    "text",
    [
        "node.id == other", "node.hostname != node-1", "node.role == manager", "node.ip == 10.0.0.8",
        "node.ip != 10.0.0.0/8", "node.ip == nowhere", "node.ip != nowhere", "node.labels.disk == ssd",
        "node.labels.zone == us", "node.labels.none == x", "engine.labels.none == x", "node.colour == red",
        "node.colour != red",
    ],
)  # fmt: skip
def test_what_a_node_is_not_meets_nothing_and_names_of_labels_have_a_case(text: str) -> None:
    assert not met(text)


def test_one_malformed_constraint_switches_all_off_as_in_the_scheduler() -> None:
    assert constraints.parse(["node.role == manager", "node.role > worker"]) == ()
    assert constraints.parse(["node.labels.a b == c"]) == ()


def test_a_constraint_pins_when_somebody_chose_the_node() -> None:
    pinning, kind, negative = constraints.parse(["node.labels.db == true", "node.role == manager", "node.id != x"])
    assert (pinning.pins, kind.pins, negative.pins) == (True, False, False)


def explain(texts: list[str], *nodes: dict[str, Any]) -> tuple[str, str]:
    return constraints.explain(constraints.parse(texts), nodes)


def test_a_label_that_no_node_has_is_told_with_the_command_that_sets_it() -> None:
    reason, hint = explain(["node.labels.zone==eu"], node("node-1"), node("node-2"), node("node-3"))
    assert reason == "0 of 3 nodes have label zone=eu"
    assert hint == ("docker node update --label-add zone=eu NODE, or nodes[].labels in env.yaml and ./run swarm.init.")


def test_another_value_or_a_misspelt_name_of_a_label_is_told_as_nearest() -> None:
    reason, _ = explain(["node.labels.zone == eu"], node("node-1", zone="us"), node("node-2"))
    assert reason == "0 of 2 nodes have label zone=eu; nearest: zone=us on node-1"
    reason, _ = explain(["node.labels.database == true"], node("node-1", databse="true"), node("node-2"))
    assert reason == "0 of 2 nodes have label database=true; nearest: databse=true on node-1"


def test_with_more_constraints_the_node_that_misses_fewest_is_nearest() -> None:
    wanted = ["node.role == worker", "node.labels.zone == eu"]
    reason, _ = explain(wanted, {**node("node-1"), "Spec": {"Role": "manager"}}, node("node-2"))
    assert reason == "0 of 2 nodes have label zone=eu; nearest: node-2"


def test_constraints_that_are_met_on_different_nodes_only_are_told_together() -> None:
    reason, hint = explain(["node.labels.a == 1", "node.labels.b == 2"], node("node-1", a="1"), node("node-2", b="2"))
    assert reason.startswith("no node meets node.labels.a == 1 and node.labels.b == 2 at once; ")
    assert reason.endswith("the nearest, node-1, does not meet node.labels.b == 2")
    assert hint.startswith("docker node update --label-add b=2 node-1")


def test_other_facts_are_told_with_what_they_are_here() -> None:
    reason, hint = explain(["node.hostname == node-9"], node("node-1"), node("node-2"))
    assert reason == "0 of 2 nodes meet node.hostname == node-9"
    assert hint == "Change the constraint: node.hostname is node-1 or node-2 here."
    assert "Swarm knows node.id" in explain(["node.colour == red"], node("node-1"))[1]
    assert explain(["node.labels.a != 1"], node("node-1", a="1"))[1].startswith("docker node update --label-rm a NODE")
