"""Words after a verb that may be left out, as in `rollback STACK [N]`; Invoke itself knows only words that must be."""

import sys
from typing import Any

from invoke import Task
from invoke.parser import Argument

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


class Verb(Task):  # type: ignore[type-arg]
    """A task whose positional arguments with a default of None are optional words."""

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """The arguments as Invoke's parser takes them."""
        found = super().get_arguments(ignore_unknown_help)
        defaults = {name: item.default for name, item in self.argspec(self.body).parameters.items()}
        for argument in found:
            if argument.positional and defaults.get(str(argument.attr_name or argument.name), "") is None:
                argument.__class__ = _Word
        return found


def _asked_by(function: str) -> bool:
    """Whether a function is among the nearest callers: the parser asks the same question for two reasons."""
    frame = sys._getframe(2)
    for _ in range(FRAMES):
        if frame is None or frame.f_code.co_name == function:
            return frame is not None
        frame = frame.f_back  # type: ignore[assignment]
    return False
