"""Words that Invoke itself does not know: those that may be left out, as in `rollback STACK [N]`, and numbers."""

import sys
from typing import Any

from invoke import Exit, Task
from invoke.parser import Argument

from swarm.errors import ArgumentInvalid

FRAMES = 4


class _Word(Argument):
    """A positional argument that takes a word where one is, and is content where none is."""

    @property
    def value(self) -> Any:
        """The word; without one, None, but for Invoke's last look at what a verb still lacks: nothing."""
        given = super().value
        return "" if given is None and _asked_by("complete_context") else given

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
            if argument.positional and defaults.get(str(argument.attr_name or argument.name), "") is None:
                argument.__class__ = _Word
            elif argument.kind is int:
                argument.__class__ = _Number
        return found


def _asked_by(function: str) -> bool:
    """Whether a function is among the nearest callers: the parser asks the same question for two reasons."""
    frame = sys._getframe(2)
    for _ in range(FRAMES):
        if frame is None or frame.f_code.co_name == function:
            return frame is not None
        frame = frame.f_back  # type: ignore[assignment]
    return False
