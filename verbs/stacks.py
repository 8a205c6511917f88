"""Verbs of stacks: build, push, plan, deploy, render, clean."""

from functools import partial

from invoke import Context, Exit

from verbs.base import DRY, ENV, JSON, LABEL, PENDING, PROJECTS, REPORT, SHELL, STACK, WAIT, YES, session, verb

DEPLOY = {
    "stack": STACK,
    "env": ENV,
    "lock-timeout": WAIT,
    "no-rollback": "do not roll back a failed deploy",
    "no-tests": "skip the stack tests",
    "pull": "resolve image tags in the registry again",
    "dry": DRY,
}


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "dry": DRY})
def build(_: Context, stack: str, env: str = "", dry: bool = False) -> None:
    """Build a stack's changed images."""
    from swarm.live import orphans
    from swarm.nodes import manager
    from swarm.settings.environment import load
    from swarm.stacks import images
    from swarm.stacks import stack as stacks

    environment = load(env)
    meant = orphans.select(environment, stack, partial(manager.connect, environment, SHELL))
    wanted = stacks.needed_images(environment, meant)
    images.build(environment, wanted, SHELL, REPORT, dry=dry)


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "dry": DRY})
def push(_: Context, stack: str, env: str = "", dry: bool = False) -> None:
    """Push a stack's images that the registry does not have."""
    from swarm.live import orphans
    from swarm.nodes import manager
    from swarm.settings.environment import load
    from swarm.stacks import images
    from swarm.stacks import stack as stacks

    environment = load(env)
    meant = orphans.select(environment, stack, partial(manager.connect, environment, SHELL))
    images.push(stacks.needed_images(environment, meant), REPORT, dry=dry)


@verb(
    positional=["stack"],
    help={
        "stack": STACK,
        "env": ENV,
        "label": LABEL,
        "projects": PROJECTS,
        "json": JSON,
        "diff": "show the changed lines of configs",
    },
)
def plan(
    _: Context,
    stack: str,
    env: str = "",
    label: str = "",
    projects: str = "",
    json: bool = False,
    diff: bool = False,
) -> None:
    """Show what a deploy would change. Exit code 0: nothing; 2: pending changes."""
    from swarm.deploy import changeset
    from swarm.live import orphans
    from swarm.nodes import manager
    from swarm.plan import display
    from swarm.settings.environment import load
    from swarm.stacks.selection import Selection

    environment = load(env)
    connect = partial(manager.connect, environment, SHELL)
    wanted, selection = orphans.select(environment, stack, connect, projects), Selection.parse(label)
    connected = session(environment)
    found = changeset.collect(connected, wanted, selection)
    plans = list(found.plans.values())
    context = found.plan_context(connected, full=diff)
    if json:
        REPORT.data([display.as_json(item, context) for item in plans])
    else:
        REPORT.lines(display.lines(plans, context))
    if found.changed:
        raise Exit(code=PENDING)


@verb(positional=["stack"], help={**DEPLOY, "label": LABEL, "projects": PROJECTS})
def deploy(
    _: Context,
    stack: str,
    env: str = "",
    label: str = "",
    projects: str = "",
    lock_timeout: int = 600,
    no_rollback: bool = False,
    no_tests: bool = False,
    pull: bool = False,
    dry: bool = False,
) -> None:
    """Deploy a stack and wait until it is healthy. A failed deploy is rolled back automatically."""
    import swarm.deploy.deploy
    from swarm.deploy.deployment import Options
    from swarm.live import orphans
    from swarm.nodes import manager
    from swarm.settings.environment import load
    from swarm.stacks.selection import Selection

    environment = load(env)
    wanted = orphans.select(environment, stack, partial(manager.connect, environment, SHELL), projects)
    selection = Selection.parse(label)
    options = Options(
        lock_timeout, rollback=not no_rollback, tests=not no_tests, pull=pull, dry=dry, selection=selection
    )
    swarm.deploy.deploy.deploy(session(environment), wanted, options)


@verb(positional=["stack"], help=DEPLOY)
def deliver(
    context: Context,
    stack: str,
    env: str = "",
    lock_timeout: int = 600,
    no_rollback: bool = False,
    no_tests: bool = False,
    pull: bool = False,
    dry: bool = False,
) -> None:
    """Build, push and deploy a stack."""
    from swarm.deploy import missing_secrets
    from swarm.live import orphans
    from swarm.nodes import manager
    from swarm.settings.environment import load

    environment = load(env)
    if engine := manager.find(environment, SHELL):
        # Known before anything is built: the deploy would refuse it.
        wanted = orphans.select(environment, stack, partial(manager.connect, environment, SHELL))
        missing_secrets.require_for(environment, wanted, engine)
    build(context, stack, env, dry=dry)
    push(context, stack, env, dry=dry)
    options = {"no_rollback": no_rollback, "no_tests": no_tests, "pull": pull, "dry": dry}
    deploy(context, stack, env, lock_timeout=lock_timeout, **options)


@verb(
    positional=["stack"],
    help={
        "stack": STACK,
        "env": ENV,
        "label": LABEL,
        "projects": PROJECTS,
        "lock-timeout": WAIT,
        "yes": YES,
        "dry": DRY,
    },
)
def clean(
    _: Context,
    stack: str,
    env: str = "",
    label: str = "",
    projects: str = "",
    lock_timeout: int = 600,
    yes: bool = False,
    dry: bool = False,
) -> None:
    """Remove a stack's services, tasks and networks. Volumes and releases stay."""
    import swarm.deploy.clean
    from swarm.live import orphans
    from swarm.nodes import manager
    from swarm.settings.environment import load
    from swarm.stacks.selection import Selection

    environment = load(env)
    wanted = orphans.every(environment, stack, partial(manager.connect, environment, SHELL), projects)
    engine, selection = manager.connect(environment, SHELL), Selection.parse(label)
    if not (yes or dry) and (doomed := swarm.deploy.clean.question(wanted, engine, selection, place=environment.name)):
        REPORT.confirm(doomed, wanted[0].name if len(wanted) == 1 else environment.name)
    swarm.deploy.clean.clean(wanted, engine, REPORT, lock_timeout, selection, dry=dry)


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "label": LABEL, "projects": PROJECTS, "json": JSON})
def render(_: Context, stack: str, env: str = "", label: str = "", projects: str = "", json: bool = False) -> None:
    """Validate a stack and print the stack file that Docker receives."""
    from swarm.deploy import changeset
    from swarm.host import prerequisites
    from swarm.live import orphans
    from swarm.nodes import manager
    from swarm.settings.environment import load
    from swarm.stacks.selection import Selection

    environment = load(env)
    wanted = orphans.select(environment, stack, partial(manager.connect, environment, SHELL), projects)
    selection = Selection.parse(label)
    rendered = changeset.render(environment, wanted, prerequisites.client(SHELL), SHELL, selection)
    if json:
        REPORT.data([{"stack": item.name, "document": item.document} for item in rendered])
        return
    REPORT.text("---\n".join(item.text() for item in rendered))
