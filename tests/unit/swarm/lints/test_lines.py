from pathlib import Path
from textwrap import dedent

import pytest

from swarm.lints import lines
from swarm.stacks import templates

TEMPLATE = dedent(
    """\
    x-update: &update {order: start-first}

    services:
    {% for name in names %}
      {{ name }}:
        image: {{ image }}
    {% if ports %}
        ports:
          - {target: 80, published: {{ ports }}, mode: host}
    {% endif %}
        {# a comment
           of two lines #}
        hostname: "{{.Task.Slot}}"
        environment:
    {{ settings }}
        deploy:
          update_config: *update
    {% endfor %}
      last:
        image: {{ image }}
        labels: ["a=1", "b={{ image }}"]
    """
)


def rendered(tmp_path: Path, **more: object) -> str:
    (tmp_path / "stack.yml.j2").write_text(TEMPLATE)
    variables = {"names": ["one", "two"], "image": "nginx", "ports": 80, "settings": "      A: 1\n      B: 2", **more}
    return templates.render(tmp_path, "stack.yml.j2", variables, "stacks/app")


def origin(text: str, *path: str | int) -> int:
    return lines.origins(TEMPLATE, text)[lines.line(text, path) - 1]


def test_every_rendered_line_leads_back_to_its_template_line(tmp_path: Path) -> None:
    text = rendered(tmp_path)
    service = [5, 6, 8, 9, 13, 14, 15, 15, 16, 17]
    assert lines.origins(TEMPLATE, text) == (1, 2, 3, *service, *service, 19, 20, 21)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("services", "one", "image"), 6), (("services", "two", "image"), 6), (("services", "last", "image"), 20),
        (("services", "two", "ports", 0), 9), (("services", "two", "ports", 0, "mode"), 9),
        (("services", "one", "hostname"), 13), (("services", "one", "environment", "B"), 15),
        (("services", "one", "deploy", "update_config", "order"), 1), (("services", "last", "labels", "b"), 21),
        (("services", "last", "none", "deeper"), 19), (("none",), 1),
    ],
)  # fmt: skip
def test_a_key_is_found_in_loops_in_lists_and_behind_anchors(
    tmp_path: Path, path: tuple[str | int, ...], line: int
) -> None:
    assert origin(rendered(tmp_path), *path) == line


def test_what_a_condition_leaves_out_shifts_nothing(tmp_path: Path) -> None:
    text = rendered(tmp_path, ports=None, names=["one"])
    assert origin(text, "services", "one", "hostname") == 13
    assert origin(text, "services", "last", "image") == 20


def test_merged_keys_lead_to_the_anchor_that_has_them() -> None:
    text = "x-a: &a\n  image: old\nservices:\n  web:\n    <<: *a\n    user: me\n"
    assert lines.line(text, ("services", "web", "image")) == 2
    assert lines.line(text, ("services", "web", "user")) == 6
    several = "x-a: &a {image: old}\nx-b: &b {user: me}\nservices:\n  web:\n    <<: [*a, *b]\n"
    assert lines.line(several, ("services", "web", "user")) == 2


def test_an_empty_template_and_a_text_from_elsewhere_do_not_hurt() -> None:
    assert lines.origins("", "a\nb\n") == (1, 1)
    assert lines.origins("a: 1\nb: 2\n", "a: 1\nsomething: else\nb: 2\n")[::2] == (1, 2)
