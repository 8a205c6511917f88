from swarm.nodes.lifecycle import node_status

ENTRY = {
    "ID": "jp71mji7rmwm",
    "Spec": {"Role": "manager", "Availability": "active", "Labels": {"zone": "a", "database": "true"}},
    "Description": {"Hostname": "node-1", "Engine": {"EngineVersion": "26.1.5"}},
    "Status": {"State": "ready", "Addr": "10.210.0.11"},
    "ManagerStatus": {"Leader": True, "Reachability": "reachable"},
}


def test_a_node_is_shown_as_the_swarm_sees_it() -> None:
    row = node_status(ENTRY)
    assert (row.name, row.role, row.availability, row.state) == ("node-1", "manager, leader", "active", "ready")
    assert (row.engine, row.address, row.label_text) == ("26.1.5", "10.210.0.11", "database=true zone=a")


def test_a_node_that_never_answered_is_shown_by_its_id() -> None:
    silent = {"ID": "abc", "Spec": {"Role": "worker", "Availability": "active"}, "Description": {}}
    row = node_status({**silent, "Status": {"State": "unknown"}})
    assert (row.name, row.role, row.engine, row.labels) == ("abc", "worker", "", {})
