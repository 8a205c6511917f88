from pathlib import Path

import pytest

from swarm.errors import TemplateInvalid
from swarm.stacks import templates


def render(directory: Path, text: str, **variables: object) -> str:
    (directory / "stack.yml.j2").write_text(text)
    return templates.render(directory, "stack.yml.j2", variables, "stacks/app")


def test_the_templates_of_swarm_reach_swarm(tmp_path: Path) -> None:
    assert render(tmp_path, "{{.Node.ID}} {{ .Task.Slot }} {{ name }}", name="x") == "{{.Node.ID}} {{ .Task.Slot }} x"


def test_an_unknown_variable_names_stack_file_line_and_variable(tmp_path: Path) -> None:
    with pytest.raises(TemplateInvalid) as caught:
        render(tmp_path, "services:\n  web:\n    image: {{ regsitry }}\n", registry="r")
    assert caught.value.message == "stacks/app/stack.yml.j2:3: 'regsitry' is undefined."
    assert "registry" in caught.value.hint


def test_an_unknown_attribute_is_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(TemplateInvalid, match=r"stack\.yml\.j2:1: .*no attribute 'b'"):
        render(tmp_path, "{{ a.b }}", a=object())


def test_an_error_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "part.j2").write_text("\n\n{{ nothing }}")
    with pytest.raises(TemplateInvalid, match=r"stacks/app/part\.j2:3: 'nothing' is undefined"):
        render(tmp_path, "{% include 'part.j2' %}")


def test_broken_syntax_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(TemplateInvalid, match=r"stacks/app/stack\.yml\.j2:2: "):
        render(tmp_path, "a\n{% if %}\n")


def test_a_template_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TemplateInvalid, match=r"stacks/app/absent\.j2: file not found"):
        templates.render(tmp_path, "absent.j2", {}, "stacks/app")
