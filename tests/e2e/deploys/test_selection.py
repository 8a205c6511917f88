"""Part of the platform is meant: only that is rendered, deployed, shown and cleaned."""

import json
import time
from collections.abc import Iterator

import pytest
import yaml

from tests.e2e.conftest import Platform


@pytest.fixture
def changed(platform: Platform) -> Iterator[None]:
    """The environment with other memory limits for services of two stacks, not deployed yet."""
    file = platform.environment.directory / "env.yaml"
    text = file.read_text()
    size = 100 + int(time.time()) % 400
    file.write_text(text + f"sizes: {{db.haproxy: {{memory: {size}M}}, app.nginx: {{memory: {size}M}}}}\n")
    try:
        yield
    finally:
        file.write_text(text)
        platform.run("deploy", "db,app")


def test_what_is_selected_is_rendered_and_nothing_else(platform: Platform) -> None:
    text = platform.run("render", "all", "-l", "project=rust-lang,app=sync").stdout
    (document,) = yaml.safe_load_all(text)
    assert list(document["services"]) == ["sync"]
    assert document["services"]["sync"]["environment"]["ACTIVITY_PROJECT"] == "rust-lang"
    documents = yaml.safe_load_all(platform.run("render", "all", "--projects", "a*,cachet*,!apache").stdout)
    assert [document["services"]["sync"]["environment"]["ACTIVITY_PROJECT"] for document in documents] == ["cachethq"]


@pytest.mark.parametrize("verb", ["render", "deploy", "clean"])
def test_a_selection_that_means_nothing_is_an_error_and_nothing_is_done(platform: Platform, verb: str) -> None:
    before = platform.versions()
    for words, said in (
        (("-l", "project=rust-lang,app=snyc"), "Did you mean app=sync"),
        (("--projects", "a*,!rust-lagn"), "Did you mean rust-lang"),
    ):
        done = platform.run(verb, "all", *words, check=False)
        assert done.returncode == 64
        assert said in done.stderr
    assert platform.versions() == before


@pytest.mark.usefixtures("changed")
def test_of_a_stack_only_the_selected_service_is_deployed_and_none_is_removed(platform: Platform) -> None:
    before = platform.versions()
    platform.run("deploy", "all", "-l", "stack=db,app=haproxy")
    after = platform.versions()
    assert after.keys() == before.keys()
    assert [name for name in before if before[name] != after[name]] == ["db_haproxy"]


def test_status_shows_what_is_selected(platform: Platform) -> None:
    found = json.loads(platform.run("status", "--json", "-l", "stack=project", "--projects", "!apache").stdout)
    assert sorted(service["name"] for service in found["services"]) == ["cachethq_sync", "rust-lang_sync"]
    found = json.loads(platform.run("status", "--json", "-l", "app=nginx").stdout)["services"]
    assert [service["name"] for service in found] == ["app_nginx"]
    assert platform.run("status", "-l", "app=ngnix", check=False).returncode == 64


def test_clean_removes_the_selected_services_and_a_deploy_brings_them_back(platform: Platform) -> None:
    before, networks = platform.versions(), {item["Id"] for item in platform.engine.networks.list()}
    platform.run("clean", "all", "-l", "app=sync,project!=apache", "--yes")
    after = platform.versions()
    assert before.keys() - after.keys() == {"cachethq_sync", "rust-lang_sync"}
    assert {name: before[name] for name in after} == after
    assert {item["Id"] for item in platform.engine.networks.list()} == networks
    running = [task for task in platform.engine.tasks.list("rust-lang") if task["Status"]["State"] == "running"]
    assert running == []
    platform.run("deploy", "project", "--projects", "!apache")
    assert platform.versions().keys() == before.keys()
    assert platform.versions()["apache_sync"] == before["apache_sync"]


@pytest.fixture
def forgotten(platform: Platform) -> Iterator[str]:
    """A project that was deleted from projects.yaml by hand while its stack runs; it is back at the end."""
    file = platform.environment.directory / "projects.yaml"
    text = file.read_text()
    known = yaml.safe_load(text)
    del known["projects"]["cachethq"]
    file.write_text(yaml.safe_dump(known))
    try:
        yield "cachethq"
    finally:
        file.write_text(text)
        platform.run("deploy", "all")


def test_a_stack_whose_project_was_deleted_is_named_refused_and_cleaned_and_its_data_stay(
    platform: Platform, forgotten: str
) -> None:
    events = platform.sql(forgotten, "select count(*) from gha_events")
    assert f"./run clean {forgotten}" in platform.run("status").stdout
    assert f"./run clean {forgotten}" in platform.run("plan", "all", check=False).stdout
    for verb in ("plan", "deploy", "rollback"):
        done = platform.run(verb, forgotten, check=False)
        assert (done.returncode, f"./run clean {forgotten}" in done.stderr) == (90, True), done.stderr
    assert platform.run("clean", f"{forgotten}y", check=False).returncode == 64
    assert len(platform.engine.services.list(forgotten)) == 1
    platform.run("clean", forgotten, "--yes")
    assert platform.engine.services.list(forgotten) == []
    assert platform.sql(forgotten, "select count(*) from gha_events") == events
    assert forgotten not in platform.run("status").stdout
