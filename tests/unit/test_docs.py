"""What README and docs promise is there."""

import inspect
import re
import shutil
from pathlib import Path

import tasks
from swarm import errors
from swarm.errors import SwarmstatsError
from swarm.settings import environment
from swarm.settings.environment import ROOT
from swarm.stacks import stack, targets
from verbs import reference

README = (ROOT / "README.md").read_text()


def verbs() -> dict[str, str]:
    return {name: task.__doc__ or "" for name, task in _walk(tasks.namespace)}


def _walk(collection: object, prefix: str = "") -> list[tuple[str, object]]:
    found = [(prefix + name, task) for name, task in collection.tasks.items()]  # type: ignore[attr-defined]
    for name, inner in collection.collections.items():  # type: ignore[attr-defined]
        found += _walk(inner, f"{prefix}{name}.")
    return found


def test_every_verb_has_help() -> None:
    for name, help_text in verbs().items():
        assert help_text.strip(), name


def test_the_reference_of_verbs_is_current_and_names_each_verb() -> None:
    page = reference.text(tasks.namespace)
    assert reference.FILE.read_text() == page, "docs/verbs.md is out of date. Run: .venv/bin/python -m verbs.reference"
    for name in verbs():
        assert re.search(rf"^\| `{re.escape(name)}[` ]", page, re.M), name


def test_the_readme_leads_to_the_reference_of_verbs() -> None:
    assert "](docs/verbs.md)" in README


def test_every_command_in_the_docs_is_a_verb() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md"):
        for name in re.findall(r"\./run ([a-z][a-z.]*[a-z])", page.read_text()):
            assert name in verbs(), f"{page.name}: ./run {name}"


def test_every_link_in_the_docs_leads_to_a_file() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md"):
        for link in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_test_that_the_docs_name_exists() -> None:
    for page in (*(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md"):
        for path in re.findall(r"\btests/(?:unit|integration|e2e|support)[\w./]*", page.read_text()):
            assert (ROOT / path.rstrip("./")).exists() or path.endswith("test_"), f"{page.name}: {path}"


def test_every_exit_code_is_distinct_documented_and_in_the_tree() -> None:
    classes = [item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, SwarmstatsError)]
    codes = [item.exit_code for item in classes]
    assert len(codes) == len(set(codes))
    table = (ROOT / "docs" / "troubleshooting.md").read_text()
    for item in classes:
        assert re.search(rf"{item.__name__}\s+{item.exit_code}\b", errors.__doc__ or ""), item.__name__
        assert item is SwarmstatsError or f"| {item.exit_code} |" in table, item.__name__


def test_every_stack_renders_in_every_environment_without_an_engine(tmp_path: Path) -> None:
    copy = shutil.copytree(ROOT / "env", tmp_path / "env", ignore=shutil.ignore_patterns("*.secret"))
    for folder in sorted(copy.glob("*/env.yaml")):
        known = environment.load(folder.parent.name, {"SWARMSTATS_ENVS": str(copy)})
        for target in targets.select(known, "all"):
            rendered = stack.render(known, target)
            assert rendered.services, target.name


def test_stacks_images_and_environments_hold_no_python() -> None:
    for folder in ("stacks", "env", "images"):
        found = [path for path in (ROOT / folder).rglob("*.py") if "images/activity/" not in str(path)]
        assert found == []


def test_nothing_is_left_for_later_and_nothing_names_this_machine() -> None:
    pattern = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if path.suffix in (".py", ".sql", ".j2", ".sh") and not parts[0].startswith(".") and path != ROOT / __file__:
            assert not pattern.search(path.read_text()) or path.name == "test_docs.py", path
