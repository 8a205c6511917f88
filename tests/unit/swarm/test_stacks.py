import json

import pytest

from swarm import stacks, targets
from swarm.errors import EnvironmentInvalid, UnknownName
from swarm.targets import Target
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
        text = json.dumps(stacks.render(make(), target).document)
        assert "$" not in text.replace("$$", "")


def test_rendering_twice_gives_the_same(make: Make) -> None:
    environment = make()
    assert stacks.render(environment, Target("app")) == stacks.render(environment, Target("app"))


def test_sizes_change_their_service_alone(make: Make) -> None:
    project = make().projects.get("apache")
    before = stacks.render(make(), Target("project", project))
    after = stacks.render(make(ENV + "sizes: {apache.sync: {memory: 77M, replicas: 0}}\n"), Target("project", project))
    deploy = after.services["sync"]["deploy"]
    assert (deploy["resources"]["limits"]["memory"], deploy["replicas"]) == ("77M", 0)
    assert before.document != after.document
    other = Target("project", make().projects.get("rust-lang"))
    assert stacks.render(make(ENV), other).document == stacks.render(make(), other).document


def test_values_of_env_yaml_stand_over_the_defaults_and_unknown_ones_are_mistakes(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid, match=r"stacks\.db\.shared_memry: unknown key; allowed: .*shared_memory"):
        stacks.render(make(ENV + "stacks: {db: {shared_memry: 1}}\n"), Target("db"))
    rendered = stacks.render(make(ENV + "stacks: {db: {shared_memory: 77}}\n"), Target("db"))
    assert '"size": 77' in json.dumps(rendered.document)


def test_secrets_stand_in_no_rendered_document(make: Make) -> None:
    environment = make()
    rendered = [stacks.render(environment, target) for target in targets.select(environment, "all")]
    texts = "".join(stack.text() for stack in rendered)
    sealed = {item.secret.reveal() for stack in rendered for item in stack.secrets}
    assert len(sealed) >= 4
    assert not [secret for secret in sealed if secret in texts]


def test_every_service_names_its_template(make: Make) -> None:
    environment = make()
    for target in targets.select(environment, "all"):
        for service in stacks.render(environment, target).services.values():
            assert service["deploy"]["labels"]["swarmstats.template"] == target.template


def test_services_balance_themselves_and_publish_in_host_mode(make: Make) -> None:
    environment = make()
    for target in targets.select(environment, "all"):
        for name, service in stacks.render(environment, target).services.items():
            assert service["deploy"].get("endpoint_mode") == "dnsrr", f"{target.name}_{name}"
            assert all(port["mode"] == "host" for port in service.get("ports", ())), f"{target.name}_{name}"


def test_a_size_of_a_service_that_is_not_there_names_those_that_are(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid, match=r"sizes\.app\.ngnix: app has no service 'ngnix'; allowed: nginx"):
        stacks.render(make(ENV + "sizes: {app.ngnix: {memory: 9M}}\n"), Target("app"))
