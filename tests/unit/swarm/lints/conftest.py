from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from swarm.lints import finding
from swarm.settings import validation
from swarm.stacks.manifest import Manifest
from swarm.stacks.stack import Stack
from swarm.stacks.targets import Target
from swarm.stacks.versions import ConfigVersion

MakeStack = Callable[..., Stack]


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeStack:
    """A stack whose template is what it renders, with configs by key."""
    monkeypatch.setattr(finding, "ROOT", tmp_path)

    def _stack(text: str, name: str = "app", configs: dict[str, str] | None = None) -> Stack:
        source = dedent(text).lstrip()
        template = tmp_path / "stacks" / name / "stack.yml.j2"
        template.parent.mkdir(parents=True, exist_ok=True)
        template.write_text(source)
        versions = tuple(
            ConfigVersion(key, f"{name}_{key}_1", content.encode()) for key, content in (configs or {}).items()
        )
        document = {**validation.parse(source), "configs": {item.key: {"name": item.name} for item in versions}}
        return Stack(Target(name), Manifest(description="x"), document, versions, (), (), source=source)

    return _stack
