"""Words that Invoke itself does not know: those that may be left out, as in `rollback STACK [N]`, numbers, and help."""

import inspect
import signal
import sys
from types import FrameType
from typing import Any

from invoke import Collection, Exit, Task
from invoke.parser import Argument

from swarm.errors import ArgumentInvalid

FRAMES = 4
HELP = ("--help", "-h")


class _Place(Argument):
    """A positional argument, which asks for nothing more once help is asked for; Invoke would take that for a name."""

    @property
    def value(self) -> Any:
        """What was given."""
        parser = _caller("handle")
        if super().value is None and parser and parser.f_locals.get("token") in HELP:
            self.set_value("")
        return super().value

    @value.setter
    def value(self, word: Any) -> None:
        self.set_value(word, cast=True)


class _Word(_Place):
    """A positional argument that takes a word where one is, and is content where none is."""

    @property
    def value(self) -> Any:
        """The word; without one, None, but for Invoke's last look at what a verb still lacks: nothing."""
        given = super().value
        return "" if given is None and _caller("complete_context") else given

    @value.setter
    def value(self, word: Any) -> None:
        self.set_value(word, cast=True)


class _Number(Argument):
    """A flag that takes a whole number from 0 on; Invoke would end with a traceback for anything else."""

    def set_value(self, value: Any, cast: bool = True) -> None:
        """Take a number; ends with the exit code of ArgumentInvalid for what is none."""
        if cast and not str(value).isdecimal():
            flag, code = str(self.name).replace("_", "-"), ArgumentInvalid.exit_code
            raise Exit(f"✗ --{flag} {value!r} is no number from 0 on.\nExit {code}.", code=code)
        super().set_value(value, cast=cast)


class Verb(Task):  # type: ignore[type-arg]
    """A task whose positional arguments with a default of None are optional words; its numbers are never negative."""

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """The arguments as Invoke's parser takes them."""
        explained = dict(self.help)
        found = super().get_arguments(ignore_unknown_help)
        # Invoke gives each explanation once only, to whoever asks first.
        self.help = explained
        defaults = {name: item.default for name, item in self.argspec(self.body).parameters.items()}
        for argument in found:
            if argument.positional:
                optional = defaults.get(str(argument.attr_name or argument.name), "") is None
                argument.__class__ = _Word if optional else _Place
            elif argument.kind is int:
                argument.__class__ = _Number
        return found

    def usage(self, name: str) -> str:
        """How the verb is called under a name: `./run rollback STACK [NUMBER]`."""
        words = [argument for argument in self.get_arguments() if argument.positional]
        shown = (str(word.name).replace("_", "-").upper() for word in words)
        places = (f"[{text}]" if isinstance(word, _Word) else text for word, text in zip(words, shown, strict=True))
        return " ".join(("./run", name, *places))


def explain(verbs: Collection) -> None:
    """Let the help of each verb show how it is called; Invoke's own shows flags only."""
    for name in verbs.task_names:
        found = verbs[name]
        assert isinstance(found, Verb)
        found.__doc__ = f"{inspect.getdoc(found)}\n\n{found.usage(name)} [--options]"


def prepare(verbs: Collection) -> None:
    """Where a list or help is asked for: let it be whole, and whoever reads only its head end it without a word."""
    words = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
    if {"--list", *HELP} & set(words):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        explain(verbs)


def _caller(function: str) -> FrameType | None:
    """A function among the nearest callers: the parser asks the same question for several reasons."""
    frame: FrameType | None = sys._getframe(2)
    for _ in range(FRAMES):
        if frame is None or frame.f_code.co_name == function:
            return frame
        frame = frame.f_back
    return None
