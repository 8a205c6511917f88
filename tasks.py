"""The verbs: `invoke VERB` in the environment, or `./run VERB` from anywhere."""

import functools
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from invoke import Collection, Context, Exit, task

from swarm import (
    addresses,
    backfills,
    backups,
    checks,
    cluster,
    documents,
    host,
    images,
    jobs,
    keys,
    live,
    names,
    onboard,
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
from swarm import labels as marks
from swarm import lock as locking
from swarm import logs as diary
from swarm import outline as outlines
from swarm import releases as ledger
from swarm import restore as restoring
from swarm import rollback as returning
from swarm import status as glance
from swarm import survey as surveying
from swarm.db import lead
from swarm.db import settings as database_settings
from swarm.db import shell as database_shell
from swarm.db import status as database_status
from swarm.db.members import Database
from swarm.deployment import Options
from swarm.desk import Desk
from swarm.engine import REFUSALS, Engine
from swarm.errors import ArgumentInvalid, EngineUnavailable, SwarmstatsError, UnknownName
from swarm.report import Report, Table
from swarm.roster import Wanted
from swarm.selection import Selection
from swarm.shell import Shell
from swarm.words import Verb

if TYPE_CHECKING:
    from swarm.bench import Figure

Body = TypeVar("Body", bound=Callable[..., Any])
SHELL = Shell()
REPORT = Report()

ENV = "environment, a folder of env/ (default: SWARMSTATS_ENV, then lab)"
STACK = "a stack, a project, a comma list, project (all projects), or all"
SERVICES = "a service (admin/traefik), a stack, a project, a comma list, project (all projects), or all"
JSON = "print JSON for machines"
LABEL = "services that are so: project=rust-lang,app=sync, app!=sync; keys project, app, stack, foundation, any label"
PROJECTS = "projects whose names match: 'a*,!apache'"
FROM = "a file with the content, or - for what is piped in"
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


@verb(help={"env": ENV, "dry": DRY})
def demo(_: Context, env: str = "", dry: bool = False) -> None:
    """Everything at once: a local swarm, all images, all stacks, data, and where to look."""
    environment = environments.load(env)
    if host.ensure_engine(SHELL, REPORT, dry=dry):
        demonstration.run(environment, SHELL, REPORT, dry=dry)


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "dry": DRY})
def build(_: Context, stack: str, env: str = "", dry: bool = False) -> None:
    """Build the images of a stack that changed."""
    environment = environments.load(env)
    wanted = stacks.needed_images(environment, targets.select(environment, stack))
    images.build(environment, wanted, SHELL, REPORT, dry=dry)


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "dry": DRY})
def push(_: Context, stack: str, env: str = "", dry: bool = False) -> None:
    """Push the images of a stack that the registry lacks."""
    environment = environments.load(env)
    images.push(stacks.needed_images(environment, targets.select(environment, stack)), REPORT, dry=dry)


@verb(
    positional=["stack"],
    help={"stack": STACK, "env": ENV, "label": LABEL, "projects": PROJECTS, "json": JSON, "diff": DIFF},
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
    """Compare what the environment says with what runs: exit 0 nothing to do, 2 changes pending."""
    environment = environments.load(env)
    wanted, selection = targets.select(environment, stack, projects), Selection.parse(label)
    engine = cluster.manager(environment, SHELL)
    found = surveying.survey(environment, wanted, engine, SHELL, selection)
    plans = list(found.plans.values())
    beside = found.beside(Desk(environment, engine, SHELL, REPORT), full=diff)
    if json:
        REPORT.data([outlines.told(item, beside) for item in plans])
    else:
        REPORT.lines(outlines.outline(plans, beside))
    if any(not item.empty for item in plans):
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
    """Bring a stack to what the environment says and wait until it is healthy; what fails goes back by itself."""
    environment = environments.load(env)
    wanted, selection = targets.select(environment, stack, projects), Selection.parse(label)
    options = Options(
        lock_timeout, rollback=not no_rollback, tests=not no_tests, pull=pull, dry=dry, selection=selection
    )
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
    build(context, stack, env, dry=dry)
    push(context, stack, env, dry=dry)
    options = {"no_rollback": no_rollback, "no_tests": no_tests, "pull": pull, "dry": dry}
    deploy(context, stack, env, lock_timeout=lock_timeout, **options)


@verb(
    positional=["stack", "number"],
    help={"stack": STACK, "number": NUMBER, "env": ENV, "lock-timeout": WAIT, "dry": DRY},
)
def rollback(
    _: Context, stack: str, number: str | None = None, env: str = "", lock_timeout: int = 600, dry: bool = False
) -> None:
    """Bring a stack back to an earlier release: its digests, its configs, its secrets."""
    environment = environments.load(env)
    desk = Desk(environment, cluster.manager(environment, SHELL), SHELL, REPORT)
    wanted = targets.select(environment, stack)
    goal = ledger.number(number) if number else None
    returning.rollback(desk, wanted, goal, stack == "all", Options(lock_timeout, dry=dry))


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


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "projects": PROJECTS, "json": JSON})
def releases(_: Context, stack: str | None = None, env: str = "", projects: str = "", json: bool = False) -> None:
    """The releases of a stack, newest first: when, who, from which commit, what became of them."""
    environment = environments.load(env)
    named = targets.select(environment, stack or "all", projects) if stack or projects else ()
    chosen = {target.name for target in named}
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


@verb(
    positional=["stack"],
    help={"stack": STACK, "env": ENV, "label": LABEL, "projects": PROJECTS, "lock-timeout": WAIT, "dry": DRY},
)
def clean(
    _: Context,
    stack: str,
    env: str = "",
    label: str = "",
    projects: str = "",
    lock_timeout: int = 600,
    dry: bool = False,
) -> None:
    """Remove a stack wholly: services, tasks, networks; volumes stay."""
    environment = environments.load(env)
    wanted, selection = targets.select(environment, stack, projects), Selection.parse(label)
    engine = cluster.manager(environment, SHELL)
    cleaning.clean(wanted, engine, SHELL, REPORT, lock_timeout, selection, dry=dry)


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "label": LABEL, "projects": PROJECTS, "json": JSON})
def render(_: Context, stack: str, env: str = "", label: str = "", projects: str = "", json: bool = False) -> None:
    """Print the stack file as Docker gets it, after validating it."""
    environment = environments.load(env)
    wanted, selection = targets.select(environment, stack, projects), Selection.parse(label)
    rendered = surveying.render(environment, wanted, host.client(SHELL), SHELL, selection)
    if json:
        REPORT.data([{"stack": item.name, "document": item.document} for item in rendered])
        return
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
        import webbrowser

        for _name, url, _sign_in in found:
            webbrowser.open(url)


@verb(
    positional=["stack"],
    help={
        "stack": "a stack or project whose services to show, a service, or a comma list of these",
        "env": ENV,
        "label": LABEL,
        "projects": PROJECTS,
        "watch": "again and again until Ctrl-C; in a pipe whenever something has changed",
        "json": JSON,
    },
)
def status(
    _: Context,
    stack: str | None = None,
    env: str = "",
    label: str = "",
    projects: str = "",
    watch: bool = False,
    json: bool = False,
) -> None:
    """Stacks, services, tasks and health at a glance; of a STACK its services: ./run status db."""
    environment, selection = environments.load(env), Selection.parse(label)
    engine = cluster.manager(environment, SHELL)

    def find() -> Sequence[live.Service]:
        return _meant(environment, engine, stack or names.EVERY, selection, projects)

    def look() -> Table:
        found, now = find(), engine.now()
        return glance.services(found, now) if stack else glance.stacks(environment, found, ledger.latest(engine), now)

    if json:
        REPORT.data([glance.told(service) for service in find()])
    elif watch:
        with looking():
            REPORT.watch(look, REFUSALS)
    else:
        REPORT.table(*look())


def _meant(
    environment: environments.Environment, engine: Engine, words: str, selection: Selection, projects: str
) -> Sequence[live.Service]:
    """The running services that words, labels and patterns mean together."""
    return live.chosen(environment, names.choose(live.services(engine), words), selection, projects)


@verb(
    positional=["service"],
    help={
        "service": SERVICES,
        "env": ENV,
        "label": LABEL,
        "projects": PROJECTS,
        "since": "only what is younger: 90s, 10m, 1h30m, 2d, or a time such as 2026-11-21T03:00",
        "grep": "only lines that match this regular expression",
        "tail": "only the last lines of each task (default: 100, or all with --since or --grep)",
        "follow": "go on with what is being written, until Ctrl-C",
        "times": "begin each line with when it was written",
        "json": "print one JSON object a line: moment, service, task, node, text",
    },
)
def logs(
    _: Context,
    service: str,
    env: str = "",
    label: str = "",
    projects: str = "",
    since: str = "",
    grep: str = "",
    tail: str = "",
    follow: bool = False,
    times: bool = False,
    json: bool = False,
) -> None:
    """Print what the tasks of services wrote, on whichever nodes they run, in the order of time."""
    environment, selection = environments.load(env), Selection.parse(label)
    engine = cluster.manager(environment, SHELL)
    asked = diary.wanted(since, tail, grep, engine.now())

    def find() -> Sequence[live.Service]:
        return _meant(environment, engine, service, selection, projects)

    lines = diary.follow(engine, find, asked, REPORT.warn) if follow else diary.read(engine, find(), asked, REPORT.warn)
    with looking():
        if json:
            diary.tell(lines, REPORT, flush=follow)
        else:
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
    import webbrowser

    title, url, _sign_in = addresses.find(environments.load(env), name or "")
    REPORT.line(f"{title}  {url}" if webbrowser.open(url) else f"{title}  {url}   (there is no browser here)")


@verb(help={"env": ENV, "json": JSON})
def doctor(_: Context, env: str = "", json: bool = False) -> None:
    """Check this machine, the environment and the swarm; each failure says what to do."""
    if not examination.run(env, SHELL, REPORT, json=json):
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


@verb(help={"env": ENV, "dry": DRY}, name="init")
def swarm_init(_: Context, env: str = "", dry: bool = False) -> None:
    """Make the nodes and the swarm, or complete what is half made."""
    environment = environments.load(env)
    if host.ensure_engine(SHELL, REPORT, dry=dry):
        cluster.init(environment, SHELL, REPORT, dry=dry)


@verb(help={"env": ENV, "dry": DRY}, name="start")
def swarm_start(_: Context, env: str = "", dry: bool = False) -> None:
    """Start nodes that were stopped."""
    cluster.start(environments.load(env), SHELL, REPORT, dry=dry)


@verb(help={"env": ENV, "dry": DRY}, name="stop")
def swarm_stop(_: Context, env: str = "", dry: bool = False) -> None:
    """Stop all nodes, keeping what is on them."""
    cluster.stop(environments.load(env), SHELL, REPORT, dry=dry)


@verb(help={"env": ENV, "yes": "do not ask", "dry": DRY}, name="clean")
def swarm_clean(_: Context, env: str = "", yes: bool = False, dry: bool = False) -> None:
    """Remove the nodes and everything that was made for them, all data included."""
    environment = environments.load(env)
    if not (yes or dry) and (doomed := cluster.holdings(environment)):
        REPORT.confirm(f"This removes, with all data in them: {', '.join(doomed)}.", environment.name)
    cluster.clean(environment, SHELL, REPORT, dry=dry)


@verb(help={"env": ENV, "dry": DRY}, name="remount")
def swarm_remount(_: Context, env: str = "", dry: bool = False) -> None:
    """Give all nodes the shared storage again and prove that they see the same."""
    cluster.remount(environments.load(env), SHELL, REPORT, dry=dry)


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


@verb(
    positional=["node", "labels"],
    help={
        "node": "a node, e.g. node-3; without one all are listed",
        "labels": "KEY=VALUE gives a label, KEY- takes it away; a comma list of these",
        "env": ENV,
        "dry": DRY,
        "json": JSON,
    },
    name="label",
)
def swarm_label(
    _: Context,
    node: str | None = None,
    labels: str | None = None,
    env: str = "",
    dry: bool = False,
    json: bool = False,
) -> None:
    """Give labels to a node or take them away, or list them all: ./run swarm.label node-3 zone=eu,old-."""
    engine = cluster.manager(environments.load(env), SHELL)
    wishes = marks.parse([word for word in (labels or "").split(",") if word])
    todo = marks.changes(engine, node, wishes) if node else []
    if dry:
        REPORT.would(todo, "nothing to do")
        return
    if todo:
        marks.change(engine, node or "", wishes)
    rows = {name: found for name, found in marks.shown(engine).items() if not node or name == node}
    if json:
        REPORT.data(rows)
        return
    REPORT.table(("NODE", "LABELS"), ((n, " ".join(f"{k}={v}" for k, v in sorted(f.items()))) for n, f in rows.items()))


@verb(positional=["name"], help={"name": "e.g. traefik-admin", "env": ENV, "json": JSON}, name="show")
def secret_show(_: Context, name: str, env: str = "", json: bool = False) -> None:
    """Print one of your own secrets, because you ask for it."""
    content = keys.content(environments.load(env), name).reveal()
    if json:
        REPORT.data({"name": name, "content": content})
        return
    REPORT.text(content)


@verb(
    positional=["name"],
    help={
        "name": "e.g. ro-user-password",
        "env": ENV,
        "force": "over the file there is",
        "length": "characters",
        "dry": DRY,
    },
    name="generate",
)
def secret_generate(
    _: Context, name: str, env: str = "", force: bool = False, length: int = secrets.LENGTH, dry: bool = False
) -> None:
    """Write a new password into your own file; deploys bring it to the services."""
    _written(keys.generate(environments.load(env), name, force=force, length=length, dry=dry), dry)


@verb(
    positional=["name", "file"],
    help={"name": "e.g. ro-user-password", "file": FROM, "env": ENV, "dry": DRY},
    name="import",
)
def secret_import(_: Context, name: str, file: str | None = None, env: str = "", dry: bool = False) -> None:
    """Write what you give, by default by a pipe, into your own file; deploys bring it to the services."""
    environment = environments.load(env)
    _written(keys.import_(environment, name, keys.source(file or "-", name, REPORT), dry=dry), dry)


def _written(path: Path, dry: bool) -> None:
    if dry:
        REPORT.would([f"write {environments.shown(path)}"], "")
    else:
        REPORT.line(f"Wrote {environments.shown(path)}. Services get it with the next deploy.")


@verb(help={"env": ENV, "json": JSON}, name="list")
def secret_list(_: Context, env: str = "", json: bool = False) -> None:
    """Your secrets: how they come to be, who uses them, file and swarm; never what is in them."""
    environment = environments.load(env)
    rows = keys.rows(environment, keys.reach(environment, SHELL))
    if json:
        REPORT.data([asdict(row) for row in rows])
        return
    columns = ("SECRET", "COMES TO BE", "USED BY", "FILE", "IN THE SWARM (* in use)", "STATE")
    REPORT.table(columns, ((row.name, row.origin, row.users, row.file, row.swarm, row.state) for row in rows))


@verb(
    positional=["name"],
    help={
        "name": "e.g. ro-user-password",
        "env": ENV,
        "from": FROM,
        "lock-timeout": WAIT,
        "dry": "only say which services would restart",
        "json": "with --dry, print JSON for machines",
    },
    name="rotate",
)
def secret_rotate(
    _: Context,
    name: str,
    env: str = "",
    from_: str = "",
    dry: bool = False,
    lock_timeout: int = 600,
    json: bool = False,
) -> None:
    """Change a secret and the services that use it, one stack after the other."""
    environment = environments.load(env)
    if json and not dry:
        hint = f"./run secret.rotate {name} --dry --json"
        raise ArgumentInvalid("--json tells what a rotation would do; say --dry as well.", hint=hint)
    content = keys.source(from_, name, REPORT) if from_ else None
    engine = cluster.manager(environment, SHELL)
    if json:
        REPORT.data(keys.rotation(environment, name, content, engine, SHELL).told())
        return
    keys.rotate(environment, name, content, engine, SHELL, REPORT, dry=dry, lock_timeout=lock_timeout)


@verb(help={"env": ENV, "json": JSON}, name="status")
def lock_status(_: Context, env: str = "", json: bool = False) -> None:
    """Who changes stacks right now, if anybody."""
    found = locking.read(cluster.manager(environments.load(env), SHELL))
    if json:
        REPORT.data(asdict(found) if found else None)
        return
    REPORT.line(f"{found}{', expired' if found.expired else ''}" if found else "Nobody holds the lock.")


@verb(help={"env": ENV, "dry": DRY}, name="break")
def lock_break(_: Context, env: str = "", dry: bool = False) -> None:
    """Take the lock away from a change that is stuck."""
    found = locking.release(cluster.manager(environments.load(env), SHELL), dry=dry)
    if dry:
        REPORT.would([f"take the lock from {found}"] if found else [], "nobody holds the lock")
        return
    REPORT.line(f"Taken from {found}." if found else "Nobody held the lock.")


@verb(
    help={
        "projects": "how many projects the measured platform has",
        "runs": "how often each thing is measured",
        "keep": "leave the swarm that was made for it, for the next time",
        "json": JSON,
        "markdown": "print a table for docs/measurements.md",
    },
    name="manager",
)
def bench_manager(
    _: Context, projects: int = 250, runs: int = 5, keep: bool = False, json: bool = False, markdown: bool = False
) -> None:
    """Measure rendering, plan and deploy with many projects, on a swarm made for it: exit 1 when a goal is missed."""
    from swarm import bench as benchmark

    figures = benchmark.manager(projects, runs, keep, SHELL, _beside(json or markdown))
    _tell(figures, f"bench.manager --projects {projects} --runs {runs}", json, markdown)


@verb(
    help={
        "runs": "how often each thing is measured",
        "size": "how large the hours are, as a share of full ones",
        "json": JSON,
        "markdown": "print a table for docs/measurements.md",
    },
    name="ingest",
)
def bench_ingest(_: Context, runs: int = 5, size: float = 1.0, json: bool = False, markdown: bool = False) -> None:
    """Measure the ingest against only gunzipping the same hours: exit 1 when a goal is missed."""
    from swarm import hourbench

    figures = hourbench.ingest(runs, size, SHELL, _beside(json or markdown))
    _tell(figures, f"bench.ingest --runs {runs} --size {size:g}", json, markdown)


def _beside(machine: bool) -> Report:
    """Where progress goes while something is measured: not into what a machine reads."""
    progress = Report()
    if machine:
        progress.console = progress.errors
    return progress


def _tell(figures: "Sequence[Figure]", words: str, json: bool, markdown: bool) -> None:
    from swarm import bench as benchmark

    where = benchmark.circumstances(words)
    if json:
        REPORT.data({"circumstances": where, "figures": [asdict(figure) for figure in figures]})
    elif markdown:
        REPORT.text(f"{where}\n\n{benchmark.table(figures)}")
    else:
        REPORT.line(where)
        REPORT.table(benchmark.COLUMNS, (figure.cells() for figure in figures))
    if any(figure.missed for figure in figures):
        raise Exit(code=1)


@verb(
    help={"env": ENV, "full": "all of it, not only what changed since the last full backup", "dry": DRY}, name="backup"
)
def db_backup(_: Context, env: str = "", full: bool = False, dry: bool = False) -> None:
    """Back up the whole cluster now, on whichever member leads."""
    environment = environments.load(env)
    engine = cluster.manager(environment, SHELL)
    kind = "full" if full else "differential"
    if dry:
        REPORT.would([f"make a {kind} backup of the cluster"], "")
        return
    with REPORT.step(f"{kind} backup") as step:
        words = ("cluster", "--full") if full else ("cluster",)
        step.detail = backups.ask(environment, engine, *words, say=step.note, warn=REPORT.warn)[-1]


@verb(positional=["project"], help={"project": "one project (default: all)", "env": ENV, "json": JSON}, name="backups")
def db_backups(_: Context, project: str | None = None, env: str = "", json: bool = False) -> None:
    """What backups and dumps there are, how old and how large, and which failed."""
    environment = environments.load(env)
    found = backups.overview(environment, cluster.manager(environment, SHELL))
    if json:
        REPORT.data(found.told)
        return
    rows = [row for row in found.rows() if not project or row.project == project]
    sizes = ((row, backups.size(row.bytes) if row.bytes else "-") for row in rows)
    columns = ("KIND", "PROJECT", "NAME", "AGE", "SIZE", "STATE")
    REPORT.table(columns, ((row.kind, row.project or "-", row.name, row.age, size, row.state) for row, size in sizes))
    REPORT.line(found.summary())
    for complaint in found.complaints():
        REPORT.warn(complaint)


@verb(
    positional=["project"],
    help={"project": "the project whose database is dumped, or all", "env": ENV, "dry": DRY},
    name="dump",
)
def db_dump(_: Context, project: str, env: str = "", dry: bool = False) -> None:
    """Dump a project's database now, from a replica, beside the dumps that are made every day."""
    environment = environments.load(env)
    _ask_of_project(environment, "dump", project, dry)


@verb(
    positional=["project"],
    help={"project": "the project whose database is vacuumed and analyzed (default: all)", "env": ENV, "dry": DRY},
    name="vacuum",
)
def db_vacuum(_: Context, project: str | None = None, env: str = "", dry: bool = False) -> None:
    """Vacuum and analyze the databases of projects."""
    _ask_of_project(environments.load(env), "vacuum", project or names.EVERY, dry)


def _ask_of_project(environment: environments.Environment, word: str, project: str, dry: bool) -> None:
    """Have the service of backups do something for one project, or for all."""
    if project != names.EVERY and project not in environment.projects.names:
        raise UnknownName("project", project, environment.projects.names)
    if dry:
        REPORT.would([f"{word} the database of {project if project != names.EVERY else 'each project'}"], "")
        return
    with REPORT.step(f"{word} {project}") as step:
        chosen = () if project == names.EVERY else (project,)
        engine = cluster.manager(environment, SHELL)
        said = backups.ask(environment, engine, word, *chosen, say=step.note, warn=REPORT.warn)
        step.detail = said[-1] if len(said) == 1 else f"{len(said)} databases"


@verb(help={"env": ENV, "json": JSON}, name="verify")
def db_verify(_: Context, env: str = "", json: bool = False) -> None:
    """Restore the newest backup into an instance of its own, read and check all of it, and remove it again."""
    environment = environments.load(env)
    engine = cluster.manager(environment, SHELL)
    with REPORT.quiet() if json else REPORT.step("verify") as step:
        step.detail = backups.ask(environment, engine, "verify", say=step.note, warn=REPORT.warn)[-1]
    if json:
        REPORT.data({"verified": step.detail})


@verb(
    help={
        "to": "a time, such as 2026-01-31T12:00:00Z: the cluster as it was then, or the newest dump not after it",
        "project": "one project's database, from its dump (default: the whole cluster, from its backup)",
        "timeline": "of the whole cluster: go along this timeline instead of the newest",
        "env": ENV,
        "yes": "do not ask",
        "lock-timeout": WAIT,
        "dry": DRY,
    },
    name="restore",
)
def db_restore(
    _: Context,
    to: str = "",
    project: str = "",
    timeline: int = 0,
    env: str = "",
    yes: bool = False,
    lock_timeout: int = 600,
    dry: bool = False,
) -> None:
    """Bring back the whole cluster as it was at a time, or one project's database while all others go on."""
    environment = environments.load(env)
    moment = restoring.moment(to)
    engine = cluster.manager(environment, SHELL)
    if project and timeline:
        raise ArgumentInvalid("--timeline is of the whole cluster; a dump has none.")
    if project:
        _restore_project(environment, engine, project, moment, yes, dry)
        return
    goal = restoring.Goal(moment, timeline)
    doing = restoring.deeds(engine, goal)
    if dry:
        REPORT.would(doing, "")
        return
    if not yes:
        REPORT.confirm("This replaces every database of the cluster; what is there is kept aside.", environment.name)
    restoring.cluster(environment, engine, goal, REPORT, lock_timeout)


def _restore_project(
    environment: environments.Environment, engine: Engine, project: str, moment: datetime | None, yes: bool, dry: bool
) -> None:
    if project not in environment.projects.names:
        raise UnknownName("project", project, environment.projects.names)
    found = backups.dump(environment, engine, project, moment)
    if dry:
        REPORT.would(
            [f"restore {project} from {found} beside its database, and put it in its place when it is whole"], ""
        )
        return
    if not yes:
        REPORT.confirm(f"This puts what {found} holds in the place of the database of {project}.", project)
    with REPORT.step(f"restore {project}") as step:
        step.detail = backups.restore(environment, engine, project, moment, step.note, REPORT.warn)


@verb(
    positional=["name"],
    help={
        "name": "the name of the project, also of its address and stack",
        "orgs": "organisations whose repositories all belong to it: a comma list of names, globs, regexp:...",
        "repos": "single repositories: a comma list of ORGANISATION/REPOSITORY",
        "start": "the day from which hours are read for it, e.g. 2015-01-01",
        "foundation": "who hosts it",
        "display-name": "what pages call it",
        "jobs": "processes that read its hours side by side",
        "no-backfill": "leave its history to the ingest, which reads the newest hours first",
        "env": ENV,
        "dry": DRY,
    },
    name="add",
)
def project_add(
    _: Context,
    name: str,
    orgs: str = "",
    repos: str = "",
    start: str = "",
    foundation: str = "",
    display_name: str = "",
    jobs: int = 2,
    no_backfill: bool = False,
    env: str = "",
    dry: bool = False,
) -> None:
    """From nothing to a project: write it down, deploy it, make its database, fill it; again it completes that."""
    wanted = Wanted(name, _words(orgs), _words(repos), start, foundation, display_name)
    onboard.add(environments.load(env), wanted, SHELL, REPORT, jobs=jobs, fill=not no_backfill, dry=dry)


@verb(
    positional=["name"],
    help={
        "name": "a project",
        "drop-database": "its data too; asks for the name of the database",
        "env": ENV,
        "dry": DRY,
    },
    name="remove",
)
def project_remove(_: Context, name: str, drop_database: bool = False, env: str = "", dry: bool = False) -> None:
    """Take a project away: its stack, its backfill, its entry in projects.yaml; its database stays."""
    environment = environments.load(env)
    database = environment.projects.get(name).database
    if drop_database and not dry:
        REPORT.confirm(f"This drops the database {database} with all data in it.", database)
    onboard.remove(environment, name, SHELL, REPORT, drop=drop_database, dry=dry)


@verb(
    positional=["name"],
    help={
        "name": "a project",
        "from": "the first hour, e.g. 2015-01-01-0 (default: from its start)",
        "to": "the last hour (default: the newest)",
        "newest-first": "begin with the newest hour",
        "jobs": "processes that read side by side",
        "env": ENV,
        "dry": DRY,
    },
    name="backfill",
)
def project_backfill(
    _: Context,
    name: str,
    from_: str = "",
    to: str = "",
    newest_first: bool = False,
    jobs: int = 2,
    env: str = "",
    dry: bool = False,
) -> None:
    """Read what a project lacks by a job of the swarm, which goes on by itself and may be killed."""
    environment = environments.load(env)
    environment.projects.get(name)
    words = backfills.arguments(name, from_, to, newest_first=newest_first, jobs=jobs)
    if dry:
        REPORT.would([f"run a job: activity {' '.join(words)}"], "")
        return
    onboard.fill_in(cluster.manager(environment, SHELL), name, words, REPORT)


@verb(positional=["name"], help={"name": "a project, or a comma list of them", "env": ENV, "json": JSON}, name="status")
def project_status(_: Context, name: str | None = None, env: str = "", json: bool = False) -> None:
    """What projects hold and lack, how far their backfills are, how fresh their series."""
    environment = environments.load(env)
    found = onboard.status(environment, _words(name or ""), cluster.manager(environment, SHELL))
    if json:
        REPORT.data(found)
        return
    columns = ("PROJECT", "STATE", "HOURS", "LACKING", "EVENTS", "NEWEST", "BACKFILL", "SERIES", "PENDING")
    REPORT.table(columns, (onboard.cells(item) for item in found))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


@verb(help={"env": ENV, "json": JSON}, name="status")
def db_status(_: Context, env: str = "", json: bool = False) -> None:
    """The servers of the database: who leads, how far others are, room on their disks, slots, sizes, connections."""
    found = database_status.read(_database(env))
    if json:
        REPORT.data(database_status.told(found))
        return
    database_status.show(found, REPORT)


@verb(
    positional=["project"],
    help={
        "project": "whose database (default: the log database)",
        "env": ENV,
        "ro": "on a server that follows, and read only",
        "command": "a statement; without one psql reads your input",
    },
    name="psql",
)
def db_psql(_: Context, project: str | None = None, env: str = "", ro: bool = False, command: str = "") -> None:
    """Open psql on the server that leads: ./run db.psql apache, ./run db.psql apache --ro -c 'select 1'."""
    statements = (command,) if command else ()
    if code := database_shell.psql(_database(env), project or "", statements, SHELL, read_only=ro):
        raise Exit(code=code)


@verb(help={"to": "the member that shall lead", "env": ENV, "dry": DRY}, name="switchover")
def db_switchover(_: Context, to: str = "", env: str = "", dry: bool = False) -> None:
    """Let another member of the database lead; writes wait for a few seconds, none is lost."""
    lead.switchover(_database(env), to, REPORT, dry=dry)


@verb(
    positional=["member"],
    help={"member": "e.g. patroni2", "env": ENV, "yes": "do not ask", "dry": DRY},
    name="reinit",
)
def db_reinit(_: Context, member: str, env: str = "", yes: bool = False, dry: bool = False) -> None:
    """Copy a member of the database anew from the leader, when it cannot follow any more."""
    database = _database(env)
    if not (yes or dry):
        REPORT.confirm(f"This removes the data of {member} and copies it anew from the leader.", member)
    lead.reinit(database, member, REPORT, dry=dry)


@verb(help={"env": ENV, "changed": "only what a deploy would change", "json": JSON}, name="config")
def db_config(_: Context, env: str = "", changed: bool = False, json: bool = False) -> None:
    """The settings of the database: what env.yaml asks for and what the servers have."""
    found = [item for item in database_settings.compare(_database(env)) if not changed or item.wanted != item.actual]
    if json:
        REPORT.data([{**asdict(item), "state": item.state} for item in found])
        return
    columns = ("SETTING", "WANTED", "ACTUAL", "STATE")
    REPORT.table(columns, ((i.name, i.wanted or "-", i.actual or "-", i.state) for i in found))


def _database(env: str) -> Database:
    environment = environments.load(env)
    return Database(environment, cluster.manager(environment, SHELL))


nodes = Collection("swarm", swarm_init, swarm_start, swarm_stop, swarm_clean, swarm_remount, swarm_status, swarm_label)
sealed = Collection("secret", secret_show, secret_generate, secret_import, secret_list, secret_rotate)
locks = Collection("lock", lock_status, lock_break)
past = Collection("release", release_show)
roll = Collection("project", project_add, project_remove, project_backfill, project_status)
speed = Collection("bench", bench_manager, bench_ingest)
database = Collection(
    "db",
    db_status,
    db_psql,
    db_switchover,
    db_reinit,
    db_config,
    db_backup,
    db_backups,
    db_dump,
    db_restore,
    db_vacuum,
    db_verify,
)
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
    sealed,
    locks,
    past,
    roll,
    speed,
    database,
)
