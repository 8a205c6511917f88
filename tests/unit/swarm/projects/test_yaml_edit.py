from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

from swarm.errors import ProjectsUneditable
from swarm.projects import yaml_edit
from swarm.settings.environment import ROOT

TEXT = """\
# Ours.
x-cncf: &cncf {foundation: CNCF}   # shared

projects:
  # The first.
  prometheus:
    <<: *cncf
    organisations: [prometheus,   prometheus-community]  # two of them
    description: |
      long
        text

  # The second;
  # it is small.
  envoy: {<<: *cncf, organisations: [envoyproxy]}

# The end.
"""
ENTRY = {"organisations": ["kubernetes", "kube-*"], "start": date(2014, 6, 6)}


def test_a_project_comes_to_the_end_and_nothing_else_changes() -> None:
    assert yaml_edit.added(TEXT, "kubernetes", ENTRY) == TEXT.replace(
        "organisations: [envoyproxy]}\n",
        "organisations: [envoyproxy]}\n  kubernetes:\n    organisations: [kubernetes, kube-*]\n    start: 2014-06-06\n",
    )


def test_a_blank_line_stands_between_projects_where_the_others_have_one() -> None:
    text = "projects:\n  a:\n    organisations: [a]\n\n  b:\n    organisations: [b]\n"
    assert yaml_edit.added(text, "c", {"organisations": ["c"]}) == text + "\n  c:\n    organisations: [c]\n"


@pytest.mark.parametrize(
    "text",
    ["", "projects:\n", "projects: {}\n", "# ours\n", "projects: # none yet\n", "x-a: &a {start: 2015-01-01}\n"],
)
def test_the_first_project_is_written_too(text: str) -> None:
    after = yaml_edit.added(text, "a", {"organisations": ["a"]})
    assert yaml.safe_load(after)["projects"] == {"a": {"organisations": ["a"]}}
    assert all(line in after for line in text.splitlines() if line.startswith(("#", "x-")))


def test_a_project_goes_with_its_comments_and_nothing_else_changes() -> None:
    assert yaml_edit.removed(TEXT, "envoy") == TEXT.replace(
        "\n  # The second;\n  # it is small.\n  envoy: {<<: *cncf, organisations: [envoyproxy]}\n", ""
    )
    first = yaml_edit.removed(TEXT, "prometheus")
    assert first.startswith("# Ours.\nx-cncf: &cncf {foundation: CNCF}   # shared\n\nprojects:\n")
    assert "# The second;" in first
    assert "long" not in first


def test_the_last_project_leaves_an_empty_list() -> None:
    text = "projects:\n  a:\n    organisations: [a]\n"
    assert yaml_edit.removed(text, "a") == "projects: {}\n"
    assert yaml_edit.added("projects: {}\n", "a", {"organisations": ["a"]}) == text


@pytest.mark.parametrize("text", ["projects: {a: {organisations: [a]}}\n", "{projects: {a: {}}}\n", "[1]\n"])
def test_what_cannot_be_edited_line_by_line_is_refused(text: str) -> None:
    with pytest.raises(ProjectsUneditable):
        yaml_edit.added(text, "b", {"organisations": ["b"]})


def test_a_project_that_others_borrow_from_is_refused() -> None:
    text = "projects:\n  a: &a\n    organisations: [a]\n  b:\n    <<: *a\n    database: c\n"
    with pytest.raises(ProjectsUneditable):
        yaml_edit.removed(text, "a")
    assert yaml_edit.removed(text, "b") == "projects:\n  a: &a\n    organisations: [a]\n"


@pytest.mark.parametrize("path", sorted((ROOT / "env").glob("*/projects.yaml")), ids=lambda path: path.parent.name)
def test_our_own_files_come_back_as_they_were(path) -> None:  # type: ignore[no-untyped-def]
    text = path.read_text()
    assert yaml_edit.removed(yaml_edit.added(text, "new", ENTRY), "new") == text


LINES = some.lists(some.sampled_from(["# comment", "", "  # deeper", "    # deepest"]), max_size=2)
FORMS = some.sampled_from(
    [
        "  {0}: {{organisations: [{0}]}}",
        "  {0}:\n    organisations: [{0}]",
        "  {0}:\n    organisations:\n      - {0}\n      - other",
        "  {0}:\n    organisations: [\n      {0},\n    ]\n    display_name: >\n      folded\n\n      text",
        "  {0}:\n    display_name: 'two\n      lines'\n    organisations: [{0}]",
    ]
)


@given(some.lists(some.tuples(FORMS, LINES), min_size=1, max_size=5), LINES, some.data())
def test_however_a_file_is_laid_out_one_project_comes_and_goes(forms, before, data) -> None:  # type: ignore[no-untyped-def]
    names = [f"p{number}" for number in range(len(forms))]
    body = [line for name, (form, lines) in zip(names, forms, strict=True) for line in (form.format(name), *lines)]
    text = "\n".join([*before, "projects:", *body]) + "\n"
    old = yaml.safe_load(text)["projects"]
    more = yaml_edit.added(text, "new", ENTRY)
    assert yaml.safe_load(more)["projects"] == {**old, "new": ENTRY}
    assert [line for line in more.splitlines() if line.strip().startswith("#")] == [
        line for line in text.splitlines() if line.strip().startswith("#")
    ]
    name = data.draw(some.sampled_from(names))
    less = yaml.safe_load(yaml_edit.removed(more, name))["projects"]
    assert less == {key: value for key, value in {**old, "new": ENTRY}.items() if key != name}
