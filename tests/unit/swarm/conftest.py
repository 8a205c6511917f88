from collections.abc import Callable
from pathlib import Path

import pytest

from swarm.settings import environment
from swarm.settings.environment import Environment

ENV = """
domain: example.test
registry: 127.0.0.1:5000/swarmstats
driver: lab
nodes:
  - {name: node-1, role: manager}
  - {name: node-2, role: worker, labels: {database: "true"}}
"""

PROJECTS = """
projects:
  apache: {organisations: [apache]}
  rust-lang: {display_name: Rust, organisations: [rust-lang], foundation: Rust Foundation}
"""

Make = Callable[..., Environment]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write an environment's files and load them."""

    def _make(env: str = ENV, projects: str = PROJECTS, name: str = "lab") -> Environment:
        folder = tmp_path / "env" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "env.yaml").write_text(env)
        (folder / "projects.yaml").write_text(projects)
        return environment.load(name, {"SWARMSTATS_ENVS": str(tmp_path / "env")})

    return _make
