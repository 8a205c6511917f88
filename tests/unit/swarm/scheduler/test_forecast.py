from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest

from swarm.live.services import Snapshot
from swarm.scheduler import forecast as capacity
from swarm.scheduler.forecast import Blocked

GIB = 2**30
Raw = dict[str, Any]
PLUGINS = [
    {"Type": "Log", "Name": "json-file"},
    {"Type": "Network", "Name": "overlay"},
    {"Type": "Volume", "Name": "local"},
]


def node(
    name: str, *, gib: int = 4, cpus: int = 4, role: str = "worker", generic: Iterable[Raw] = (), **more: Any
) -> Raw:
    return {
        "ID": f"id-{name}",
        "Spec": {"Role": role, "Availability": more.get("availability", "active"), "Labels": more.get("labels", {})},
        "Description": {
            "Hostname": name,
            "Platform": {"OS": "linux", "Architecture": more.get("arch", "x86_64")},
            "Resources": {"NanoCPUs": cpus * 10**9, "MemoryBytes": gib * GIB, "GenericResources": list(generic)},
            "Engine": {"Plugins": PLUGINS},
        },
        "Status": {"State": more.get("state", "ready"), "Addr": "10.0.0.1"},
    }


def spec(
    name: str, mode: Raw | int = 1, *, constraints: Iterable[str] = (), gib: float = 0, host: Iterable[int] = (),
    ingress: Iterable[int] = (), order: str = "stop-first", **more: Any,
) -> Raw:  # fmt: skip
    ports = [{"TargetPort": 1, "PublishedPort": port, "PublishMode": "host", "Protocol": "tcp"} for port in host]
    ports += [{"TargetPort": 1, "PublishedPort": port} for port in ingress]
    reservations = {"MemoryBytes": int(gib * GIB), "NanoCPUs": int(more.get("cpus", 0) * 10**9)}
    return {
        "Name": name,
        "TaskTemplate": {
            "ContainerSpec": {"Image": "image", "Mounts": more.get("mounts", [])},
            "Resources": {"Reservations": {**reservations, "GenericResources": more.get("generic", [])}},
            "Placement": {
                "Constraints": list(constraints),
                "MaxReplicas": more.get("at_most", 0),
                "Platforms": more.get("platforms"),
            },
            "Networks": more.get("networks"),
            "LogDriver": more.get("log"),
        },
        "Mode": {"Replicated": {"Replicas": mode}} if isinstance(mode, int) else mode,
        "UpdateConfig": {"Order": order},
        "EndpointSpec": {"Ports": ports},
    }


def swarm(nodes: Iterable[Raw], running: Iterable[tuple[Raw, Iterable[str]]] = (), state: str = "running") -> Snapshot:
    """A swarm in which services run one task on each node that is named with them."""
    services, tasks, identity = [], [], count()
    for given, places in running:
        services.append({"ID": f"s-{given['Name']}", "Spec": given})
        for slot, place in enumerate(places, 1):
            tasks.append(
                {
                    "ID": f"t{next(identity)}", "ServiceID": f"s-{given['Name']}", "NodeID": f"id-{place}",
                    **({} if "Global" in given["Mode"] else {"Slot": slot}),
                    "Spec": given["TaskTemplate"], "Status": {"State": state}, "DesiredState": "running",
                }
            )  # fmt: skip
    networks = [{"Id": "n1", "Name": "admin_edge", "Driver": "overlay"}, {"Id": "n2", "Name": "odd", "Driver": "weave"}]
    return Snapshot(tuple(nodes), tuple(services), tuple(tasks), tuple(networks))


def forecast(snapshot: Snapshot, *desired: Raw, volumes: Any = None, kept: Iterable[str] = ()) -> list[Blocked]:
    return capacity.forecast({item["Name"]: item for item in desired}, snapshot, volumes or {}, set(kept))


def only(found: list[Blocked]) -> Blocked:
    assert len(found) == 1, found
    return found[0]


FOUR = [node(f"node-{number}") for number in range(1, 5)]
TWO = FOUR[:2]


def test_what_fits_is_not_mentioned() -> None:
    assert forecast(swarm(FOUR), spec("app_nginx", 8, gib=1.5), spec("app_api", {"Global": {}}, gib=1)) == []


def test_a_label_that_no_node_has_blocks_every_task() -> None:
    found = only(forecast(swarm(FOUR), spec("app_nginx", 2, constraints=["node.labels.zone == eu"])))
    assert (found.service, found.tasks, found.of, found.certain) == ("app_nginx", 2, 2, True)
    assert found.reason == "0 of 4 nodes have label zone=eu"
    assert "docker node update --label-add zone=eu NODE" in found.hint


@pytest.mark.parametrize(
    ("given", "reason", "hint"),
    [
        ({"availability": "drain"}, "node-1 is drained", "docker node update --availability active node-1"),
        ({"availability": "pause"}, "node-1 is paused", "docker node update --availability active node-1"),
        ({"state": "down"}, "node-1 is down", "./run swarm.start"),
        ({"state": "unknown"}, "node-1 is unknown", "./run swarm.start"),
        ({"arch": "aarch64"}, "node-1 is linux/arm64 and the image is for linux/amd64", "Build the image for"),
    ],
)  # fmt: skip
def test_a_node_that_is_not_ready_or_of_another_kind_takes_nothing(given: Raw, reason: str, hint: str) -> None:
    platforms = [{"OS": "linux", "Architecture": "amd64"}]
    found = only(forecast(swarm([node("node-1", **given)]), spec("app_nginx", platforms=platforms)))
    assert found.reason == reason
    assert hint in found.hint


def test_architectures_have_two_names_each() -> None:
    platforms = [{"OS": "linux", "Architecture": "amd64"}]
    assert forecast(swarm([node("node-1", arch="x86_64")]), spec("app_nginx", platforms=platforms)) == []


def test_the_reason_speaks_of_the_nodes_that_constraints_allow_and_counts_the_others() -> None:
    nodes = [node("node-1", labels={"db": "true"}, availability="drain"), node("node-2"), node("node-3")]
    found = only(forecast(swarm(nodes), spec("db_postgres", constraints=["node.labels.db == true"])))
    assert found.reason == "node-1 is drained; 2 of 3 nodes do not meet node.labels.db == true"


def test_memory_that_running_tasks_reserve_is_not_free() -> None:
    busy = swarm(TWO, [(spec("db_postgres", 2, gib=3), ["node-1", "node-2"])])
    found = only(forecast(busy, spec("app_nginx", gib=2)))
    assert found.reason == (
        "node-1 has 1.0 GiB left of the 2.0 GiB memory reserved; node-2 has 1.0 GiB left of the 2.0 GiB memory reserved"
    )
    assert found.hint == "Reserve less memory, free some (./run status), or add a node."


def test_cpus_and_generic_resources_are_counted_in_named_and_discrete_form() -> None:
    named = [{"NamedResourceSpec": {"Kind": "gpu", "Value": f"uuid{number}"}} for number in range(2)]
    places = [
        node("node-1", generic=named),
        node("node-2", generic=[{"DiscreteResourceSpec": {"Kind": "gpu", "Value": 1}}]),
    ]
    wanted = [{"DiscreteResourceSpec": {"Kind": "gpu", "Value": 1}}]
    assert forecast(swarm(places), spec("ml_train", 3, generic=wanted)) == []
    found = only(forecast(swarm(places), spec("ml_train", 4, generic=wanted)))
    assert (found.tasks, found.of) == (1, 4)
    assert "node-1 has 0 left of the 1 gpu reserved" in found.reason
    assert "node-1 has 4.00 left of the 5.00 CPUs reserved" in only(forecast(swarm(TWO), spec("a_b", cpus=5))).reason


def test_two_services_that_compete_for_the_same_memory_are_found() -> None:
    assert forecast(swarm(TWO), spec("a_one", 2, gib=3)) == []
    found = only(forecast(swarm(TWO), spec("a_one", 2, gib=3), spec("b_two", 2, gib=2)))
    assert (found.service, found.tasks, found.of, found.certain) == ("b_two", 2, 2, True)


def test_what_fits_only_when_ties_are_broken_well_is_not_certain() -> None:
    found = only(
        forecast(swarm(TWO), spec("a_one", gib=3), spec("b_two", gib=3, constraints=["node.hostname == node-1"]))
    )
    assert (found.service, found.certain) == ("b_two", False)


def test_a_service_that_is_updated_gives_its_own_room_back() -> None:
    old, new = spec("db_postgres", 2, gib=3), spec("db_postgres", 2, gib=4)
    assert forecast(swarm(TWO, [(old, ["node-1", "node-2"])]), new) == []


def test_start_first_needs_room_for_both_tasks() -> None:
    new = spec("db_postgres", gib=3, order="start-first")
    found = only(forecast(swarm(TWO[:1], [(new, ["node-1"])]), new))
    assert found.reason.startswith("its update starts the new task before the old one stops: node-1 has 1.0 GiB left")
    assert "order: stop-first" in found.hint
    assert forecast(swarm(TWO, [(new, ["node-1"])]), new) == []


def test_a_port_of_a_host_has_one_owner() -> None:
    taken = swarm(TWO, [(spec("admin_traefik", 2, host=[80]), ["node-1", "node-2"])])
    found = only(forecast(taken, spec("app_nginx", host=[80])))
    assert found.reason == (
        "host port 80/tcp of node-1 is taken by admin_traefik; host port 80/tcp of node-2 is taken by admin_traefik"
    )
    assert forecast(taken, spec("app_nginx", host=[81])) == []


def test_replicas_with_a_host_port_need_a_node_each() -> None:
    found = only(forecast(swarm(TWO), spec("app_nginx", 3, host=[80])))
    assert (found.tasks, found.of) == (1, 3)
    assert "host port 80/tcp of node-1 is taken by another task of its own" in found.reason


def test_start_first_with_a_host_port_cannot_be_updated_where_every_node_has_a_task() -> None:
    for order, blocked in (("start-first", 1), ("stop-first", 0)):
        traefik = spec("admin_traefik", host=[80], order=order, constraints=["node.hostname == node-1"])
        assert len(forecast(swarm(TWO, [(traefik, ["node-1"])]), traefik)) == blocked


@pytest.mark.parametrize(("parallelism", "waiting"), [(1, 1), (2, 2), (0, 3)])
def test_an_update_that_cannot_start_stops_at_its_first_tasks(parallelism: int, waiting: int) -> None:
    given = spec("app_nginx", 3, host=[80])
    given["UpdateConfig"] = {"Order": "start-first", "Parallelism": parallelism}
    found = only(forecast(swarm(FOUR[:3], [(given, ["node-1", "node-2", "node-3"])]), given))
    assert (found.tasks, found.of) == (waiting, 3)


def test_a_service_that_keeps_its_tasks_needs_room_for_new_replicas_only() -> None:
    old, new = (spec("admin_traefik", replicas, host=[80], order="start-first") for replicas in (1, 2))
    assert forecast(swarm(TWO, [(old, ["node-1"])]), new, kept=["admin_traefik"]) == []
    found = only(forecast(swarm(TWO[:1], [(old, ["node-1"])]), new, kept=["admin_traefik"]))
    assert (found.tasks, found.of) == (1, 2)
    assert not found.reason.startswith("its update")


def test_a_kept_task_whose_node_meets_the_constraints_no_longer_is_placed_anew() -> None:
    old, new = spec("app_nginx"), spec("app_nginx", constraints=["node.hostname == node-2"], order="start-first")
    full = node("node-2", availability="drain")
    found = only(forecast(swarm([TWO[0], full], [(old, ["node-1"])]), new, kept=["app_nginx"]))
    assert found.reason.startswith("node-2 is drained")


def test_a_port_in_ingress_mode_has_one_owner_in_the_swarm() -> None:
    busy = swarm(TWO, [(spec("admin_traefik", ingress=[80]), ["node-1"])])
    for other in (spec("app_nginx", ingress=[80]), spec("app_nginx", host=[80])):
        assert "port 80/tcp is already published by admin_traefik" in only(forecast(busy, other)).reason
    assert forecast(busy, spec("admin_traefik", ingress=[80])) == []
    assert forecast(busy, spec("admin_traefik", ingress=[81]), spec("app_nginx", ingress=[80])) == []


def test_no_more_replicas_than_allowed_go_to_a_node() -> None:
    found = only(forecast(swarm(TWO), spec("app_nginx", 5, at_most=2)))
    assert (found.tasks, found.of) == (1, 5)
    assert found.reason == "node-1 runs 2 of at most 2 per node; node-2 runs 2 of at most 2 per node"
    full = spec("app_nginx", 2, at_most=1)
    assert forecast(swarm(TWO, [(full, ["node-1", "node-2"])]), full) == []
    full = spec("app_nginx", 2, at_most=1, order="start-first")
    assert "starts the new task before" in only(forecast(swarm(TWO, [(full, ["node-1", "node-2"])]), full)).reason


def test_drivers_that_no_node_has_are_named() -> None:
    mount = {"Type": "volume", "Source": "data", "VolumeOptions": {"DriverConfig": {"Name": "rexray"}}}
    assert "node-1 has no volume driver rexray" in only(forecast(swarm(TWO), spec("a_b", mounts=[mount]))).reason
    assert "has no log driver loki" in only(forecast(swarm(TWO), spec("a_b", log={"Name": "loki"}))).reason
    assert "has no network driver weave" in only(forecast(swarm(TWO), spec("a_b", networks=[{"Target": "odd"}]))).reason
    fine = spec("a_b", networks=[{"Target": "admin_edge"}, {"Target": "new"}], log={"Name": "json-file"})
    assert forecast(swarm(TWO), fine) == []


def test_a_global_service_is_blocked_on_the_nodes_that_cannot_take_it() -> None:
    nodes = [*TWO, node("node-3", gib=1), node("node-4", availability="drain"), node("node-5", availability="pause")]
    found = only(forecast(swarm(nodes), spec("m_exporter", {"Global": {}}, gib=2)))
    assert (found.tasks, found.of) == (1, 4)
    assert found.reason == "node-3 has 1.0 GiB left of the 2.0 GiB memory reserved"


def test_a_global_service_that_matches_no_node_is_a_warning() -> None:
    found = only(forecast(swarm(TWO), spec("m_exporter", {"Global": {}}, constraints=["node.labels.zone == eu"])))
    assert (found.tasks, found.of, found.certain) == (0, 0, False)
    assert found.reason == "it is global and would not run on any node: 0 of 2 nodes have label zone=eu"


def test_a_global_service_with_host_ports_and_start_first_cannot_be_updated() -> None:
    given = spec("m_exporter", {"Global": {}}, host=[9100], order="start-first")
    found = only(forecast(swarm(TWO, [(given, ["node-1", "node-2"])]), given))
    assert (found.tasks, found.of) == (1, 2)
    assert found.reason.startswith("its update starts the new task before the old one stops: host port 9100/tcp")


def test_zero_replicas_need_nothing() -> None:
    assert forecast(swarm(TWO), spec("app_nginx", 0, constraints=["node.labels.zone == eu"], gib=99)) == []


def test_scaling_down_frees_room_for_others() -> None:
    old, new = (spec("db_postgres", replicas, gib=4) for replicas in (2, 1))
    assert forecast(swarm(TWO, [(old, ["node-1", "node-2"])]), new, spec("a_one", gib=4), kept=["db_postgres"]) == []


def test_room_that_a_later_update_frees_serves_a_service_that_came_earlier() -> None:
    old, new = spec("b_two", gib=4), spec("b_two", gib=1)
    assert forecast(swarm(TWO[:1], [(old, ["node-1"])]), spec("a_one", gib=3), new) == []


def job(name: str, total: int, at_once: int, **more: Any) -> Raw:
    return spec(name, {"ReplicatedJob": {"TotalCompletions": total, "MaxConcurrent": at_once}}, **more)


def test_a_job_waits_for_room_that_it_gives_back_itself() -> None:
    assert forecast(swarm(TWO), job("db_migrate", 10, 5, gib=3), spec("a_one", 2, gib=4)) == []
    found = only(forecast(swarm(TWO), job("db_migrate", 10, 5, gib=5)))
    assert (found.tasks, found.of) == (5, 5)
    assert only(forecast(swarm(TWO), job("db_migrate", 1, 5, gib=5))).of == 1
    assert forecast(swarm(TWO), job("db_migrate", 1, 1, gib=5), kept=["db_migrate"]) == []


def test_tasks_of_jobs_end_by_themselves_and_hold_nothing_up() -> None:
    busy = swarm(TWO[:1], [(job("db_migrate", 1, 1, gib=4), ["node-1"])])
    assert forecast(busy, spec("a_one", gib=4)) == []


def test_tasks_that_are_going_or_wait_themselves_hold_nothing() -> None:
    for state in ("complete", "failed", "pending", "shutdown"):
        ended = swarm(TWO[:1], [(spec("b_two", gib=4), ["node-1"])], state)
        assert forecast(ended, spec("a_one", gib=4)) == [], state


def test_a_task_on_a_node_that_is_gone_is_placed_elsewhere() -> None:
    given = spec("a_one", gib=3, order="start-first")
    lost = swarm([node("node-1", state="down"), TWO[1]], [(given, ["node-1"])])
    assert forecast(lost, given) == []


def test_without_nodes_everything_waits() -> None:
    assert only(forecast(swarm([]), spec("a_one"))).reason == "the swarm has no nodes"


MOUNT = {"Type": "volume", "Source": "db_data", "Target": "/data"}
ON_2 = {"node-1": {}, "node-2": {"db_data": {"Driver": "local", "Options": None}}, "node-3": {}, "node-4": {}}


def test_a_volume_on_a_node_that_constraints_exclude_is_a_warning() -> None:
    postgres = spec("db_postgres", constraints=["node.hostname == node-3"], mounts=[MOUNT])
    found = only(forecast(swarm(FOUR), postgres, volumes=ON_2))
    assert (found.tasks, found.of, found.certain) == (1, 1, False)
    assert found.reason == "its volume db_data is on node-2, and its tasks can only go to node-3"
    assert found.hint.startswith("It would start with an empty volume there.")


def test_a_volume_whose_node_is_allowed_or_that_may_be_elsewhere_is_no_warning() -> None:
    free = spec("db_postgres", mounts=[MOUNT])
    pinned = spec("db_postgres", constraints=["node.hostname == node-3"], mounts=[MOUNT])
    assert forecast(swarm(FOUR), free, volumes=ON_2) == []
    assert forecast(swarm(FOUR), pinned, volumes={"node-2": ON_2["node-2"]}) == []
    shared = {**ON_2, "node-2": {"db_data": {"Driver": "local", "Options": {"type": "nfs", "device": ":/data"}}}}
    assert forecast(swarm(FOUR), pinned, volumes=shared) == []
    mount = {**MOUNT, "VolumeOptions": {"DriverConfig": {"Name": "local", "Options": {"device": ":/data"}}}}
    assert (
        forecast(
            swarm(FOUR),
            {**pinned, "TaskTemplate": {**pinned["TaskTemplate"], "ContainerSpec": {"Mounts": [mount]}}},
            volumes=ON_2,
        )
        == []
    )


def test_long_lists_of_nodes_are_cut() -> None:
    nodes = [node(f"node-{number}", gib=1) for number in range(9)]
    assert only(forecast(swarm(nodes), spec("a_one", gib=2))).reason.endswith("; and 6 more nodes")
