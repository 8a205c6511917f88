import json
from typing import Any

import pytest

from swarm import doctor
from swarm.errors import EnvironmentInvalid
from swarm.settings import postgres
from swarm.stacks import stack
from swarm.stacks.targets import Target
from tests.unit.swarm.conftest import ENV, Make

HA = ENV + "db: {mode: ha}\n"
MEMBERS = [*(f"etcd{number}" for number in (1, 2, 3)), *(f"patroni{number}" for number in (1, 2, 3))]


def parameters(make: Make, db: str) -> dict[str, str]:
    return postgres.of(make(f"{ENV}db: {{{db}}}\n")).parameters


def test_sizes_follow_from_the_memory_and_what_is_given_stands(make: Make) -> None:
    found = parameters(make, "memory: 16G")
    assert (found["shared_buffers"], found["effective_cache_size"]) == ("4096MB", "12288MB")
    assert (found["work_mem"], found["maintenance_work_mem"]) == ("256MB", "2048MB")
    given = parameters(make, "memory: 16G, shared_buffers: 1GB, parameters: {jit: on, work_mem: 7MB}")
    assert (given["shared_buffers"], given["work_mem"], given["jit"]) == ("1GB", "7MB", "on")


@pytest.mark.parametrize(
    ("db", "values", "bytes_"),
    [("", "", 256 * 1024**2), ("memory: 16G", "", 4 * 1024**3), ("memory: 16G", "shared_memory: 77", 77)],
)
def test_parallel_queries_have_room_for_what_they_share(make: Make, db: str, values: str, bytes_: int) -> None:
    for mode, server in (("single", "postgres"), ("ha", "patroni3")):
        given = make(f"{ENV}db: {{{', '.join(filter(None, (f'mode: {mode}', db)))}}}\nstacks: {{db: {{{values}}}}}\n")
        mounts = stack.render(given, Target("db")).services[server]["volumes"]
        (shared,) = [item for item in mounts if isinstance(item, dict) and item["target"] == "/dev/shm"]
        assert shared["tmpfs"]["size"] == bytes_


def test_connections_follow_from_the_number_of_projects_and_all_of_them_fit(make: Make) -> None:
    assert postgres.of(make()).connections == 200
    projects = "projects:\n" + "".join(f"  p{n}: {{organisations: [o{n}]}}\n" for n in range(250))
    many = postgres.of(make(projects=projects)).connections
    assert many >= postgres.require(250) + postgres.RESERVED_CONNECTIONS
    assert postgres.of(make(ENV + "db: {connections: 77}\n")).connections == 77


@pytest.mark.parametrize(("connections", "projects"), [(20, 0), (50, 300), (200, 3), (1150, 250), (10000, 1)])
def test_roles_may_hold_all_connections_but_those_of_the_superuser(connections: int, projects: int) -> None:
    allowed = postgres.limits(connections, projects)
    assert all(count >= 1 for count in allowed.values())
    assert sum(allowed.values()) <= connections - postgres.RESERVED_CONNECTIONS


def test_every_project_has_its_connections_within_the_limits_of_roles(make: Make) -> None:
    projects = "projects:\n" + "".join(f"  p{n}: {{organisations: [o{n}]}}\n" for n in range(250))
    allowed = postgres.of(make(projects=projects)).limits
    assert allowed["gha_admin"] >= 60 + 250
    assert allowed["ro_user"] >= 30 + 3 * 250
    (bootstrap,) = [stack.render(make(text), Target("db")).services["bootstrap"] for text in (ENV,)]
    told = bootstrap["environment"]["ACTIVITY_CONNECTION_LIMITS"]
    assert told == " ".join(f"{role}={count}" for role, count in postgres.limits(200, 2).items())
    fewer = postgres.of(make(ENV + "db: {parameters: {max_connections: 60}}\n")).limits
    assert sum(fewer.values()) <= 50


def test_the_doctor_says_when_projects_do_not_fit_the_connections_that_are_given(make: Make) -> None:
    well, short = (doctor._connections(make(text)) for text in (ENV, ENV + "db: {connections: 50}\n"))
    assert (well.well, well.found) == (True, "118 of 200 may be needed for 2 projects")
    assert (short.well, short.advice) == (False, "Set db.connections to 118 or more, or omit it.")
    by_parameter = doctor._connections(make(ENV + "db: {parameters: {max_connections: 60}}\n"))
    assert (by_parameter.well, by_parameter.found) == (False, "118 of 60 may be needed for 2 projects")


def test_the_doctor_holds_the_memory_of_a_server_against_the_smallest_node_that_may_have_one(make: Make) -> None:
    def node(name: str, gigabytes: int, **labels: str) -> dict[str, Any]:
        return {
            "Description": {"Hostname": name, "Resources": {"MemoryBytes": gigabytes * 1024**3}},
            "Spec": {"Labels": labels},
        }

    nodes = [node("n1", 64, patroni="1"), node("n2", 8, patroni="2"), node("n3", 2, metrics="true")]
    (well,) = doctor._memory(make(ENV + "db: {mode: ha, memory: 8G}\n"), nodes)
    assert (well.well, well.found) == (True, "db.memory is 8G, n2 has 8.0G, the least of all database nodes")
    (short,) = doctor._memory(make(ENV + "db: {mode: ha, memory: 9G}\n"), nodes)
    assert not short.well
    assert list(doctor._memory(make(), nodes)) == []


def test_a_commit_waits_for_a_replica_unless_it_is_told_not_to(make: Make) -> None:
    assert postgres.of(make(HA)).cluster["synchronous_mode"] == "quorum"
    assert postgres.of(make(ENV + "db: {mode: ha, synchronous: false}\n")).cluster["synchronous_mode"] is False


def test_nothing_that_is_said_to_one_server_stands_over_what_all_are_told(make: Make) -> None:
    command = stack.render(make(), Target("db")).services["postgres"]["command"]
    assert "allow_alter_system=off" in command
    assert postgres.of(make(HA)).cluster["postgresql"]["parameters"]["allow_alter_system"] == "off"


@pytest.mark.parametrize("name", ["synchronous_standby_names", "wal_level", "fsync"])
def test_what_patroni_decides_cannot_be_set(make: Make, name: str) -> None:
    with pytest.raises(EnvironmentInvalid, match=rf"db\.parameters\.{name}: is set by the platform"):
        postgres.of(make(f"{ENV}db: {{parameters: {{{name}: x}}}}\n"))


def test_a_leader_that_hands_over_may_take_its_time_to_end_but_not_for_ever(make: Make) -> None:
    assert postgres.of(make(HA)).cluster["primary_stop_timeout"] == 20
    assert postgres.of(make(ENV + "db: {mode: ha, stop_timeout: 60}\n")).cluster["primary_stop_timeout"] == 60


def test_time_outs_that_would_cost_a_healthy_leader_its_lock_are_refused(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid, match=r"loop_wait \+ 2 \* retry_timeout must not exceed ttl"):
        make(ENV + "db: {loop_wait: 15}\n")
    with pytest.raises(EnvironmentInvalid, match=r"db\.ttl"):
        make(ENV + "db: {ttl: 5}\n")


def test_what_members_are_told_does_not_change_with_the_settings_so_that_none_restarts_for_them(make: Make) -> None:
    one, other = (stack.render(make(text), Target("db")) for text in (HA, HA.replace("ha}", "ha, work_mem: 9MB}")))
    for key in ("patroni.yml", "bootstrap.yml"):
        assert [item for item in one.configs if item.key == key] == [item for item in other.configs if item.key == key]


def test_only_the_first_member_is_told_how_a_cluster_begins(make: Make) -> None:
    rendered = stack.render(make(HA), Target("db"))
    told = {name: str(rendered.services[name].get("configs")) for name in MEMBERS}
    assert [name for name, configs in told.items() if "bootstrap.yml" in configs] == ["patroni1"]
    texts = {item.key: item.content.decode() for item in rendered.configs}
    assert "initdb" in texts["bootstrap.yml"]
    assert "bootstrap" not in texts["patroni.yml"]


def test_single_is_one_server_and_ha_is_members_each_with_its_node_and_its_volume(make: Make) -> None:
    single, ha = (stack.render(make(text), Target("db")) for text in (ENV, HA))
    assert set(single.services) == {"postgres", "haproxy", "backups", "bootstrap"}
    assert set(ha.services) >= {*MEMBERS, "haproxy", "bootstrap"}
    mounts = [str(ha.services[name]["volumes"][0]) for name in MEMBERS]
    assert len(set(mounts)) == len(MEMBERS)
    constraints = {str(ha.services[name]["deploy"]["placement"]["constraints"]) for name in MEMBERS}
    assert len(constraints) == len(MEMBERS)
    assert mounts[3] == single.services["postgres"]["volumes"][0]
    assert {said.siblings for said in ha.rollout.values()} == {"etcd", "patroni"}


def test_clients_find_the_same_ports_in_both_modes(make: Make) -> None:
    for text in (ENV, HA):
        rendered = stack.render(make(text), Target("db"))
        (proxy,) = [item.content for item in rendered.configs if item.key == "haproxy.cfg"]
        assert b"bind :5000" in proxy
        assert b"bind :5001" in proxy


def test_a_single_server_that_recovers_for_hours_is_not_ended_for_it(make: Make) -> None:
    health = stack.render(make(), Target("db")).services["postgres"]["healthcheck"]
    assert health["start_period"] == "24h"


def test_a_single_server_gets_its_parameters_as_arguments(make: Make) -> None:
    rendered = stack.render(make(ENV + "db: {parameters: {log_min_duration_statement: 30s}}\n"), Target("db"))
    command = rendered.services["postgres"]["command"]
    assert "log_min_duration_statement=30s" in command
    assert "shared_buffers=256MB" in command
    assert "patroni" not in json.dumps(rendered.document["services"]["postgres"])


def test_a_parameter_that_postgres_does_not_have_is_a_mistake_and_one_of_an_extension_is_none(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid) as raised:
        postgres.of(make(ENV + "db: {parameters: {wrok_mem: 9MB, work_mem: 9MB, zzz_qqq: 1, auto_explain.x: 1}}\n"))
    wrong, other = raised.value.mistakes
    assert wrong.endswith("db.parameters.wrok_mem: not a Postgres parameter, did you mean work_mem?")
    assert other.endswith("db.parameters.zzz_qqq: not a Postgres parameter")


def test_what_the_platform_sets_itself_postgres_has(make: Make) -> None:
    told = {**postgres.CLUSTER, **postgres.of(make(ENV)).parameters}
    assert {name.lower() for name in told if "." not in name} <= set(postgres.KNOWN.read_text().split())
