"""What stacks were before: their releases, the way back, what has drifted from the last one."""

from dataclasses import asdict
from functools import partial

from invoke import Context, Exit

import swarm.releases
import swarm.rollback
from swarm import cluster, documents, outline, strays
from swarm.deployment import Options
from swarm.desk import Desk
from swarm.environment import load
from swarm.releases import Release
from verbs.door import DRY, ENV, JSON, PENDING, PROJECTS, REPORT, SHELL, STACK, WAIT, verb

NUMBER = "the number of a release, as `releases` lists them"
COLUMNS = ("STACK", "RELEASE", "STATE", "WHEN", "WHO", "COMMIT", "DEPLOY", "NOTE")


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "projects": PROJECTS, "json": JSON})
def releases(_: Context, stack: str | None = None, env: str = "", projects: str = "", json: bool = False) -> None:
    """The releases of a stack, newest first: when, who, from which commit, what became of them."""
    environment = load(env)
    manager = partial(cluster.manager, environment, SHELL)
    named = strays.every(environment, stack or "all", manager, projects) if stack or projects else ()
    chosen = {target.name for target in named}
    known = swarm.releases.history(manager())
    found = [item for item in known if not chosen or item.stack in chosen]
    if json:
        REPORT.data([asdict(item) for item in found])
        return
    REPORT.table(COLUMNS, (_cells(item) for item in found))


@verb(positional=["stack", "number"], help={"stack": STACK, "number": NUMBER, "env": ENV, "json": JSON})
def show(_: Context, stack: str, number: str, env: str = "", json: bool = False) -> None:
    """What a release holds: images by digest, versions of configs and secrets, and the stack file."""
    engine = cluster.manager(load(env), SHELL)
    found = swarm.releases.find(engine, stack, swarm.releases.number(number))
    held = swarm.releases.content(engine, found)
    if json:
        REPORT.data({"release": asdict(found), "content": asdict(held)})
        return
    REPORT.table(COLUMNS, [_cells(found)])
    REPORT.line()
    REPORT.table(("SERVICE", "IMAGE"), held.images.items())
    REPORT.line(f"configs: {', '.join(held.configs) or 'none'}")
    REPORT.line(f"secrets: {', '.join(held.secrets) or 'none'}")
    REPORT.line()
    REPORT.text(documents.written(held.document))


def _cells(item: Release) -> tuple[str, ...]:
    when = f"{item.when:%Y-%m-%d %H:%M:%S}"
    who = f"{item.owner}@{item.host}"
    return (item.stack, str(item.number), str(item.state), when, who, item.commit or "-", item.deploy, item.note)


@verb(
    positional=["stack", "number"],
    help={"stack": STACK, "number": NUMBER, "env": ENV, "lock-timeout": WAIT, "dry": DRY},
)
def rollback(
    _: Context, stack: str, number: str | None = None, env: str = "", lock_timeout: int = 600, dry: bool = False
) -> None:
    """Bring a stack back to an earlier release: its digests, its configs, its secrets."""
    environment = load(env)
    wanted = strays.select(environment, stack, partial(cluster.manager, environment, SHELL))
    desk = Desk(environment, cluster.manager(environment, SHELL), SHELL, REPORT)
    goal = swarm.releases.number(number) if number else None
    swarm.rollback.rollback(desk, wanted, goal, stack == "all", Options(lock_timeout, dry=dry))


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "json": JSON})
def drift(_: Context, stack: str, env: str = "", json: bool = False) -> None:
    """Compare what runs with the last release: exit 0 the same, 2 it differs."""
    environment = load(env)
    manager = partial(cluster.manager, environment, SHELL)
    wanted = strays.select(environment, stack, manager)
    found = swarm.rollback.drift(manager(), wanted)
    if json:
        REPORT.data([outline.told(item) for item in found])
    else:
        REPORT.lines(outline.outline(found))
    if any(not item.empty for item in found):
        raise Exit(code=PENDING)
