import json
from pathlib import Path
from typing import Any

import pytest

from swarm.errors import EnvironmentInvalid, StackInvalid, UnknownName
from swarm.settings import validation
from swarm.stacks import stack, targets
from swarm.stacks.targets import Target
from tests.unit.swarm.conftest import ENV, Make


def names(make: Make, words: str) -> list[str]:
    return [target.name for target in targets.select(make(), words)]


def test_all_means_every_stack_after_what_it_needs_and_projects_among_them(make: Make) -> None:
    found = names(make, "all")
    assert found.index("admin") < found.index("db") < found.index("archive")
    assert {"apache", "rust-lang", "app", "metrics"} <= set(found)


def test_a_comma_list_comes_in_the_order_of_needs_not_of_words(make: Make) -> None:
    assert names(make, "archive,admin") == ["admin", "archive"]


def test_project_means_all_projects_and_a_project_can_be_named(make: Make) -> None:
    assert names(make, "project") == ["apache", "rust-lang"]
    assert names(make, "rust-lang") == ["rust-lang"]


def test_an_unknown_stack_gives_the_nearest_names(make: Make) -> None:
    with pytest.raises(UnknownName, match=r'No stack "metrcis"\. Did you mean metrics\?'):
        targets.select(make(), "metrcis")


def test_every_dollar_is_doubled_so_that_docker_interpolates_nothing(make: Make) -> None:
    for target in targets.select(make(), "all"):
        text = json.dumps(stack.render(make(), target).document)
        assert "$" not in text.replace("$$", "")


def test_rendering_twice_gives_the_same(make: Make) -> None:
    environment = make()
    assert stack.render(environment, Target("app")) == stack.render(environment, Target("app"))


def test_sizes_change_their_service_alone(make: Make) -> None:
    project = make().projects.get("apache")
    before = stack.render(make(), Target("project", project))
    after = stack.render(make(ENV + "sizes: {apache.sync: {memory: 77M, replicas: 0}}\n"), Target("project", project))
    deploy = after.services["sync"]["deploy"]
    assert (deploy["resources"]["limits"]["memory"], deploy["replicas"]) == ("77M", 0)
    assert before.document != after.document
    other = Target("project", make().projects.get("rust-lang"))
    assert stack.render(make(ENV), other).document == stack.render(make(), other).document


def test_values_of_env_yaml_stand_over_the_defaults_and_unknown_ones_are_mistakes(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid, match=r"stacks\.db\.shared_memry: unknown key; allowed: .*shared_memory"):
        stack.render(make(ENV + "stacks: {db: {shared_memry: 1}}\n"), Target("db"))
    rendered = stack.render(make(ENV + "stacks: {db: {shared_memory: 77}}\n"), Target("db"))
    assert '"size": 77' in json.dumps(rendered.document)


def test_secrets_stand_in_no_rendered_document(make: Make) -> None:
    environment = make()
    rendered = [stack.render(environment, target) for target in targets.select(environment, "all")]
    texts = "".join(stack.text() for stack in rendered)
    sealed = {item.secret.reveal() for stack in rendered for item in stack.secrets}
    assert len(sealed) >= 4
    assert not [secret for secret in sealed if secret in texts]


def test_every_service_names_its_template(make: Make) -> None:
    environment = make()
    for target in targets.select(environment, "all"):
        for service in stack.render(environment, target).services.values():
            assert service["deploy"]["labels"]["swarmstats.template"] == target.template


def test_services_balance_themselves_and_publish_in_host_mode(make: Make) -> None:
    environment = make()
    for target in targets.select(environment, "all"):
        for name, service in stack.render(environment, target).services.items():
            assert service["deploy"].get("endpoint_mode") == "dnsrr", f"{target.name}_{name}"
            assert all(port["mode"] == "host" for port in service.get("ports", ())), f"{target.name}_{name}"


def test_a_size_of_a_service_that_is_not_there_names_those_that_are(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid, match=r"sizes\.app\.ngnix: app has no service 'ngnix'; allowed: nginx"):
        stack.render(make(ENV + "sizes: {app.ngnix: {memory: 9M}}\n"), Target("app"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: {a: nginx}", "services.a: expected keys and values"),
        ("services: {a: {deploy: [replicas]}}", "services.a.deploy: expected keys and values"),
        ("services: {a: {deploy: {labels: traefik}}}", "services.a.deploy.labels: expected keys and values"),
        ("services: {a: {}}\nconfigs: [a]", "configs: expected keys and values"),
        ("services: {a: {}}\nsecrets: {b: c}", "secrets.b: expected keys and values"),
        ('services: {a: "\1"}', "is not YAML"),
        ("services: [a]", "has no services"),
    ],
)
def test_a_stack_file_of_another_shape_is_refused_with_the_place(text: str, said: str) -> None:
    with pytest.raises(StackInvalid, match=f"stacks/x/stack.yml.j2.*{said}"):
        stack._parsed(text, "stacks/x")


def test_a_date_in_a_stack_file_is_text_as_docker_wants_it() -> None:
    document = stack._parsed("services: {a: {environment: {SINCE: 2026-02-20}}}", "stacks/x")
    assert '"SINCE": "2026-02-20"' in validation.text(document)


def test_a_config_that_is_no_text_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\xff")
    with pytest.raises(StackInvalid, match=r"logo\.png is not UTF-8 text"):
        stack._content(tmp_path, "logo.png", {}, "stacks/x")


def test_the_timing_of_rollouts_reaches_updates_and_draining(make: Make) -> None:
    def rendered(env: str, name: str) -> dict[str, Any]:
        environment = make(env)
        (target,) = targets.select(environment, name)
        return dict(stack.render(environment, target).services)

    plain = rendered(ENV, "app")["nginx"]
    quick = rendered(f"{ENV}rollout: {{monitor: 1s, drain: 30s}}\n", "app")["nginx"]
    assert plain["deploy"]["update_config"]["monitor"] == "5s"
    assert "monitor" not in plain["deploy"]["rollback_config"]
    assert (plain["environment"]["DRAIN"], plain["stop_grace_period"]) == ("8", "20s")
    assert quick["deploy"]["update_config"] == {**plain["deploy"]["update_config"], "monitor": "1s"}
    assert quick["deploy"]["rollback_config"]["monitor"] == "1s"
    assert (quick["environment"]["DRAIN"], quick["stop_grace_period"]) == ("30", "42s")
    portal = rendered(f"{ENV}rollout: {{drain: 4s}}\n", "admin")["portal"]
    assert (portal["environment"]["ACTIVITY_LINGER"], portal["stop_grace_period"]) == ("4s", "16s")
