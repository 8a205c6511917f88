"""A value that must not be seen."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Secret:
    """A password; it prints as *** and is read only by `reveal`."""

    _value: str = field(repr=False)

    def __str__(self) -> str:
        return "***"

    def __repr__(self) -> str:
        return "Secret(***)"

    def reveal(self) -> str:
        """Return the password, for the one call that needs it."""
        return self._value
