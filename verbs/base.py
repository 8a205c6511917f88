"""What all verbs share: the decorator that prints errors, a shell, a report and texts of help."""

import functools
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from invoke import Context, Exit

from swarm.errors import EngineUnavailable, SwarmstatsError
from swarm.report import Report
from swarm.shell import Shell
from verbs.arguments import Verb

if TYPE_CHECKING:
    from swarm.session import Session
    from swarm.settings.environment import Environment

SHELL = Shell()
REPORT = Report()
PENDING = 2

ENV = "environment, a folder of env/ (default: SWARMSTATS_ENV, then lab)"
STACK = "a stack or project, a comma-separated list, project (all projects), or all"
SERVICES = "a service (admin/traefik), stack or project, a comma-separated list, project (all projects), or all"
JSON = "print JSON"
LABEL = (
    "only services that match these labels: project=rust-lang,app=sync or app!=sync; "
    "keys: project, app, stack, foundation, any label"
)
PROJECTS = "only projects whose names match: 'a*,!apache'"
WAIT = "seconds to wait for the deploy lock"
YES = "do not ask for confirmation"
DRY = "print what would be done, change nothing"


def verb(**options: Any) -> Callable[[Callable[..., None]], Verb]:
    """A task whose errors are printed as a message with a hint, and end the process with their own exit code."""

    def wrap(body: Callable[..., None]) -> Verb:
        @functools.wraps(body)
        def door(context: Context, *given: Any, **named: Any) -> None:
            try:
                body(context, *given, **named)
            except SwarmstatsError as error:
                REPORT.error(error)
                raise Exit(code=error.exit_code) from error
            except BrokenPipeError as error:
                # The reader of the pipe (head, less) has gone; flushing at exit must not fail again.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                raise Exit(code=141) from error
            except KeyboardInterrupt as error:
                REPORT.line("Interrupted. Changes already sent to the swarm continue; run the command again to finish.")
                raise Exit(code=130) from error
            except Exception as error:
                if isinstance(error, Exit) or not _refused_by_an_engine(error):
                    raise
                gone = EngineUnavailable(f"Lost the connection to Docker: {error}", hint="./run doctor")
                REPORT.error(gone)
                raise Exit(code=gone.exit_code) from error

        return Verb(door, **options)

    return wrap


def session(environment: "Environment") -> "Session":
    """Connect to a manager of an environment, for the use cases that change it; raises where there is no swarm."""
    from swarm.nodes import manager
    from swarm.session import Session

    return Session(environment, manager.connect(environment, SHELL), SHELL, REPORT)


def _refused_by_an_engine(error: Exception) -> bool:
    """Whether the Docker SDK raised an error; it is imported here, because most verbs that fail have not needed it."""
    from swarm.engine.refusals import REFUSALS

    return isinstance(error, REFUSALS)
