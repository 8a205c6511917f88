from copy import deepcopy
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from swarm.live.services import Snapshot
from swarm.plan import display, plan
from swarm.plan.config_diff import ConfigDiff
from swarm.plan.plan import Kind, Pins
from swarm.plan.warnings import PlanWarning
from swarm.stacks.conversion import DesiredState
from swarm.stacks.rollout_options import Rollout

NAMES = st.sampled_from(["app_api", "app_nginx", "app_worker", "app_cron"])
WORDS = st.text("abcxyz019", min_size=1, max_size=6)
IMAGES = st.sampled_from(["registry/a:1", "registry/a:2", "registry/b:1@sha256:" + "d" * 64])
MODES = st.one_of(
    st.integers(0, 5).map(lambda count: {"Replicated": {"Replicas": count}}),
    st.just({"Global": {}}),
    st.just({"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}}),
)
ORDERS = st.sampled_from(["start-first", "stop-first"])


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """A service as Docker's client sends it."""
    env = draw(st.dictionaries(WORDS, WORDS, max_size=3))
    container: dict[str, Any] = {"Image": draw(IMAGES), "Env": [f"{key}={value}" for key, value in env.items()]}
    if versions := draw(st.lists(WORDS, max_size=2, unique=True)):
        container["Configs"] = [
            {"File": {"Name": f"/etc/{name}", "UID": "0", "GID": "0", "Mode": 292}, "ConfigName": f"app_{name}_1"}
            for name in versions
        ]
    return {
        "Labels": draw(st.dictionaries(WORDS, WORDS, max_size=3)),
        "TaskTemplate": {
            "ContainerSpec": container,
            "Placement": {"Constraints": draw(st.lists(st.just("node.role == manager"), max_size=1))},
            "Networks": [{"Target": "app_default", "Aliases": ["x"]}] if draw(st.booleans()) else [],
            "Resources": {"Limits": {"MemoryBytes": draw(st.integers(1, 9)) * 1048576}},
        },
        "Mode": draw(MODES),
        "UpdateConfig": {"Parallelism": draw(st.integers(0, 2)), "Order": draw(ORDERS)},
        "EndpointSpec": {"Mode": "dnsrr"},
    }


def services() -> st.SearchStrategy[dict[str, dict[str, Any]]]:
    return st.dictionaries(NAMES, specs(), max_size=4).map(
        lambda found: {name: {**spec, "Name": name} for name, spec in found.items()}
    )


def as_live(wanted: dict[str, dict[str, Any]]) -> Snapshot:
    """What the managers would hold after these were created: ids instead of names, defaults written down."""
    raw = []
    for name, spec in deepcopy(wanted).items():
        spec["Labels"]["com.docker.stack.namespace"] = "app"
        template = spec["TaskTemplate"]
        template["ContainerSpec"]["Isolation"] = "default"
        template["Runtime"] = "container"
        template["ForceUpdate"] = 3
        template["RestartPolicy"] = {"Condition": "any", "MaxAttempts": 0}
        for item in template["Networks"]:
            item["Target"] = "network-id"
        spec["UpdateConfig"].setdefault("FailureAction", "pause")
        raw.append({"ID": f"id-{name}", "Version": {"Index": 7}, "Spec": spec, "ServiceStatus": {"DesiredTasks": 1}})
    networks = ({"Id": "network-id", "Name": "app_default"},)
    return Snapshot((), tuple(raw), (), networks)


def labelled(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: {**spec, "Labels": {**spec["Labels"], "com.docker.stack.namespace": "app"}}
        for name, spec in found.items()
    }


def wish(found: dict[str, dict[str, Any]], **options: Any) -> DesiredState:
    return DesiredState("app", labelled(found), {}, **options)


@given(services())
def test_the_plan_of_what_was_just_deployed_is_empty(found: dict[str, dict[str, Any]]) -> None:
    done = plan.plan(wish(found), as_live(found))
    assert done.empty, display.lines([done])


@given(services(), services())
def test_applying_a_plan_gives_what_was_wanted(old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]) -> None:
    done = plan.plan(wish(new), as_live(old))
    after = plan.applied(done, old)
    assert after.keys() == new.keys()
    assert plan.plan(wish(new), as_live(after)).empty


@given(services(), services())
def test_what_is_not_selected_is_never_removed(old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]) -> None:
    done = plan.plan(wish(new, partial=True), as_live(old))
    assert plan.applied(done, old).keys() == old.keys() | new.keys()


SPEC: dict[str, Any] = {
    "Name": "app_nginx",
    "Labels": {"traefik.enable": "true"},
    "TaskTemplate": {
        "ContainerSpec": {"Image": "registry/nginx:1", "Env": ["A=1"]},
        "Placement": {},
        "Networks": [{"Target": "app_default"}],
    },
    "Mode": {"Replicated": {"Replicas": 2}},
    "UpdateConfig": {"Parallelism": 1},
    "EndpointSpec": {"Mode": "dnsrr"},
}


def change(**changed: Any) -> plan.Change:
    """The change of SPEC into one with other values: dotted path -> value."""
    spec = deepcopy(SPEC)
    for path, value in changed.items():
        *parents, last = path.split("__")
        inner = spec
        for key in parents:
            inner = inner[key]
        inner[last] = value
    (found,) = plan.plan(wish({"app_nginx": spec}), as_live({"app_nginx": SPEC})).changes
    return found


def test_labels_restart_nothing() -> None:
    found = change(Labels={"traefik.enable": "false"})
    assert found.kind is Kind.LABELS
    assert not found.restarts
    assert found.differences == (plan.Difference("labels.traefik.enable", "true", "false"),)


def test_replicas_update_order_and_placement_are_changed_in_place() -> None:
    assert change(Mode={"Replicated": {"Replicas": 3}}).kind is Kind.UPDATE
    assert change(UpdateConfig={"Parallelism": 2}).kind is Kind.UPDATE
    assert change(TaskTemplate__Placement={"Constraints": ["node.role == worker"]}).kind is Kind.UPDATE


def test_whatever_a_task_feels_restarts_it() -> None:
    for found in (
        change(TaskTemplate__ContainerSpec__Image="registry/nginx:2"),
        change(TaskTemplate__ContainerSpec__Env=["A=2"]),
        change(TaskTemplate__Resources={"Limits": {"MemoryBytes": 1048576}}),
        change(
            EndpointSpec={"Mode": "dnsrr", "Ports": [{"TargetPort": 80, "PublishedPort": 80, "PublishMode": "host"}]}
        ),
    ):
        assert found.kind is Kind.RESTART
        assert found.restarts


def test_no_delay_at_all_between_restarts_is_another_one_than_the_managers_own() -> None:
    found = change(TaskTemplate__RestartPolicy={"Delay": 0})
    assert found.differences == (plan.Difference("restart_policy.delay", None, "0s"),)


def test_another_mode_needs_another_service() -> None:
    assert change(Mode={"Global": {}}).kind is Kind.RECREATE


def test_an_update_that_stands_still_is_resumed() -> None:
    seen = as_live({"app_nginx": SPEC})
    seen.services[0]["UpdateStatus"] = {"State": "paused"}
    (found,) = plan.plan(wish({"app_nginx": SPEC}), seen).changes
    assert found.kind is Kind.RESUME


def test_a_tag_that_runs_keeps_its_digest_until_the_registry_is_asked_again() -> None:
    running, fresh = f"registry/nginx:1@sha256:{'a' * 64}", f"registry/nginx:1@sha256:{'b' * 64}"
    live = deepcopy(SPEC)
    live["TaskTemplate"]["ContainerSpec"]["Image"] = running
    seen, pins = as_live({"app_nginx": live}), {"registry/nginx:1": fresh}
    assert plan.plan(wish({"app_nginx": SPEC}), seen, Pins(pins)).empty
    done = plan.plan(wish({"app_nginx": SPEC}), seen, Pins(pins, fresh=True))
    assert done.specs["app_nginx"]["TaskTemplate"]["ContainerSpec"]["Image"] == fresh


def test_a_network_whose_options_differ_is_said_to_be_ignored() -> None:
    body = {"Name": "app_default", "Driver": "overlay", "Internal": True, "Attachable": False}
    seen = Snapshot((), (), (), ({"Id": "n", "Name": "app_default", "Driver": "overlay", "Internal": False},))
    done = plan.plan(DesiredState("app", {}, {"app_default": body}), seen)
    assert done.empty
    assert [item.path for item in done.networks[0].ignored] == ["internal"]
    assert "Swarm cannot change an existing network" in "\n".join(text for _, text in display.lines([done]))


def test_a_network_that_is_not_there_is_created() -> None:
    done = plan.plan(DesiredState("app", {}, {"app_default": {"Name": "app_default"}}), Snapshot((), (), (), ()))
    assert [item.name for item in done.missing_networks] == ["app_default"]


def test_a_network_that_nothing_needs_any_more_goes_and_one_that_others_use_stays() -> None:
    mine = {"Id": "n", "Name": "app_old", "Labels": {"com.docker.stack.namespace": "app"}}
    assert plan.plan(DesiredState("app", {}, {}), Snapshot((), (), (), (mine,))).unwanted_networks == ("app_old",)
    assert plan.plan(DesiredState("app", {}, {}, partial=True), Snapshot((), (), (), (mine,))).empty
    other = {"ID": "x", "Spec": {"Name": "web_x", "TaskTemplate": {"Networks": [{"Target": "n"}]}}}
    assert plan.plan(DesiredState("app", {}, {}), Snapshot((), (other,), (), (mine,))).empty


def test_stacks_of_like_content_are_told_together() -> None:
    empty = Snapshot((), (), (), ())
    plans = [
        plan.plan(DesiredState(name, {f"{name}_web": {**SPEC, "Name": f"{name}_web"}}, {}), empty) for name in "abcdef"
    ]
    lines = [line for _, line in display.lines(plans)]
    assert lines[0].split() == ["a,", "b", "and", "4", "more", "1", "change", "each"]
    assert sum("+ web" in line for line in lines) == 1


def test_of_long_values_only_what_differs_is_shown() -> None:
    old = " ".join(f"-c setting{number}={number}" for number in range(9))
    item = plan.Difference("command", old, old.replace("setting4=4", "setting4=5"))
    assert display._both(item) == "... setting4=4 ... -> ... setting4=5 ..."


def test_siblings_are_said_to_restart_one_by_one() -> None:
    live = {"app_nginx": SPEC}
    spec = deepcopy(SPEC)
    spec["TaskTemplate"]["ContainerSpec"]["Env"] = ["A=2"]
    wanted = wish({"app_nginx": spec}, rollout={"app_nginx": Rollout(siblings="web")})
    lines = [text for _, text in display.lines([plan.plan(wanted, as_live(live))])]
    assert any("rolling restart, 1 task one sibling at a time" in line for line in lines)
    assert any("environment.A" in line and "1 -> 2" in line for line in lines)


def test_for_machines_a_plan_has_always_the_same_keys_and_all_that_people_see() -> None:
    old, new = "app_nginx.conf_0123456789", "app_nginx.conf_abcdef0123"
    spec = deepcopy(SPEC)
    spec["TaskTemplate"]["ContainerSpec"]["Env"] = ["A=2"]
    done = plan.plan(wish({"app_nginx": spec}), as_live({"app_nginx": SPEC}))
    changed = replace(done, changes=(replace(done.changes[0], differences=(plan.Difference("configs.x", old, new),)),))
    notes = [
        PlanWarning("app", "capacity", "app_nginx", "no node", "", blocks=True),
        PlanWarning("db", "lint", "x", "y", ""),
    ]
    context = display.PlanContext(notes, {(old, new): ConfigDiff(("+a", "+b", "-c"))})
    told = display.as_json(changed, context)
    assert list(told) == ["stack", "changes", "blocked", "services", "networks", "notes", "unfinished", "unhealthy"]
    assert (told["changes"], told["blocked"], [note["stack"] for note in told["notes"]]) == (1, 1, ["app"])
    (field,) = told["services"][0]["fields"]
    assert field["lines"] == {"added": 2, "removed": 1, "diff": None}
    (field,) = display.as_json(changed, replace(context, full=True))["services"][0]["fields"]
    assert field["lines"]["diff"] == ["+a", "+b", "-c"]
    empty = display.as_json(plan.plan(wish({}), Snapshot((), (), (), ())))
    assert list(empty) == list(told)
    assert (empty["changes"], empty["blocked"]) == (0, 0)


def test_a_stack_that_a_deploy_would_act_upon_without_a_change_is_said_to_need_it() -> None:
    done = plan.plan(wish({"app_nginx": SPEC}), as_live({"app_nginx": SPEC}))
    assert done.empty
    context = display.PlanContext(
        unfinished={"app": "release 3 of app is left pending by me"}, unhealthy={"app": ["nginx 0/1"]}
    )
    first, *others, last = (text for _, text in display.lines([done], context))
    assert first.split(maxsplit=1) == ["app", "no changes, but not healthy or not complete"]
    assert others == [
        "  ! release 3 of app is left pending by me: a deploy completes or abandons it",
        "  ! unhealthy: nginx 0/1; a deploy waits for them",
    ]
    assert last == "1 stack: 1 unfinished, 1 unhealthy."
    told = display.as_json(done, context)
    assert (told["unfinished"], told["unhealthy"]) == ("release 3 of app is left pending by me", ["nginx 0/1"])
