"""The arguments of a verb: its words and flags, how they are read, and the help that explains them.

Invoke's own parser knows neither optional words (`rollback STACK [NUMBER]`) nor numbers that must not be negative, and
gives flags whichever letter is free; argparse does the former, and six flags have the same letter in every verb.
"""

import inspect
from argparse import ArgumentParser, ArgumentTypeError, HelpFormatter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

from invoke import Task
from invoke.parser import Argument

from swarm.errors import ArgumentInvalid

# The only letters that there are, and the type that a flag of this name has where the letter is meant.
SHORT_FLAGS: dict[str, tuple[str, type]] = {
    "env": ("e", str),
    "dry": ("n", bool),
    "yes": ("y", bool),
    "json": ("j", bool),
    "label": ("l", str),
    "projects": ("p", str),
}
# Where explanations begin in the help of a verb; longer flags have them on the next line.
HELP_COLUMN = 32


class Verb(Task):  # type: ignore[type-arg]
    """A task whose positional arguments with a default of None may be left out.

    `command` names what stands after `--`, for the one verb that hands it on; for all others `--` is an error.
    """

    def __init__(self, body: Callable[..., Any], *, command: str = "", **options: Any) -> None:
        super().__init__(body, auto_shortflags=False, **options)
        self.command = command

    def arg_opts(self, name: str, default: Any, taken_names: set[str]) -> dict[str, Any]:
        """What Invoke asks for each argument; here it gets its letter."""
        options = super().arg_opts(name, default, taken_names)
        letter, kind = SHORT_FLAGS.get(name, ("", str))
        if letter and isinstance(default, kind):
            options["names"].append(letter)
        return options

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """The arguments as Invoke describes them, positional ones first."""
        explained = dict(self.help)
        found = super().get_arguments(ignore_unknown_help)
        # Invoke removes each explanation once it has been used.
        self.help = explained
        return found

    def usage(self, name: str) -> str:
        """How to call the verb under a name: `./run rollback STACK [NUMBER] [options]`."""
        words = [_word(argument) for argument in self.get_arguments() if argument.positional]
        places = [f"[{word}]" if optional else word for word, optional in zip(words, self._optional(), strict=True)]
        command = (f"-- {self.command}",) if self.command else ()
        return " ".join(("./run", name, *places, "[options]", *command))

    def parse(self, name: str, words: Sequence[str]) -> dict[str, Any]:
        """Argument -> value, from the words after the verb; raises ArgumentInvalid for a word that it does not take.

        Flags may stand before, between and after positional words. `--help` prints the help and ends the process.
        """
        return vars(self.parser(name).parse_intermixed_args(words))

    def parser(self, name: str) -> ArgumentParser:
        """What reads the words after the verb and prints its help."""
        made = _VerbParser(
            prog=f"./run {name}",
            usage=self.usage(name),
            description=inspect.getdoc(self.body),
            formatter_class=partial(HelpFormatter, max_help_position=HELP_COLUMN),
            allow_abbrev=False,
        )
        arguments = self.get_arguments()
        places = [argument for argument in arguments if argument.positional]
        for argument, optional in zip(places, self._optional(), strict=True):
            made.add_argument(
                str(argument.name), metavar=_word(argument), nargs="?" if optional else None, help=_help(argument)
            )
        for argument in arguments:
            if not argument.positional:
                _add_flag(made, argument)
        return made

    def _optional(self) -> list[bool]:
        """Whether each positional argument may be left out, in their order."""
        parameters = self.argspec(self.body).parameters
        return [parameters[name].default is None for name in self.positional]


class _VerbParser(ArgumentParser):
    """An argparse parser that raises ArgumentInvalid."""

    def error(self, message: str) -> NoReturn:
        """Raise ArgumentInvalid; argparse would end the process with 2, which means pending changes here."""
        usage = " ".join(self.format_usage().split()[1:])
        raise ArgumentInvalid(f"{self.prog}: {message}.", hint=f"Usage, one verb per command: {usage}")


def whole_number(text: str) -> int:
    """A number from 0 on."""
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} must be a whole number of 0 or more")
    return int(text)


def _add_flag(parser: ArgumentParser, argument: Argument) -> None:
    long = argument.names[0]
    names = [*(f"-{letter}" for letter in argument.nicknames), f"--{long}"]
    dest, explained = str(argument.name), _help(argument)
    if argument.kind is bool:
        parser.add_argument(*names, dest=dest, action="store_true", help=explained)
        return
    read = whole_number if argument.kind is int else argument.kind
    metavar = long.upper() if argument.kind is str else "NUMBER"
    parser.add_argument(*names, dest=dest, type=read, default=argument.default, metavar=metavar, help=explained)


def _word(argument: Argument) -> str:
    return argument.names[0].upper()


def _help(argument: Argument) -> str:
    """The explanation as argparse takes it, which fills in what stands after a percent sign."""
    return (argument.help or "").replace("%", "%%")
