"""Verbs of releases: list, show, rollback, drift."""

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from invoke import Context, Exit

from verbs.base import DRY, ENV, JSON, PENDING, PROJECTS, REPORT, SHELL, STACK, WAIT, session, verb

if TYPE_CHECKING:
    from swarm.deploy.releases import Release


NUMBER = "the number of a release, as listed by `releases`"
COLUMNS = ("STACK", "RELEASE", "STATE", "WHEN", "WHO", "COMMIT", "DEPLOY", "NOTE")


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "projects": PROJECTS, "json": JSON})
def releases(_: Context, stack: str | None = None, env: str = "", projects: str = "", json: bool = False) -> None:
    """List releases, newest first: time, owner, commit and result."""
    import swarm.deploy.releases
    from swarm.live import orphans
    from swarm.nodes import manager
    from swarm.settings.environment import load

    environment = load(env)
    connect = partial(manager.connect, environment, SHELL)
    named = orphans.every(environment, stack or "all", connect, projects) if stack or projects else ()
    chosen = {target.name for target in named}
    known = swarm.deploy.releases.history(connect())
    found = [item for item in known if not chosen or item.stack in chosen]
    if json:
        REPORT.data([asdict(item) for item in found])
        return
    REPORT.table(COLUMNS, (_cells(item) for item in found))


@verb(positional=["stack", "number"], help={"stack": STACK, "number": NUMBER, "env": ENV, "json": JSON})
def show(_: Context, stack: str, number: str, env: str = "", json: bool = False) -> None:
    """Show a release's image digests, configs, secrets and stack file."""
    import swarm.deploy.releases
    from swarm.nodes import manager
    from swarm.settings import validation
    from swarm.settings.environment import load

    engine = manager.connect(load(env), SHELL)
    found = swarm.deploy.releases.find(engine, stack, swarm.deploy.releases.number(number))
    held = swarm.deploy.releases.content(engine, found)
    if json:
        REPORT.data({"release": asdict(found), "content": asdict(held)})
        return
    REPORT.table(COLUMNS, [_cells(found)])
    REPORT.line()
    REPORT.table(("SERVICE", "IMAGE"), held.images.items())
    REPORT.line(f"configs: {', '.join(held.configs) or 'none'}")
    REPORT.line(f"secrets: {', '.join(held.secrets) or 'none'}")
    REPORT.line()
    REPORT.text(validation.written(held.document))


def _cells(item: "Release") -> tuple[str, ...]:
    when = f"{item.when:%Y-%m-%d %H:%M:%S}"
    who = f"{item.owner}@{item.host}"
    cleaned = f"cleaned {item.cleaned_at:%Y-%m-%d %H:%M:%S} by {item.cleaned_by}" if item.cleaned_at else ""
    note = "; ".join(text for text in (item.note, cleaned) if text)
    return (item.stack, str(item.number), str(item.state), when, who, item.commit or "-", item.deploy, note)


@verb(
    positional=["stack", "number"],
    help={"stack": STACK, "number": NUMBER, "env": ENV, "lock-timeout": WAIT, "dry": DRY},
)
def rollback(
    _: Context, stack: str, number: str | None = None, env: str = "", lock_timeout: int = 600, dry: bool = False
) -> None:
    """Roll a stack back to an earlier release."""
    import swarm.deploy.releases
    import swarm.deploy.rollback
    from swarm.deploy.deployment import Options
    from swarm.live import orphans
    from swarm.nodes import manager
    from swarm.settings.environment import load

    environment = load(env)
    wanted = orphans.select(environment, stack, partial(manager.connect, environment, SHELL))
    connected = session(environment)
    goal = swarm.deploy.releases.number(number) if number else None
    swarm.deploy.rollback.rollback(connected, wanted, goal, stack == "all", Options(lock_timeout, dry=dry))


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "json": JSON})
def drift(_: Context, stack: str, env: str = "", json: bool = False) -> None:
    """Compare running stacks with their last release. Exit code 0: same; 2: different."""
    import swarm.deploy.rollback
    from swarm.live import orphans
    from swarm.nodes import manager
    from swarm.plan import display
    from swarm.settings.environment import load

    environment = load(env)
    connect = partial(manager.connect, environment, SHELL)
    wanted = orphans.select(environment, stack, connect)
    found = swarm.deploy.rollback.drift(connect(), wanted)
    if json:
        REPORT.data([display.as_json(item) for item in found])
    else:
        REPORT.lines(display.lines(found))
    if any(not item.empty for item in found):
        raise Exit(code=PENDING)
