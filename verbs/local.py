"""This machine and this checkout: everything at once, what is wrong, completion, tests.

Each is asked for seldom and brings modules of its own, which no other verb waits for when it starts.
"""

import time

from invoke import Collection, Context, Exit

from swarm.errors import UnknownName
from verbs.arguments import Verb
from verbs.base import DRY, ENV, JSON, REPORT, SHELL, verb


@verb(help={"env": ENV, "dry": DRY})
def demo(_: Context, env: str = "", dry: bool = False) -> None:
    """Create a local swarm, deploy all stacks and load data."""
    from swarm import demo
    from swarm.host import prerequisites
    from swarm.settings.environment import load

    environment = load(env)
    if prerequisites.ensure_engine(SHELL, REPORT, dry=dry):
        demo.run(environment, SHELL, REPORT, dry=dry)


@verb(help={"env": ENV, "json": JSON})
def doctor(_: Context, env: str = "", json: bool = False) -> None:
    """Check this machine, the environment and the swarm."""
    from swarm import doctor

    if not doctor.run(env, SHELL, REPORT, json=json):
        raise Exit(code=1)


def completion_of(namespace: Collection) -> Verb:
    """The verb that writes what a shell needs to complete the verbs of a namespace."""

    @verb(positional=["shell"], help={"shell": "bash, zsh or fish"})
    def completion(_: Context, shell: str | None = None) -> None:
        """Print the shell completion script: source <(./run completion bash)."""
        from verbs import completion, completion_table

        if shell and shell not in completion.SCRIPTS:
            raise UnknownName("shell", shell, completion.SCRIPTS)
        completion_table.write(namespace.to_contexts())
        if shell:
            REPORT.text(completion.script(shell))

    return completion


@verb(
    help={
        "tier": "lint, unit, integration, e2e, a comma-separated list, or all",
        "long": "run fault and soak tests in full",
        "durations": "show the slowest cases of each tier",
    }
)
def test(_: Context, tier: str = "all", long: bool = False, durations: bool = False) -> None:
    """Run all test tiers. Tiers that cannot run are named."""
    from swarm.dev import test_tiers

    test_tiers.run(tier, long, SHELL, REPORT, time.monotonic, durations=durations)
