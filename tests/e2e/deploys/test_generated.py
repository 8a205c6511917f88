"""Whatever a stack file may say: what was just deployed is what is wanted, by the live managers' own words."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from swarm.deploy import prune
from swarm.engine.client import Engine
from swarm.live import services as live
from swarm.plan import display, plan
from swarm.report import Step
from swarm.rollout import apply
from swarm.rollout.converge import Timing
from swarm.shell import Shell
from swarm.stacks import conversion, manifest
from swarm.stacks.manifest import Manifest
from swarm.stacks.stack import Stack
from swarm.stacks.targets import Target
from tests.e2e.conftest import Platform

STACK = "generated"
LONG, SHORT = 300, 25
WORDS = st.text("abcxyz019", min_size=1, max_size=8)
PATHS = WORDS.map(lambda word: f"/srv/{word}")
SECONDS = st.integers(1, 90).map(lambda seconds: f"{seconds}s")
LENGTHS = st.one_of(SECONDS, st.sampled_from(["0s", "500ms", "1m30s", "1h"]))
SIZES = st.sampled_from(["16M", "64M", "100000000b", "1G", "6144K"])
CPUS = st.sampled_from(["0.1", "0.25", "0.333", "1", "2.5"])
ADDRESSES = st.sampled_from(["10.1.2.3", "192.168.7.7", "fd00::1"])
# Two opening braces begin a template of Swarm's, which the managers refuse when it is none.
TEXTS = st.text(" abcXYZ019=:,.-_/'\"{}$#%", max_size=12).filter(lambda text: "{{" not in text)
NOWHERE = "node.labels.nowhere == true"


def mapping(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(WORDS, values, min_size=1, max_size=3)


def some(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A section of a stack file with any of its keys."""
    return st.fixed_dictionaries({}, optional=optional)


def several(*items: str) -> st.SearchStrategy[Any]:
    return st.lists(st.sampled_from(items), min_size=1, max_size=len(items), unique=True)


MODES = st.one_of(
    st.just({"mode": "replicated", "replicas": 0}),
    st.just({"replicas": 0}),
    st.integers(0, 3).map(lambda count: {"replicas": count, "placement": {"constraints": [NOWHERE]}}),
    st.just({"mode": "global", "placement": {"constraints": [NOWHERE]}}),
    st.just({"mode": "replicated-job", "replicas": 2, "placement": {"constraints": [NOWHERE]}}),
    st.just({"mode": "global-job", "placement": {"constraints": [NOWHERE]}}),
)
UPDATES = some(
    parallelism=st.integers(0, 3), delay=LENGTHS, order=st.sampled_from(["start-first", "stop-first"]),
    failure_action=st.sampled_from(["pause", "continue", "rollback"]), monitor=SECONDS,
    max_failure_ratio=st.sampled_from([0, 0.1, 0.5]),
)  # fmt: skip
ROLLBACKS = some(parallelism=st.integers(0, 3), delay=LENGTHS, order=st.sampled_from(["start-first", "stop-first"]))
RESTARTS = some(
    condition=st.sampled_from(["none", "on-failure", "any"]), delay=LENGTHS, max_attempts=st.integers(0, 3),
    window=LENGTHS,
)  # fmt: skip
DEPLOYS = some(
    labels=mapping(TEXTS), update_config=UPDATES, rollback_config=ROLLBACKS, restart_policy=RESTARTS,
    resources=some(limits=some(cpus=CPUS, memory=SIZES, pids=st.integers(0, 200)),
                   reservations=some(cpus=CPUS, memory=SIZES)),
    endpoint_mode=st.sampled_from(["dnsrr", "vip"]),
)  # fmt: skip
PLACEMENTS = some(
    constraints=several("node.role == worker", "node.labels.x != 1"),
    preferences=st.just([{"spread": "node.labels.zone"}]),
    max_replicas_per_node=st.integers(0, 3),
)
CHECKS = st.one_of(
    st.just({"disable": True}),
    st.builds(
        lambda test, rest: {"test": test, **rest},
        st.sampled_from(["exit 0", ["CMD", "true"], ["CMD-SHELL", "true || false"], ["NONE"]]),
        some(interval=SECONDS, timeout=SECONDS, retries=st.integers(0, 5), start_period=LENGTHS),
    ),
)
MOUNTS = st.one_of(
    st.builds(lambda path: {"type": "tmpfs", "target": path}, PATHS),
    st.builds(lambda path, size: {"type": "tmpfs", "target": path, "tmpfs": {"size": size}}, PATHS, st.integers(1, 9)),
    st.builds(
        lambda path, ro: {"type": "bind", "source": "/tmp", "target": path, "read_only": ro}, PATHS, st.booleans()
    ),
    st.builds(lambda path: f"data:{path}", PATHS),
    st.builds(lambda path: {"type": "volume", "source": "data", "target": path, "volume": {"nocopy": True}}, PATHS),
)
PORTS = st.one_of(
    st.builds(
        lambda target, published, protocol: {
            "target": target, "published": published, "mode": "host", "protocol": protocol,
        },
        st.integers(1, 99), st.integers(20000, 20099), st.sampled_from(["tcp", "udp"]),
    ),
)  # fmt: skip
CONTAINERS = some(
    command=st.one_of(TEXTS.filter(lambda text: not set("'\"") & set(text)), st.lists(TEXTS, min_size=1, max_size=3)),
    entrypoint=st.lists(WORDS, min_size=1, max_size=2), environment=mapping(st.one_of(TEXTS, st.none())),
    labels=mapping(TEXTS), hostname=st.sampled_from(["here", "{{.Node.Hostname}}-{{.Task.Slot}}"]),
    user=st.sampled_from(["0", "nobody", "1000:1000"]), working_dir=PATHS, init=st.booleans(), read_only=st.booleans(),
    tty=st.booleans(), stdin_open=st.booleans(), stop_signal=st.sampled_from(["SIGINT", "SIGQUIT"]),
    stop_grace_period=LENGTHS, cap_add=several("NET_ADMIN", "CAP_CHOWN"), cap_drop=several("ALL", "NET_RAW"),
    sysctls=st.just({"net.core.somaxconn": 1024, "net.ipv4.tcp_syncookies": 0}),
    ulimits=st.just({"nproc": 65535, "nofile": {"soft": 20000, "hard": 20000}}),
    extra_hosts=st.lists(st.builds(lambda name, address: f"{name}:{address}", WORDS, ADDRESSES), min_size=1, max_size=3,
                         unique_by=lambda line: line.partition(":")[0]),
    dns=st.lists(ADDRESSES, min_size=1, max_size=2, unique=True), dns_search=several("example.org", "a.example"),
    healthcheck=CHECKS,
    logging=st.sampled_from([{"driver": "json-file", "options": {"max-size": "1m"}}, {"driver": "none"}]),
    volumes=st.lists(MOUNTS, min_size=1, max_size=3, unique_by=lambda item: item["target"] if isinstance(item, dict)
                     else item.partition(":")[2]),
    networks=st.one_of(several("one", "two"), st.just({"one": {"aliases": ["x", "y"]}, "two": None})),
)  # fmt: skip


@st.composite
def services(draw: st.DrawFn) -> dict[str, Any]:
    """One service as a stack file says it, in a mode in which no task ever runs."""
    made = {"image": draw(st.sampled_from(["nowhere.invalid/a:1", "nowhere.invalid/b"])), **draw(CONTAINERS)}
    mode, deploy, placement = draw(MODES), draw(DEPLOYS), draw(PLACEMENTS)
    constraints = [*(mode.get("placement") or {}).get("constraints", ()), *placement.get("constraints", ())]
    if constraints:
        placement = {**placement, "constraints": constraints}
    if "job" in mode.get("mode", ""):
        deploy = {key: value for key, value in deploy.items() if key not in ("update_config", "rollback_config")}
        if (deploy.get("restart_policy") or {}).get("condition", "any") == "any":
            deploy["restart_policy"] = {**deploy.get("restart_policy", {}), "condition": "on-failure"}
    if "global" in mode.get("mode", ""):
        placement.pop("max_replicas_per_node", None)
    made["deploy"] = {**deploy, **mode, "placement": placement}
    if ports := draw(
        st.lists(PORTS, max_size=2, unique_by=(lambda port: port["target"], lambda port: port["published"]))
    ):
        made["ports"] = ports
    return made


DOCUMENTS = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), services(), min_size=1, max_size=4)


def stack(found: dict[str, Any]) -> Stack:
    document = {"services": found, "networks": {"one": {}, "two": {"internal": True}}, "volumes": {"data": {}}}
    text = {key: _escaped(value) for key, value in document.items()}
    return Stack(Target(STACK), Manifest(description="generated"), text, (), (), ())


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list) else value


@pytest.fixture
def manager(platform: Platform) -> Iterator[Engine]:
    """The manager's engine; what was generated is gone afterwards."""
    assert STACK not in manifest.read()
    engine = platform.engine
    yield engine
    for service in engine.services.list(STACK):
        engine.services.remove(service["ID"])
    for network in engine.networks.list(STACK):
        engine._sdk.api.remove_network(network["Id"])


def _needless(manager: Engine, networks: Iterable[str]) -> list[str]:
    """Networks that no task is on: what cannot be placed anywhere keeps tasks of its former specification waiting."""
    used = {
        item["Target"]
        for task in manager.tasks.list(STACK)
        for item in task["Spec"].get("Networks", ())
        if task["DesiredState"] in ("ready", "running", "complete")
    }
    return [
        item["Name"] for item in manager.networks.list(STACK) if item["Name"] in networks and item["Id"] not in used
    ]


def test_the_plan_of_any_stack_that_was_just_deployed_is_empty(manager: Engine, tmp_path: Path, long: bool) -> None:
    @settings(
        max_examples=LONG if long else SHORT, deadline=timedelta(minutes=5), derandomize=True, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(DOCUMENTS, DOCUMENTS)
    def holds(first: dict[str, Any], second: dict[str, Any]) -> None:
        for found in (first, second):
            made = stack(found)
            wanted = conversion.convert([made], manager, Shell(), tmp_path)[STACK]
            site = apply.ApplyContext(manager, manager.now(), 60, apply.References.read(manager))
            done = plan.plan(wanted, live.snapshot(manager))
            step = Step("generated", None)
            apply.apply(done, site, step)
            prune.remove_networks(done, manager, step, Timing(network_seconds=3))
            left = plan.plan(wanted, live.snapshot(manager))
            assert not _needless(manager, left.unwanted_networks)
            left = replace(left, unwanted_networks=())
            said = "\n".join(text for _, text in display.lines([left]))
            assert left.empty, f"{said}\n{found}"

    holds()
