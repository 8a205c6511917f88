from pathlib import Path

import pytest

from swarm.checks import definitions
from swarm.checks.definitions import StackTests
from swarm.errors import EnvironmentInvalid
from swarm.settings.environment import ROOT
from swarm.stacks import manifest, stack, targets
from swarm.stacks.targets import Target
from tests.unit.swarm.conftest import Make


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> object:
    """Write tests.yaml of a stack in a checkout of its own and read it."""
    manifest.read()
    definitions.read.cache_clear()
    request.addfinalizer(definitions.read.cache_clear)
    monkeypatch.setattr(definitions, "ROOT", tmp_path)

    def _write(text: str, template: str = "app") -> StackTests:
        path = tmp_path / "stacks" / template / "tests.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return definitions.read(template)

    return _write


def mistakes(write: object, text: str, template: str = "app") -> str:
    with pytest.raises(EnvironmentInvalid) as caught:
        write(text, template)
    return str(caught.value)


def test_a_stack_without_the_file_has_no_tests(write: object) -> None:
    assert definitions.read("nothing") == StackTests()


def test_what_is_expected_may_be_a_number_in_yaml(write: object) -> None:
    found = write("promql:\n  - {name: up, query: up, expect: 1}\n")
    assert found.promql[0].expect == "1"
    assert found.inside == 1


def test_mistakes_have_their_line_and_what_is_allowed(write: object) -> None:
    text = "http:\n  - {name: a, status: 20}\n  - name: b\n    path: x\n    txt: y\n"
    said = mistakes(write, text)
    assert "tests.yaml:2: http[0].status: expected greater than or equal to 100, found 20" in said
    assert "tests.yaml:4: http[1].path: " in said
    assert "http[1].txt: unknown key; allowed: host, location, name, path, scheme, sign_in, status" in said


def test_a_comparison_that_is_none_is_a_mistake(write: object) -> None:
    assert "promql[0].expect" in mistakes(write, "promql:\n  - {name: up, query: up, expect: many}\n")


def test_two_tests_of_one_name_are_a_mistake(write: object) -> None:
    said = mistakes(write, "http:\n  - {name: a}\ntcp:\n  - {name: a, network: n, address: 'h:1'}\n")
    assert "duplicate test name 'a'" in said


def test_a_secret_that_nobody_declared_is_a_mistake(write: object) -> None:
    assert "http[0]: unknown secret 'traefik-admim'; allowed: " in mistakes(
        write, "http:\n  - {name: a, sign_in: traefik-admim}\n"
    )


def test_a_project_is_a_word_of_the_projects_stack_only(write: object) -> None:
    text = 'http:\n  - {name: a, host: "{project}"}\n'
    assert "{project} is only available in stacks/project" in mistakes(write, text)
    assert write(text, "project").http[0].host == "{project}"


def test_placeholders_are_filled_in_and_other_braces_stay(write: object, make: Make) -> None:
    write(
        'http:\n  - {name: "{project}", host: "{project}", text: "{display_name}", location: "http://{domain}"}\n'
        "promql:\n  - {name: up, query: 'up{project=\"{project}\"}'}\n",
        "project",
    )
    (target,) = targets.select(make(), "rust-lang")
    found = definitions.of(target, "example.test")
    assert (found.http[0].name, found.http[0].text, found.http[0].location) == (
        "rust-lang",
        "Rust",
        "http://example.test",
    )
    assert found.promql[0].query == 'up{project="rust-lang"}'


def test_a_placeholder_may_stand_in_an_address(write: object, make: Make) -> None:
    write('tcp:\n  - {name: sync, network: n, address: "{project}_sync:9100"}\n', "project")
    (target,) = targets.select(make(), "rust-lang")
    assert definitions.of(target, "example.test").tcp[0].address == "rust-lang_sync:9100"


def test_names_that_are_the_same_once_filled_in_are_a_mistake(write: object) -> None:
    write('http:\n  - {name: "{domain}"}\n  - {name: example.test}\n')
    with pytest.raises(EnvironmentInvalid, match=r"app/tests.yaml \(app\): duplicate test name 'example.test'"):
        definitions.of(Target("app"), "example.test")


def test_every_stack_has_tests_whose_secrets_are_its_own(make: Make) -> None:
    for target in targets.select(make(), "all"):
        found = definitions.of(target, "example.test")
        assert found != StackTests(), target.name
        own = {item.key for item in stack.render(make(), target).secrets}
        assert {test.secret for test in found.sql} <= own, target.name


def test_no_job_runs_for_each_project() -> None:
    assert definitions.of(Target("app"), "example.test").inside == 0
    assert definitions.read("project").inside == 0
    assert (ROOT / "stacks" / "project" / "tests.yaml").exists()
