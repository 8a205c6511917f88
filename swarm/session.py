"""What every use case works with once there is a swarm: an environment, its managers, a shell and a report."""

from dataclasses import dataclass

from swarm.engine.client import Engine
from swarm.report import Report
from swarm.settings.environment import Environment
from swarm.shell import Shell


@dataclass(frozen=True)
class Session:
    """Whom a use case works for and what with: a verb makes one, and passes it on."""

    environment: Environment
    engine: Engine
    shell: Shell
    report: Report

    def commit(self) -> str:
        """The git commit that stacks are rendered from, `+` where files differ from it; empty where there is no git."""
        folder = str(self.environment.root)
        found = self.shell.run(("git", "-C", folder, "rev-parse", "--short=12", "HEAD"), check=False)
        if found.code != 0:
            return ""
        changes = self.shell.run(("git", "-C", folder, "status", "--porcelain"), check=False).stdout
        return found.stdout.strip() + ("+" if changes.strip() else "")
