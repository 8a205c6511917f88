from typing import Any

import pytest

from swarm.errors import ArgumentInvalid
from swarm.rollout import restart, scale, service_update
from tests.support.fake_managers import Known
from tests.support.services import service, task
from tests.unit.swarm.conftest import ENV, Make

NGINX = service("app_nginx", task("a"), task("b", slot="2"))


def test_sizes_are_read_from_words() -> None:
    assert scale.sizes("app/nginx=3, admin_portal=0") == {"app/nginx": 3, "admin_portal": 0}


@pytest.mark.parametrize(
    "words", ["app/nginx", "app/nginx=", "=3", "app/nginx=-1", "app/nginx=many", "app/nginx=3,", ""]
)
def test_what_is_no_size_is_refused_with_an_example(words: str) -> None:
    with pytest.raises(ArgumentInvalid, match="is not SERVICE=N") as caught:
        scale.sizes(words)
    assert "./run scale app/nginx=3" in caught.value.hint


def test_scaling_changes_the_number_of_tasks_and_nothing_else() -> None:
    change = scale._scaled(NGINX, 5)
    assert change.words == "2 -> 5 tasks"
    spec: dict[str, Any] = {"Mode": {"Replicated": {"Replicas": 2}}, "TaskTemplate": {"ForceUpdate": 4}}
    assert change.edit is not None
    change.edit(spec)
    assert spec == {"Mode": {"Replicated": {"Replicas": 5}}, "TaskTemplate": {"ForceUpdate": 4}}


def test_scaling_to_what_is_there_changes_nothing() -> None:
    assert scale._scaled(NGINX, 2).edit is None


@pytest.mark.parametrize(
    ("mode", "why"), [("global", "one task on every eligible node"), ("replicated-job", "is a job")]
)
def test_global_services_and_jobs_have_no_number_of_tasks(mode: str, why: str) -> None:
    with pytest.raises(ArgumentInvalid, match=why):
        scale._scaled(service("logs_agent", task(), mode=mode), 3)


def test_restarting_counts_force_update_up_and_changes_nothing_else() -> None:
    spec: dict[str, Any] = {"TaskTemplate": {"ContainerSpec": {"Image": "x"}}}
    restart._renew(spec)
    restart._renew(spec)
    assert spec == {"TaskTemplate": {"ContainerSpec": {"Image": "x"}, "ForceUpdate": 2}}


def test_a_number_that_the_next_deploy_would_set_back_says_how_to_keep_it(make: Make) -> None:
    advice = scale.override_advice(make(), NGINX, 4)
    assert advice.startswith("The next deploy of app resets nginx to 2. To keep 4, set in ")
    assert advice.endswith("env.yaml: sizes: {app.nginx: {replicas: 4}}")


def test_a_number_that_the_environment_says_too_needs_no_advice(make: Make) -> None:
    assert scale.override_advice(make(), NGINX, 2) == ""
    assert scale.override_advice(make(ENV + "sizes: {app.nginx: {replicas: 4}}\n"), NGINX, 4) == ""
    assert scale.override_advice(make(), service("elsewhere_web", task()), 4) == ""


def test_a_service_that_is_named_twice_cannot_have_two_numbers_of_tasks() -> None:
    with pytest.raises(ArgumentInvalid, match="app/nginx is given twice"):
        scale.sizes("app/nginx=3,app/nginx=2")
    with pytest.raises(ArgumentInvalid, match="app/nginx is given twice"):
        scale.require_distinct([NGINX, NGINX])


def test_a_restart_whose_answer_was_lost_does_not_happen_twice() -> None:
    engine = Known(patience=5, pause=0.01)
    spec = {"Name": "app_nginx", "TaskTemplate": {"ContainerSpec": {"Image": "nginx"}, "ForceUpdate": 4}}
    held = engine.managers.put("services", spec)
    engine.managers.lose_answer()
    found = service_update._update(engine, service("app_nginx", id=str(held["ID"])), restart._renew)
    assert found["TaskTemplate"]["ForceUpdate"] == 5
    assert len(engine.managers.told) == 1
