"""The verbs: `invoke VERB` in the environment, or `./run VERB` from anywhere."""

import functools
import os
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, TypeVar

from invoke import Collection, Context, Exit, task

from swarm import (
    addresses,
    checks,
    cluster,
    documents,
    host,
    images,
    jobs,
    live,
    manifests,
    names,
    operate,
    secrets,
    stacks,
    targets,
    tiers,
    vocabulary,
)
from swarm import clean as cleaning
from swarm import completion as completing
from swarm import demo as demonstration
from swarm import deploy as deploying
from swarm import doctor as examination
from swarm import environment as environments
from swarm import execute as execution
from swarm import lock as locking
from swarm import logs as diary
from swarm import outline as outlines
from swarm import releases as ledger
from swarm import rollback as returning
from swarm import status as glance
from swarm.engine import REFUSALS
from swarm.errors import EngineUnavailable, SwarmstatsError, UnknownName
from swarm.report import Report, Table
from swarm.shell import Shell
from swarm.words import Verb

Body = TypeVar("Body", bound=Callable[..., Any])
SHELL = Shell()
REPORT = Report()

ENV = "environment, a folder of env/ (default: SWARMSTATS_ENV, then lab)"
STACK = "a stack, a project, a comma list, project (all projects), or all"
SERVICES = "a service (admin/traefik), a stack, a project, a comma list, project (all projects), or all"
JSON = "print JSON for machines"
WAIT = "seconds to wait for another change of stacks"
DIFF = "show the lines in which configs differ"
NUMBER = "the number of a release, as `releases` lists them"
DRY = "print what would be done, and do nothing"
PENDING = 2
RELEASE_COLUMNS = ("STACK", "RELEASE", "STATE", "WHEN", "WHO", "COMMIT", "DEPLOY", "NOTE")
DEPLOY = {
    "stack": STACK,
    "env": ENV,
    "lock-timeout": WAIT,
    "no-rollback": "leave a deploy that failed as it is",
    "no-tests": "leave out the stack tests",
    "pull": "ask the registry again what tags mean",
    "dry": DRY,
}


def verb(**options: Any) -> Callable[[Body], Any]:
    """A task whose errors leave through one door: a message, a next step and an exit code of their own."""

    def wrap(body: Body) -> Any:
        @functools.wraps(body)
        def door(context: Context, *given: Any, **named: Any) -> None:
            try:
                body(context, *given, **named)
            except SwarmstatsError as error:
                REPORT.error(error)
                raise Exit(code=error.exit_code) from error
            except REFUSALS as error:
                gone = EngineUnavailable(f"A Docker engine refused, or went away: {error}", hint="./run doctor")
                REPORT.error(gone)
                raise Exit(code=gone.exit_code) from error
            except BrokenPipeError as error:
                # Whoever read us (head, less) has gone; what is still buffered must not complain at exit.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                raise Exit(code=141) from error
            except KeyboardInterrupt as error:
                REPORT.line("Interrupted; what was begun goes on or can be repeated.")
                raise Exit(code=130) from error

        return task(door, klass=Verb, **options)

    return wrap


@contextmanager
def looking() -> Iterator[None]:
    """Ctrl-C is how one ends to look at something: nothing was begun, so nothing is said."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise Exit(code=130) from error


@verb(help={"env": ENV})
def demo(_: Context, env: str = "") -> None:
    """Everything at once: a local swarm, all images, all stacks, data, and where to look."""
    host.ensure_engine(SHELL, REPORT)
    demonstration.run(environments.load(env), SHELL, REPORT)


@verb(positional=["stack"], help={"stack": STACK, "env": ENV})
def build(_: Context, stack: str, env: str = "") -> None:
    """Build the images of a stack that changed."""
    environment = environments.load(env)
    wanted = stacks.needed_images(environment, targets.select(environment, stack))
    images.build(environment, wanted, SHELL, REPORT)


@verb(positional=["stack"], help={"stack": STACK, "env": ENV})
def push(_: Context, stack: str, env: str = "") -> None:
    """Push the images of a stack that the registry lacks."""
    environment = environments.load(env)
    images.push(stacks.needed_images(environment, targets.select(environment, stack)), REPORT)


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "json": JSON, "diff": DIFF})
def plan(_: Context, stack: str, env: str = "", json: bool = False, diff: bool = False) -> None:
    """Compare what the environment says with what runs: exit 0 nothing to do, 2 changes pending."""
    environment = environments.load(env)
    engine = cluster.manager(environment, SHELL)
    found = deploying.survey(environment, targets.select(environment, stack), engine, SHELL)
    plans, notes = list(found.plans.values()), found.notes(deploying.Desk(environment, engine, SHELL, REPORT))
    if json:
        REPORT.data([outlines.told(item, notes) for item in plans])
    else:
        REPORT.lines(outlines.outline(plans, notes))
    if any(not item.empty for item in plans):
        raise Exit(code=PENDING)


@verb(positional=["stack"], help=DEPLOY)
def deploy(
    _: Context,
    stack: str,
    env: str = "",
    lock_timeout: int = 600,
    no_rollback: bool = False,
    no_tests: bool = False,
    pull: bool = False,
    dry: bool = False,
) -> None:
    """Bring a stack to what the environment says and wait until it is healthy; what fails goes back by itself."""
    environment = environments.load(env)
    wanted = targets.select(environment, stack)
    options = deploying.Options(lock_timeout, rollback=not no_rollback, tests=not no_tests, pull=pull, dry=dry)
    deploying.deploy(environment, wanted, cluster.manager(environment, SHELL), SHELL, REPORT, options)


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
    build(context, stack, env)
    push(context, stack, env)
    deploy(context, stack, env, lock_timeout, no_rollback, no_tests, pull, dry)


@verb(
    positional=["stack", "number"],
    help={"stack": STACK, "number": NUMBER, "env": ENV, "lock-timeout": WAIT, "dry": DRY},
)
def rollback(
    _: Context, stack: str, number: str | None = None, env: str = "", lock_timeout: int = 600, dry: bool = False
) -> None:
    """Bring a stack back to an earlier release: its digests, its configs, its secrets."""
    environment = environments.load(env)
    desk = deploying.Desk(environment, cluster.manager(environment, SHELL), SHELL, REPORT)
    wanted = targets.select(environment, stack)
    goal = ledger.number(number) if number else None
    returning.rollback(desk, wanted, goal, stack == "all", deploying.Options(lock_timeout, dry=dry))


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "json": JSON})
def drift(_: Context, stack: str, env: str = "", json: bool = False) -> None:
    """Compare what runs with the last release: exit 0 the same, 2 it differs."""
    environment = environments.load(env)
    found = returning.drift(cluster.manager(environment, SHELL), targets.select(environment, stack))
    if json:
        REPORT.data([outlines.told(item) for item in found])
    else:
        REPORT.lines(outlines.outline(found))
    if any(not item.empty for item in found):
        raise Exit(code=PENDING)


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "json": JSON})
def releases(_: Context, stack: str | None = None, env: str = "", json: bool = False) -> None:
    """The releases of a stack, newest first: when, who, from which commit, what became of them."""
    environment = environments.load(env)
    chosen = {target.name for target in targets.select(environment, stack)} if stack else set()
    found = [item for item in ledger.history(cluster.manager(environment, SHELL)) if not chosen or item.stack in chosen]
    if json:
        REPORT.data([asdict(item) for item in found])
        return
    REPORT.table(RELEASE_COLUMNS, (_release_cells(item) for item in found))


@verb(positional=["stack", "number"], name="show", help={"stack": STACK, "number": NUMBER, "env": ENV, "json": JSON})
def release_show(_: Context, stack: str, number: str, env: str = "", json: bool = False) -> None:
    """What a release holds: images by digest, versions of configs and secrets, and the stack file."""
    engine = cluster.manager(environments.load(env), SHELL)
    found = ledger.find(engine, stack, ledger.number(number))
    held = ledger.content(engine, found)
    if json:
        REPORT.data({"release": asdict(found), "content": asdict(held)})
        return
    REPORT.table(RELEASE_COLUMNS, [_release_cells(found)])
    REPORT.line()
    REPORT.table(("SERVICE", "IMAGE"), held.images.items())
    REPORT.line(f"configs: {', '.join(held.configs) or 'none'}")
    REPORT.line(f"secrets: {', '.join(held.secrets) or 'none'}")
    REPORT.line()
    REPORT.text(documents.written(held.document))


def _release_cells(item: ledger.Release) -> tuple[str, ...]:
    when = f"{item.when:%Y-%m-%d %H:%M:%S}"
    who = f"{item.owner}@{item.host}"
    return (item.stack, str(item.number), str(item.state), when, who, item.commit or "-", item.deploy, item.note)


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "lock-timeout": WAIT})
def clean(_: Context, stack: str, env: str = "", lock_timeout: int = 600) -> None:
    """Remove a stack wholly: services, tasks, networks; volumes stay."""
    environment = environments.load(env)
    wanted = targets.select(environment, stack)
    cleaning.clean(wanted, cluster.manager(environment, SHELL), SHELL, REPORT, lock_timeout)


@verb(positional=["stack"], help={"stack": STACK, "env": ENV})
def render(_: Context, stack: str, env: str = "") -> None:
    """Print the stack file as Docker gets it, after validating it."""
    environment = environments.load(env)
    rendered = deploying.render(environment, targets.select(environment, stack), host.client(SHELL), SHELL)
    REPORT.text("---\n".join(item.text() for item in rendered))


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "browser": "open them in a browser", "json": JSON})
def show(_: Context, stack: str | None = None, env: str = "", browser: bool = False, json: bool = False) -> None:
    """Print the addresses of what is deployed, or open them."""
    environment = environments.load(env)
    found = targets.addresses(environment, targets.select(environment, stack or "all"))
    if json:
        REPORT.data([{"name": name, "url": url, "sign_in": sign_in} for name, url, sign_in in found])
        return
    REPORT.table(("What", "Where", "Sign in"), found)
    if browser:
        for _name, url, _sign_in in found:
            webbrowser.open(url)


@verb(
    positional=["stack"],
    help={
        "stack": "a stack or project whose services to show, a service, or a comma list of these",
        "env": ENV,
        "watch": "again and again until Ctrl-C; in a pipe whenever something has changed",
        "json": JSON,
    },
)
def status(_: Context, stack: str | None = None, env: str = "", watch: bool = False, json: bool = False) -> None:
    """Stacks, services, tasks and health at a glance; of a STACK its services: ./run status db."""
    environment = environments.load(env)
    engine = cluster.manager(environment, SHELL)

    def look() -> Table:
        return glance.table(environment, engine, stack or "", ledger.latest(engine))

    if json:
        REPORT.data([glance.told(service) for service in glance.services(engine, stack or "")])
    elif watch:
        with looking():
            REPORT.watch(look, REFUSALS)
    else:
        REPORT.table(*look())


@verb(
    positional=["service"],
    help={
        "service": SERVICES,
        "env": ENV,
        "since": "only what is younger: 90s, 10m, 1h30m, 2d, or a time such as 2026-11-21T03:00",
        "grep": "only lines that match this regular expression",
        "tail": "only the last lines of each task (default: 100, or all with --since or --grep)",
        "follow": "go on with what is being written, until Ctrl-C",
        "times": "begin each line with when it was written",
    },
)
def logs(
    _: Context,
    service: str,
    env: str = "",
    since: str = "",
    grep: str = "",
    tail: str = "",
    follow: bool = False,
    times: bool = False,
) -> None:
    """Print what the tasks of services wrote, on whichever nodes they run, in the order of time."""
    engine = cluster.manager(environments.load(env), SHELL)
    asked = diary.wanted(since, tail, grep, engine.now())

    def find() -> Sequence[live.Service]:
        return names.choose(live.services(engine), service)

    lines = diary.follow(engine, find, asked, REPORT.warn) if follow else diary.read(engine, find(), asked, REPORT.warn)
    with looking():
        diary.show(lines, REPORT, times=times, flush=follow)


@verb(
    positional=["service"],
    help={
        "service": "a service, e.g. app/nginx; the command stands after --",
        "env": ENV,
        "task": "which of its tasks: a number, a node, or how a task's id begins (default: the newest healthy one)",
        "user": "the user inside the container",
        "interactive": "with your own input, and your terminal where there is one; without a command: sh",
    },
    name="exec",
)
def execute(
    context: Context, service: str, env: str = "", task: str = "", user: str = "", interactive: bool = False
) -> None:
    """Run a command in a container of a service, on whichever node it runs: ./run exec app/nginx -- ls /."""
    environment = environments.load(env)
    argv = execution.argv(context.remainder, sys.argv, interactive=interactive)
    engine = cluster.manager(environment, SHELL)
    if interactive:
        place = execution.find(environment, engine, service, task)
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
        code = execution.interactive(place, argv, SHELL, user=user, terminal=terminal)
    else:
        out, err = REPORT.raw, REPORT.raw_error
        code = execution.run(environment, engine, service, argv, out, user=user, task=task, complain=err)
    if code:
        raise Exit(code=code)


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "json": JSON})
def check(_: Context, stack: str, env: str = "", json: bool = False) -> None:
    """Run the tests of a stack: pages, ports, values of databases and metrics."""
    environment = environments.load(env)
    wanted = targets.select(environment, stack)
    engine = cluster.manager(environment, SHELL)
    with REPORT.quiet() if json else REPORT.step(f"check {stack}") as step:
        outcomes = checks.check_all(environment, wanted, engine, step)
        step.detail = checks.summary(outcomes)
    if json:
        REPORT.data([asdict(outcome) for outcome in outcomes])
    else:
        REPORT.table(
            ("STACK", "KIND", "TEST", "RESULT", "EXPECTED", "FOUND", "TIME"),
            ((o.stack, o.kind, o.name, o.state, o.expected, o.found, f"{o.seconds:.1f}s") for o in outcomes),
        )
    checks.demand(outcomes)


@verb(
    positional=["sizes"],
    help={"sizes": "SERVICE=N, or a comma list of these", "env": ENV, "dry": DRY, "lock-timeout": WAIT},
)
def scale(_: Context, sizes: str, env: str = "", dry: bool = False, lock_timeout: int = 600) -> None:
    """Give services more or fewer tasks and wait until they run: ./run scale app/nginx=3."""
    environment = environments.load(env)
    operate.scale(environment, sizes, cluster.manager(environment, SHELL), REPORT, lock_timeout, dry=dry)


@verb(positional=["service"], help={"service": SERVICES, "env": ENV, "dry": DRY, "lock-timeout": WAIT})
def restart(_: Context, service: str, env: str = "", dry: bool = False, lock_timeout: int = 600) -> None:
    """Give services new tasks, rolling as their stacks say, and wait until they are healthy."""
    operate.restart(service, cluster.manager(environments.load(env), SHELL), REPORT, lock_timeout, dry=dry)


@verb(
    positional=["name"],
    help={
        "name": "STACK/NAME, e.g. db/bootstrap",
        "env": ENV,
        "timeout": "seconds it may take",
        "lock-timeout": WAIT,
        "dry": DRY,
    },
)
def job(_: Context, name: str, env: str = "", timeout: int = 3600, lock_timeout: int = 600, dry: bool = False) -> None:
    """Run a job of a stack once more, show what it writes, and end with its exit code."""
    engine = cluster.manager(environments.load(env), SHELL)
    if dry:
        REPORT.line(f"{jobs.find(live.services(engine), name).name} would run once more.")
        return
    ended = jobs.run(engine, name, REPORT, timeout, lock_timeout)
    if ended.code:
        REPORT.line(f"{name} failed: {ended.failure}")
        raise Exit(code=ended.code)


@verb(
    positional=["name"],
    help={"name": "a stack, a project, or what show lists", "env": ENV},
    name="open",
)
def browse(_: Context, name: str | None = None, env: str = "") -> None:
    """Open the address of a stack, a project, or anything that show lists in a browser; without a name the first."""
    title, url, _sign_in = addresses.find(environments.load(env), name or "")
    REPORT.line(f"{title}  {url}" if webbrowser.open(url) else f"{title}  {url}   (there is no browser here)")


@verb(help={"env": ENV})
def doctor(_: Context, env: str = "") -> None:
    """Check this machine, the environment and the swarm; each failure says what to do."""
    if not examination.run(env, SHELL, REPORT):
        raise Exit(code=1)


@verb(positional=["shell"], help={"shell": "bash, zsh or fish"})
def completion(_: Context, shell: str | None = None) -> None:
    """Print what a shell needs to complete commands: source <(./run completion bash)."""
    if shell and shell not in completing.SCRIPTS:
        raise UnknownName("shell", shell, completing.SCRIPTS)
    vocabulary.write(namespace.to_contexts())
    if shell:
        REPORT.text(completing.script(shell))


@verb(help={"tier": "lint, unit, integration, e2e, a comma list, or all", "long": "faults and soaks in full"})
def test(_: Context, tier: str = "all", long: bool = False) -> None:
    """All tests in all tiers; a tier that cannot run is named."""
    tiers.run(tier, long, SHELL, REPORT, time.monotonic)


@verb(help={"env": ENV}, name="init")
def swarm_init(_: Context, env: str = "") -> None:
    """Make the nodes and the swarm, or complete what is half made."""
    host.ensure_engine(SHELL, REPORT)
    cluster.init(environments.load(env), SHELL, REPORT)


@verb(help={"env": ENV}, name="start")
def swarm_start(_: Context, env: str = "") -> None:
    """Start nodes that were stopped."""
    cluster.start(environments.load(env), SHELL, REPORT)


@verb(help={"env": ENV}, name="stop")
def swarm_stop(_: Context, env: str = "") -> None:
    """Stop all nodes, keeping what is on them."""
    cluster.stop(environments.load(env), SHELL, REPORT)


@verb(help={"env": ENV, "yes": "do not ask"}, name="clean")
def swarm_clean(_: Context, env: str = "", yes: bool = False) -> None:
    """Remove the nodes and everything that was made for them, all data included."""
    environment = environments.load(env)
    if (doomed := cluster.holdings(environment)) and not yes:
        REPORT.confirm(f"This removes, with all data in them: {', '.join(doomed)}.", environment.name)
    cluster.clean(environment, SHELL, REPORT)


@verb(help={"env": ENV}, name="remount")
def swarm_remount(_: Context, env: str = "") -> None:
    """Give all nodes the shared storage again and prove that they see the same."""
    cluster.remount(environments.load(env), SHELL, REPORT)


@verb(help={"env": ENV, "json": JSON}, name="status")
def swarm_status(_: Context, env: str = "", json: bool = False) -> None:
    """The nodes of the swarm: role, state, engine, address, labels."""
    rows = cluster.status(environments.load(env), SHELL)
    if json:
        REPORT.data([asdict(row) for row in rows])
        return
    columns = ("NODE", "ROLE", "AVAILABILITY", "STATE", "ENGINE", "ADDRESS", "LABELS")
    REPORT.table(
        columns,
        ((r.name, r.role, r.availability, r.state, r.engine, r.address, r.label_text) for r in rows),
    )


@verb(positional=["name"], help={"name": "e.g. traefik-admin", "env": ENV}, name="show")
def secret_show(_: Context, name: str, env: str = "") -> None:
    """Print one of your own secrets, because you ask for it."""
    environment = environments.load(env)
    known = manifests.declarations()
    if name not in known:
        raise UnknownName("secret", name, known)
    REPORT.text(secrets.get(environment.secrets, name, known).reveal())


@verb(help={"env": ENV, "json": JSON}, name="status")
def lock_status(_: Context, env: str = "", json: bool = False) -> None:
    """Who changes stacks right now, if anybody."""
    found = locking.read(cluster.manager(environments.load(env), SHELL))
    if json:
        REPORT.data(asdict(found) if found else None)
        return
    REPORT.line(f"{found}{', expired' if found.expired else ''}" if found else "Nobody holds the lock.")


@verb(help={"env": ENV}, name="break")
def lock_break(_: Context, env: str = "") -> None:
    """Take the lock away from a change that is stuck."""
    found = locking.release(cluster.manager(environments.load(env), SHELL))
    REPORT.line(f"Taken from {found}." if found else "Nobody held the lock.")


nodes = Collection("swarm", swarm_init, swarm_start, swarm_stop, swarm_clean, swarm_remount, swarm_status)
keys = Collection("secret", secret_show)
locks = Collection("lock", lock_status, lock_break)
past = Collection("release", release_show)
namespace = Collection(
    demo,
    build,
    push,
    plan,
    deploy,
    deliver,
    releases,
    rollback,
    drift,
    clean,
    show,
    render,
    status,
    logs,
    execute,
    scale,
    restart,
    browse,
    check,
    job,
    doctor,
    completion,
    test,
    nodes,
    keys,
    locks,
    past,
)
