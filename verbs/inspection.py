"""Verbs that show something: URLs, status, logs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from invoke import Context, Exit

from swarm.report import Table
from verbs.base import ENV, JSON, LABEL, PROJECTS, REPORT, SERVICES, SHELL, STACK, verb

if TYPE_CHECKING:
    from swarm.engine.client import Engine
    from swarm.live import services
    from swarm.settings.environment import Environment
    from swarm.stacks.selection import Selection


@verb(positional=["stack"], help={"stack": STACK, "env": ENV, "browser": "open the URLs in a browser", "json": JSON})
def show(_: Context, stack: str | None = None, env: str = "", browser: bool = False, json: bool = False) -> None:
    """Print the URLs of deployed stacks."""
    from swarm.settings.environment import load
    from swarm.stacks import targets, urls

    environment = load(env)
    found = urls.addresses(environment, targets.select(environment, stack or "all"))
    if json:
        REPORT.data([{"name": name, "url": url, "sign_in": sign_in} for name, url, sign_in in found])
        return
    REPORT.table(("What", "Where", "Sign in"), found)
    if browser:
        import webbrowser

        for _name, url, _sign_in in found:
            webbrowser.open(url)


@verb(
    positional=["name"],
    help={"name": "a stack, a project or a name listed by show (default: the first)", "env": ENV},
    name="open",
)
def browse(_: Context, name: str | None = None, env: str = "") -> None:
    """Open the URL of a stack or project in a browser."""
    import webbrowser

    from swarm.settings.environment import load
    from swarm.stacks import urls

    title, url, _sign_in = urls.find(load(env), name or "")
    REPORT.line(f"{title}  {url}" if webbrowser.open(url) else f"{title}  {url}   (no browser found)")


@verb(
    positional=["stack"],
    help={
        "stack": "a stack, project or service, or a comma-separated list",
        "env": ENV,
        "label": LABEL,
        "projects": PROJECTS,
        "watch": "refresh until Ctrl-C; when piped, print only changes",
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
    """Show stacks and their health, or services: ./run status db."""
    import swarm.live.status
    from swarm.deploy import releases
    from swarm.engine.refusals import REFUSALS
    from swarm.live import lookup, services
    from swarm.live.status import Absent
    from swarm.nodes import manager
    from swarm.settings.environment import load
    from swarm.stacks.selection import Selection

    environment, selection = load(env), Selection.parse(label)
    engine = manager.connect(environment, SHELL)

    def find() -> tuple[Sequence[services.Service], Sequence[Absent], Mapping[str, releases.Release]]:
        words, existing = stack or lookup.EVERY, services.services(engine)
        # A label selects services, of which a stack that does not run has none.
        away = () if selection else swarm.live.status.not_running(environment, existing, words, projects)
        named = {name for target in away for name in (target.name, target.template)}
        found = services.chosen(environment, lookup.choose(existing, words, named), selection, projects, named)
        # The ledger is large: it is read only for what is shown of it.
        newest = releases.newest(releases.history(engine)) if away or not stack else {}
        return found, [Absent(target, newest.get(target.name)) for target in away], newest

    def look() -> Table:
        (found, away, newest), now = find(), engine.now()
        if stack:
            return swarm.live.status.services(found, now, away)
        return swarm.live.status.stacks(environment, found, newest, now, away)

    if json:
        found, away, _newest = find()
        running = [swarm.live.status.as_json(service) for service in found]
        REPORT.data({"services": running, "not_running": [item.as_json() for item in away]})
    elif watch:
        with _looking():
            REPORT.watch(look, REFUSALS)
    else:
        REPORT.table(*look())


@verb(
    positional=["service"],
    help={
        "service": SERVICES,
        "env": ENV,
        "label": LABEL,
        "projects": PROJECTS,
        "since": "only newer lines: 90s, 10m, 1h30m, 2d, or a time such as 2026-11-21T03:00",
        "grep": "only lines that match this regular expression",
        "tail": "only the last lines of each task (default: 100, or all with --since or --grep)",
        "follow": "follow the output until Ctrl-C",
        "times": "prefix each line with its time",
        "json": "print one JSON object per line: time, service, task, node, text",
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
    """Print the logs of services from all nodes, sorted by time."""
    import swarm.containers.logs
    from swarm.nodes import manager
    from swarm.settings.environment import load
    from swarm.stacks.selection import Selection

    environment, selection = load(env), Selection.parse(label)
    engine = manager.connect(environment, SHELL)
    asked = swarm.containers.logs.query(since, tail, grep, engine.now())

    def find() -> "Sequence[services.Service]":
        return _meant(environment, engine, service, selection, projects)

    if follow:
        lines = swarm.containers.logs.follow(engine, find, asked, REPORT.warn)
    else:
        lines = swarm.containers.logs.read(engine, find(), asked, REPORT.warn)
    with _looking():
        if json:
            swarm.containers.logs.show_json(lines, REPORT, flush=follow)
        else:
            swarm.containers.logs.show(lines, REPORT, times=times, flush=follow)


def _meant(
    environment: "Environment", engine: "Engine", words: str, selection: "Selection", projects: str
) -> "Sequence[services.Service]":
    """The running services that words, labels and patterns mean together."""
    from swarm.live import lookup, services

    return services.chosen(environment, lookup.choose(services.services(engine), words), selection, projects)


@contextmanager
def _looking() -> Iterator[None]:
    """Ctrl-C is how one ends to look at something: nothing was begun, so nothing is said."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise Exit(code=130) from error
