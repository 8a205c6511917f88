"""lock.*: the deploy lock."""

from dataclasses import asdict

from invoke import Context

from verbs.base import DRY, ENV, JSON, REPORT, SHELL, verb


@verb(help={"env": ENV, "json": JSON})
def status(_: Context, env: str = "", json: bool = False) -> None:
    """Show who holds the deploy lock."""
    from swarm.nodes import manager
    from swarm.rollout import lock
    from swarm.settings.environment import load

    found = lock.read(manager.connect(load(env), SHELL))
    if json:
        REPORT.data(asdict(found) if found else None)
        return
    REPORT.line(f"{found}{', expired' if found.expired else ''}" if found else "The deploy lock is free.")


@verb(help={"env": ENV, "dry": DRY}, name="break")
def break_(_: Context, env: str = "", dry: bool = False) -> None:
    """Break the deploy lock of a client that is stuck."""
    from swarm.nodes import manager
    from swarm.rollout import lock
    from swarm.settings.environment import load

    found = lock.release(manager.connect(load(env), SHELL), dry=dry)
    if dry:
        REPORT.would([f"break the deploy lock of {found}"] if found else [], "the deploy lock is free")
        return
    REPORT.line(f"Broke the lock of {found}." if found else "The deploy lock was free already.")
