import pytest

from swarm.errors import EnvironmentInvalid, UnknownName
from swarm.settings import environment
from swarm.settings.environment import ROOT, EnvironmentFile
from swarm.settings.projects import ProjectFile
from swarm.stacks import manifest
from tests.unit.swarm.conftest import ENV, Make


def test_every_environment_of_the_checkout_loads() -> None:
    for name in ("lab", "production"):
        assert environment.load(name, {}).name == name


def test_three_mistakes_are_reported_at_once_with_file_line_path_and_what_is_allowed(make: Make) -> None:
    wrong = """
domain: example.test
registry: 127.0.0.1:5000
driver: kubernetes
nodes:
  - {name: node-1, role: boss}
  - name: node-2
    role: worker
    label: {a: b}
"""
    with pytest.raises(EnvironmentInvalid) as caught:
        make(wrong)
    first, second, third = caught.value.mistakes
    assert first.endswith("env.yaml:4: driver: 'kubernetes' is not one of 'lab', 'context'")
    assert second.endswith("env.yaml:6: nodes[0].role: 'boss' is not one of 'manager', 'worker'")
    assert third.endswith("env.yaml:9: nodes[1].label: unknown key; allowed: labels, name, role")


def test_mistakes_of_both_files_come_together(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid) as caught:
        make(ENV + "colour: red\n", "projects: {apache: {organisations: apache}}")
    assert any("env.yaml" in mistake and "colour: unknown key" in mistake for mistake in caught.value.mistakes)
    assert any("projects.yaml" in mistake and "expected list" in mistake for mistake in caught.value.mistakes)


def test_a_key_given_twice_is_a_mistake_although_yaml_takes_the_last(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid, match="domain: is given twice"):
        make(ENV + "domain: other.test\n")


def test_broken_yaml_names_its_line(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid, match=r"env\.yaml:\d+: "):
        make("domain: [unclosed\nregistry: x\n")


def test_a_day_that_no_calendar_has_is_a_mistake_like_others(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid) as caught:
        make(
            env=ENV + "archive: {since: 2026-02-30}\n",
            projects="projects:\n  apache: {organisations: [apache], start: 2015-02-30}\n",
        )
    assert len(caught.value.mistakes) == 2
    assert "env.yaml:8: archive.since: " in caught.value.mistakes[0]
    assert "projects.yaml:2: projects.apache.start: " in caught.value.mistakes[1]
    assert "found '2015-02-30'" in caught.value.mistakes[1]


def test_an_unknown_environment_gives_the_nearest_names(make: Make) -> None:
    with pytest.raises(UnknownName) as caught:
        environment.load("labb", {})
    assert caught.value.message == 'No environment "labb". Did you mean lab?'
    assert caught.value.exit_code == 64


def test_the_environment_is_named_by_flag_then_variable_then_default() -> None:
    assert environment.load("production", {"SWARMSTATS_ENV": "lab"}).name == "production"
    assert environment.load(None, {"SWARMSTATS_ENV": "production"}).name == "production"
    assert environment.load(None, {}).name == "lab"


def test_a_lab_needs_a_manager(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid, match="at least one node with role manager"):
        make(ENV.replace("manager", "worker"))


def test_driver_context_needs_the_name_of_a_context(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid, match="context: is missing"):
        make(ENV.replace("driver: lab", "driver: context"))


def test_urls_carry_the_port_that_the_browser_needs(make: Make) -> None:
    assert make().url("apache") == "http://apache.example.test"
    assert make(ENV + "lab: {http_port: 8080}\n").url() == "http://example.test:8080"


def test_a_deploy_watches_for_three_seconds_and_drains_for_eight_unless_the_environment_says_otherwise(
    make: Make,
) -> None:
    timing = make().rollout
    assert (timing.stable_seconds, timing.monitor, timing.drain_seconds) == (3, None, 8)
    timing = make(ENV + "rollout: {stable: 30s, monitor: 1s, drain: 20s}\n").rollout
    assert (timing.stable_seconds, timing.monitor, timing.drain_seconds) == (30, "1s", 20)


@pytest.mark.parametrize("value", ["0s", "3", "3m", "-1s"])
def test_a_time_of_stability_that_is_none_is_a_mistake(make: Make, value: str) -> None:
    with pytest.raises(EnvironmentInvalid, match=r"rollout\.stable"):
        make(ENV + f"rollout: {{stable: {value!r}}}\n")


def test_secret_files_are_ignored_by_git_and_environments_are_not() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "env/*/secrets/*.secret" in ignored
    assert "env/" not in ignored


def test_the_commented_example_shows_every_key() -> None:
    text = (ROOT / "env" / "production" / "env.yaml").read_text()
    models = (
        EnvironmentFile,
        environment.Lab,
        environment.Storage,
        environment.Build,
        environment.Archive,
        environment.RolloutTiming,
    )
    missing = [name for model in models for name in model.model_fields if f"{name}:" not in text]
    assert missing == []
    projects = (ROOT / "env" / "production" / "projects.yaml").read_text()
    assert [name for name in ProjectFile.model_fields if f"{name}:" not in projects] == []


def test_every_secret_of_the_stacks_has_an_example_unless_it_is_derived() -> None:
    for name, how in manifest.declarations().items():
        for folder in ("lab", "production"):
            example = ROOT / "env" / folder / "secrets" / f"{name}.secret.example"
            assert example.exists() or how.htpasswd


def test_keys_that_name_a_stack_or_image_that_is_not_there_are_mistakes(make: Make) -> None:
    with pytest.raises(EnvironmentInvalid) as caught:
        make(ENV + "stacks: {bd: {memory: 1G}}\nimages: {trafik: x}\nsizes: {admni.portal: {replicas: 1}}\n")
    said = "\n".join(caught.value.mistakes)
    assert "stacks.bd: unknown; allowed: admin" in said
    assert "images.trafik: unknown; allowed: activity" in said
    assert "sizes.admni: unknown; allowed: admin, apache" in said
