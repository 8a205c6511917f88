import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from swarm.checks import definitions
from swarm.errors import EnvironmentInvalid, StackInvalid
from swarm.settings import environment, validation
from swarm.stacks import manifest, stack
from swarm.stacks.targets import Target
from tests.unit.swarm.conftest import ENV, PROJECTS, Make


@pytest.mark.parametrize("value", ["plain", "ä", "🦀", 'a\\ud83e"\\🦀\\', "\u0085\u007f\u2028\ufeff", "𐀀\U0010ffff"])
def test_a_document_is_text_that_yaml_readers_take_for_the_same(value: str) -> None:
    written = validation.text({value: [value, 1, None]})
    assert yaml.safe_load(written) == {value: [value, 1, None]}


def test_a_document_without_characters_beyond_16_bits_is_plain_json() -> None:
    assert json.loads(validation.text({"ä": "\\ud83e"})) == {"ä": "\\ud83e"}


CIRCLES = ("{key}: &a {{x: *a}}", "{key}: &a [*a]", "{key}: &a {{<<: *a}}", "{key}: &a\n  x: [{{y: *a}}]")


@pytest.mark.parametrize("circle", CIRCLES)
def test_an_alias_of_what_it_stands_in_is_a_mistake_with_file_and_line(circle: str, make: Make) -> None:
    given = circle.format(key="sizes")
    line = given.count("\n") + ENV.count("\n") + 1
    with pytest.raises(EnvironmentInvalid) as caught:
        make(ENV + given)
    (mistake,) = caught.value.mistakes
    assert mistake.endswith(f"env.yaml:{line}: *a is an alias inside its own anchor")
    given = circle.format(key="x-all")
    line = given.count("\n") + PROJECTS.count("\n") + 1
    with pytest.raises(EnvironmentInvalid) as caught:
        make(projects=PROJECTS + given)
    (mistake,) = caught.value.mistakes
    assert mistake.endswith(f"projects.yaml:{line}: *a is an alias inside its own anchor")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of stacks/ in a checkout of its own."""
    folder = tmp_path / "stacks" / "app"
    folder.mkdir(parents=True)
    (folder / "stack.yaml").write_text("description: x\n")
    for module in (environment, manifest, definitions, stack):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    for cache in (manifest.read, definitions.read):
        cache.cache_clear()
    yield folder
    for cache in (manifest.read, definitions.read):
        cache.cache_clear()


@pytest.mark.parametrize("circle", CIRCLES)
def test_so_it_is_in_the_files_of_a_stack(circle: str, app: Path, make: Make) -> None:
    (app / "stack.yml.j2").write_text("services:\n  a: {image: a}\n" + circle.format(key="x-all"))
    line = 3 + circle.count("\n")
    with pytest.raises(StackInvalid, match=rf"stack\.yml\.j2: rendered line {line}: \*a is an alias inside"):
        stack.render(make(), Target("app"))
    (app / "tests.yaml").write_text(circle.format(key="http"))
    line = 1 + circle.count("\n")
    with pytest.raises(EnvironmentInvalid, match=rf"tests\.yaml:{line}: \*a is an alias inside its own anchor"):
        definitions.read("app")
    (app / "stack.yaml").write_text(circle.format(key="values"))
    manifest.read.cache_clear()
    with pytest.raises(EnvironmentInvalid, match=rf"stack\.yaml:{line}: \*a is an alias inside its own anchor"):
        manifest.read()


def test_an_alias_of_what_is_whole_is_none() -> None:
    assert validation.parse("a: &a {x: 1}\nb: *a\nc: {<<: *a, y: [*a]}") == {
        "a": {"x": 1},
        "b": {"x": 1},
        "c": {"x": 1, "y": [{"x": 1}]},
    }
