"""Verbs of services: exec, scale, restart, check, job."""

import sys
from dataclasses import asdict
from functools import partial

from invoke import Context, Exit

from verbs.base import DRY, ENV, JSON, REPORT, SERVICES, SHELL, STACK, WAIT, session, verb


@verb(
    positional=["service"],
    help={
        "service": "a service, e.g. app/nginx",
        "env": ENV,
        "task": "a task by number, node or ID prefix (default: the newest healthy one)",
        "user": "the user inside the container",
        "interactive": "attach standard input, and the terminal if there is one; default command: sh",
    },
    name="exec",
    command="COMMAND",
)
def execute(
    context: Context, service: str, env: str = "", task: str = "", user: str = "", interactive: bool = False
) -> None:
    """Run a command in a service's container on any node: ./run exec app/nginx -- ls /."""
    import swarm.containers.exec
    from swarm.nodes import manager
    from swarm.settings.environment import load

    environment = load(env)
    argv = swarm.containers.exec.argv(context.remainder, sys.argv, interactive=interactive)
    engine = manager.connect(environment, SHELL)
    if interactive:
        place = swarm.containers.exec.find(environment, engine, service, task)
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
        code = swarm.containers.exec.interactive(place, argv, SHELL, user=user, terminal=terminal)
    else:
        out, err = REPORT.raw, REPORT.raw_error
        code = swarm.containers.exec.run(environment, engine, service, argv, out, user=user, task=task, complain=err)
    if code:
        raise Exit(code=code)


@verb(
    positional=["sizes"],
    help={"sizes": "SERVICE=N, or a comma-separated list", "env": ENV, "dry": DRY, "lock-timeout": WAIT},
)
def scale(_: Context, sizes: str, env: str = "", dry: bool = False, lock_timeout: int = 600) -> None:
    """Set the number of a service's tasks: ./run scale app/nginx=3."""
    from swarm.rollout import scale as rollout_scale
    from swarm.settings.environment import load

    rollout_scale.scale(session(load(env)), sizes, lock_timeout, dry=dry)


@verb(positional=["service"], help={"service": SERVICES, "env": ENV, "dry": DRY, "lock-timeout": WAIT})
def restart(_: Context, service: str, env: str = "", dry: bool = False, lock_timeout: int = 600) -> None:
    """Restart services with a rolling update and wait until healthy."""
    from swarm.nodes import manager
    from swarm.rollout import restart as rollout_restart
    from swarm.settings.environment import load

    rollout_restart.restart(service, manager.connect(load(env), SHELL), REPORT, lock_timeout, dry=dry)


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "json": JSON})
def check(_: Context, stack: str, env: str = "", json: bool = False) -> None:
    """Run a stack's tests: pages, ports, database values and metrics."""
    from swarm.checks import runner
    from swarm.live import orphans
    from swarm.nodes import manager
    from swarm.settings.environment import load

    environment = load(env)
    wanted = orphans.select(environment, stack, partial(manager.connect, environment, SHELL))
    engine = manager.connect(environment, SHELL)
    with REPORT.quiet() if json else REPORT.step(f"check {stack}") as step:
        outcomes = runner.check_all(environment, wanted, engine, step)
        step.detail = runner.summary(outcomes)
    if json:
        REPORT.data([asdict(outcome) for outcome in outcomes])
    else:
        REPORT.table(
            ("STACK", "KIND", "TEST", "RESULT", "EXPECTED", "FOUND", "TIME"),
            ((o.stack, o.kind, o.name, o.state, o.expected, o.found, f"{o.seconds:.1f}s") for o in outcomes),
        )
    runner.require(outcomes)


@verb(
    positional=["name"],
    help={
        "name": "STACK/NAME, e.g. db/bootstrap",
        "env": ENV,
        "timeout": "seconds until the job is given up",
        "lock-timeout": WAIT,
        "dry": DRY,
    },
)
def job(_: Context, name: str, env: str = "", timeout: int = 3600, lock_timeout: int = 600, dry: bool = False) -> None:
    """Run a stack's job again and exit with its exit code."""
    from swarm.containers import jobs
    from swarm.live import services
    from swarm.nodes import manager
    from swarm.settings.environment import load

    engine = manager.connect(load(env), SHELL)
    if dry:
        REPORT.line(f"{jobs.find(services.services(engine), name).name} would run again.")
        return
    ended = jobs.run(engine, name, REPORT, timeout, lock_timeout)
    if ended.code:
        REPORT.line(f"{name} failed: {ended.failure}")
        raise Exit(code=ended.code)
