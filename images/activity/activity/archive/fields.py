"""Taking typed values out of a JSON object; a value that does not fit is a ValueError naming its path."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

NEVER = datetime(1, 1, 1)


class Fields:
    """A JSON object at a path; absent and null are the same, as they are for DevStats."""

    __slots__ = ("_object", "_path")

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, dict):
            raise ValueError(f"{path or 'event'}: expected an object, found {_shown(value)}")
        self._object: dict[str, Any] = value
        self._path = path

    def inner(self, key: str) -> "Fields":
        """Return the object at a key; an empty one when there is none."""
        return self.optional(key) or Fields({}, self._at(key))

    def optional(self, key: str) -> "Fields | None":
        """Return the object at a key, if there is one."""
        value = self._object.get(key)
        return None if value is None else Fields(value, self._at(key))

    def each(self, key: str) -> Iterator["Fields"]:
        """Yield the objects of a list; none when there is no list."""
        value = self._object.get(key)
        if value is None:
            return
        if not isinstance(value, list):
            raise self._unfit(key, "a list", value)
        for number, entry in enumerate(value):
            yield Fields({} if entry is None else entry, f"{self._at(key)}[{number}]")

    def identity(self, key: str) -> int:
        """Return an id written as digits, which has to be there."""
        value = self._object.get(key)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
            value = int(value)
        return self._checked(key, value, 64)

    def id_of(self, key: str) -> int | None:
        """Return the id of the object at a key, if there is one."""
        inner = self.optional(key)
        return None if inner is None else inner.number("id")

    def number(self, key: str, bits: int = 64) -> int:
        """Return a whole number; 0 when there is none."""
        return self.optional_number(key, bits) or 0

    def optional_number(self, key: str, bits: int = 64) -> int | None:
        """Return a whole number that fits so many bits, if there is one."""
        value = self._object.get(key)
        return None if value is None else self._checked(key, value, bits)

    def text(self, key: str, width: int | None = None) -> str:
        """Return a text; an empty one when there is none."""
        return self.optional_text(key, width) or ""

    def optional_text(self, key: str, width: int | None = None) -> str | None:
        """Return a text without NUL, cut to so many bytes, if there is one."""
        value = self._object.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self._unfit(key, "a text", value)
        return _cut(value.replace("\x00", ""), width)

    def optional_flag(self, key: str) -> bool | None:
        """Return true or false, if either is there."""
        value = self._object.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise self._unfit(key, "true or false", value)

    def time(self, key: str) -> datetime:
        """Return a time by its wall clock; the first moment of year 1 when there is none."""
        return self.optional_time(key) or NEVER

    def optional_time(self, key: str) -> datetime | None:
        """Return a time by its wall clock, if there is one."""
        value = self._object.get(key)
        if value is None:
            return None
        try:
            return datetime.fromisoformat(value).replace(tzinfo=None)
        except (TypeError, ValueError):
            raise self._unfit(key, "a time such as 2015-01-01T00:00:00Z", value) from None

    def _checked(self, key: str, value: Any, bits: int) -> int:
        limit = 1 << (bits - 1)
        if isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit:
            return value
        raise self._unfit(key, f"a whole number of at most {bits} bits", value)

    def _unfit(self, key: str, expected: str, value: Any) -> ValueError:
        return ValueError(f"{self._at(key)}: expected {expected}, found {_shown(value)}")

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def _cut(text: str, width: int | None) -> str:
    if width is None or len(text) * 4 <= width:
        return text
    encoded = text.encode()
    return text if len(encoded) <= width else encoded[:width].decode(errors="ignore")


def _shown(value: Any) -> str:
    return repr(value)[:80]
