"""The program that runs a verb: `./run VERB`, and `invoke VERB`, whose own program hands over to it.

Invoke alone would accept flags that mean nothing here (`--dry deploy` deploys), run several verbs (`build app deploy
app --dry` builds) and ignore what follows `--`. In this program every word has a meaning or is an error.
"""

import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import invoke
from invoke import Collection, Exit, Program
from invoke.parser import Argument, ParserContext

from swarm.errors import ArgumentInvalid, SwarmstatsError, UnknownName
from verbs.arguments import Verb
from verbs.base import REPORT

# What may stand before a verb, with its letters, of all that Invoke has.
LEADING = {
    "dry": ("n",),
    "help": ("h",),
    "list": ("l",),
    "version": ("V",),
    "complete": (),
    "print-completion-script": (),
}


class VerbProgram(Program):
    """Invoke's program for one verb per command."""

    def __init__(self, namespace: Collection) -> None:
        super().__init__(
            namespace=namespace,
            name="Invoke",
            binary="./run",
            binary_names=["run", "invoke", "inv"],
            version=invoke.__version__,
        )

    @property
    def initial_context(self) -> ParserContext:
        """The flags that may stand before a verb; what the parser does not know is refused."""
        known = [argument for argument in self.core_args() if argument.names[0] in LEADING]
        for argument in known:
            argument.names = (argument.names[0], *LEADING[argument.names[0]])
        return ParserContext(args=[*known, Argument(name="search-root", help="where invoke looks for tasks.py")])

    def parse_core_args(self) -> None:
        """Read the flags before the verb; Invoke's others, which Program asks for later, keep their defaults."""
        super().parse_core_args()
        for argument in self.core_args():
            if argument.names[0] not in LEADING:
                self.core[0].add_arg(argument)

    def parse_core(self, argv: list[str] | None) -> None:
        """Read the flags before the verb, and leave byte code as it is."""
        keep = sys.dont_write_bytecode
        try:
            super().parse_core(argv)
        finally:
            # Invoke turns byte code off, and modules that are imported by a verb would be compiled each time.
            sys.dont_write_bytecode = keep

    def parse_tasks(self) -> None:
        """Read the verb and its words; ends with the exit code of ArgumentInvalid or UnknownName where one is wrong."""
        try:
            # An executor takes names with their arguments as well as what Invoke's parser makes.
            self.tasks: Any = self._parsed()
        except SwarmstatsError as error:
            REPORT.error(error)
            raise Exit(code=error.exit_code) from error

    def print_help(self) -> None:
        """How to call this, and all verbs."""
        REPORT.text(
            "Usage: ./run VERB [options]   explained by ./run VERB --help; --dry may also stand before the verb\n"
        )
        self.list_tasks()

    def task_list_opener(self, extra: str = "") -> str:
        """The heading of the list of verbs."""
        return "Verbs"

    def print_task_help(self, name: str) -> None:
        """What a verb takes."""
        REPORT.text(self._verb(name).parser(name).format_help())

    def _parsed(self) -> Sequence[tuple[str, dict[str, object]]]:
        """The verb and its arguments, if there is one."""
        given = {str(name) for name, argument in self.args.items() if argument.got_value}
        if "complete" in given:
            return []
        group = self.args.list.value
        if isinstance(group, str) and group not in self.collection.collections:
            raise UnknownName("group of verbs", group, self.collection.collections, "Groups")
        explained = self.args.help.value
        if isinstance(explained, str):
            self.print_task_help(explained)
            raise Exit
        if {"help", "list"} & given:
            return []
        if not self.core.unparsed:
            if "--" in self.argv:
                raise ArgumentInvalid("Missing verb before --.", hint="Verbs: ./run --list")
            return []
        name, *words = self.core.unparsed
        if name.startswith("-"):
            raise _misplaced(name)
        verb = self._verb(name)
        if "--" in self.argv and not verb.command:
            raise ArgumentInvalid(
                f"./run {name}: does not accept arguments after --.", hint=f"Usage: {verb.usage(name)}"
            )
        # Before the verb it means what it means after it; a verb without it says so.
        dry = ["--dry"] if "dry" in given else []
        return [(name, verb.parse(name, [*dry, *words]))]

    def _verb(self, name: str) -> Verb:
        if name not in self.collection.task_names:
            raise UnknownName("verb", name, self.collection.task_names)
        found = self.collection[name]
        assert isinstance(found, Verb)
        return found


def main(program: VerbProgram) -> NoReturn:
    """Run the verb of this process and end the process."""
    if {"--list", "-l", "--help", "-h"} & set(sys.argv):
        # A reader such as head may close the pipe early; that is not an error.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    program.run()
    sys.exit(0)


def loaded_by_invoke() -> bool:
    """Whether Invoke's own program is running and has just imported tasks.py."""
    running = sys.modules.get("invoke.main")
    return running is not None and bool(running.program.argv)


def _misplaced(flag: str) -> ArgumentInvalid:
    return ArgumentInvalid(
        f"{flag} is not allowed before a verb.",
        hint="Before a verb: --dry, --help, --list, --version. All other flags go after the verb: ./run VERB --help",
    )
