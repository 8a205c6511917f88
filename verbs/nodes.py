"""swarm.*: the nodes of the swarm."""

from dataclasses import asdict

from invoke import Context

from verbs.base import DRY, ENV, JSON, REPORT, SHELL, YES, verb


@verb(help={"env": ENV, "dry": DRY})
def init(_: Context, env: str = "", dry: bool = False) -> None:
    """Create the nodes and form the swarm. Safe to repeat."""
    from swarm.host import prerequisites
    from swarm.nodes import lifecycle
    from swarm.settings.environment import load

    environment = load(env)
    if prerequisites.ensure_engine(SHELL, REPORT, dry=dry):
        lifecycle.init(environment, SHELL, REPORT, dry=dry)


@verb(help={"env": ENV, "dry": DRY})
def start(_: Context, env: str = "", dry: bool = False) -> None:
    """Start stopped nodes."""
    from swarm.nodes import lifecycle
    from swarm.settings.environment import load

    lifecycle.start(load(env), SHELL, REPORT, dry=dry)


@verb(help={"env": ENV, "dry": DRY})
def stop(_: Context, env: str = "", dry: bool = False) -> None:
    """Stop all nodes and keep their data."""
    from swarm.nodes import lifecycle
    from swarm.settings.environment import load

    lifecycle.stop(load(env), SHELL, REPORT, dry=dry)


@verb(help={"env": ENV, "yes": YES, "dry": DRY})
def clean(_: Context, env: str = "", yes: bool = False, dry: bool = False) -> None:
    """Remove all nodes and their data."""
    from swarm.nodes import lifecycle
    from swarm.settings.environment import load

    environment = load(env)
    if not (yes or dry) and (doomed := lifecycle.holdings(environment)):
        REPORT.confirm(f"This removes, with all data in them: {', '.join(doomed)}.", environment.name)
    lifecycle.clean(environment, SHELL, REPORT, dry=dry)


@verb(help={"env": ENV, "dry": DRY})
def remount(_: Context, env: str = "", dry: bool = False) -> None:
    """Remount the shared storage and verify it on all nodes."""
    from swarm.nodes import lifecycle
    from swarm.settings.environment import load

    lifecycle.remount(load(env), SHELL, REPORT, dry=dry)


@verb(help={"env": ENV, "json": JSON})
def status(_: Context, env: str = "", json: bool = False) -> None:
    """Show the nodes: role, state, engine, address and labels."""
    from swarm.nodes import lifecycle
    from swarm.settings.environment import load

    rows = lifecycle.status(load(env), SHELL)
    if json:
        REPORT.data([asdict(row) for row in rows])
        return
    columns = ("NODE", "ROLE", "AVAILABILITY", "STATE", "ENGINE", "ADDRESS", "LABELS")
    REPORT.table(columns, ((r.name, r.role, r.availability, r.state, r.engine, r.address, r.label_text) for r in rows))


@verb(
    positional=["node", "labels"],
    help={
        "node": "a node, e.g. node-3 (default: list all nodes)",
        "labels": "KEY=VALUE sets a label, KEY- removes it; a comma-separated list",
        "env": ENV,
        "dry": DRY,
        "json": JSON,
    },
)
def label(
    _: Context,
    node: str | None = None,
    labels: str | None = None,
    env: str = "",
    dry: bool = False,
    json: bool = False,
) -> None:
    """Set, remove or list node labels: ./run swarm.label node-3 zone=eu,old-."""
    import swarm.nodes.labels
    from swarm.nodes import manager
    from swarm.settings.environment import load

    engine = manager.connect(load(env), SHELL)
    wishes = swarm.nodes.labels.parse([word for word in (labels or "").split(",") if word])
    todo = swarm.nodes.labels.changes(engine, node, wishes) if node else []
    if dry:
        REPORT.would(todo, "nothing to do")
        return
    if todo:
        swarm.nodes.labels.change(engine, node or "", wishes)
    rows = {
        name: found for name, found in swarm.nodes.labels.labels_by_node(engine).items() if not node or name == node
    }
    if json:
        REPORT.data(rows)
        return
    REPORT.table(("NODE", "LABELS"), ((n, " ".join(f"{k}={v}" for k, v in sorted(f.items()))) for n, f in rows.items()))
