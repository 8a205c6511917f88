"""Typed access to the fields of a JSON object; a value that does not fit raises ValueError with its path."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

# Numbers below this fit every column.
SMALL = 1 << 31
# DevStats stores this in place of a missing time.
NEVER = datetime(1, 1, 1)
# The format of times in 2011 and 2012.
OLDEST_TIME = "%Y/%m/%d %H:%M:%S %z"


class Fields:
    """A JSON object at a path; an absent value is the same as null, as in DevStats."""

    __slots__ = ("_key", "_object", "_parent")

    def __init__(self, value: Any, key: str = "", parent: "Fields | None" = None) -> None:
        self._key = key
        self._parent = parent
        if type(value) is not dict:
            raise ValueError(f"{self._path() or 'event'}: expected an object, found {_shown(value)}")
        self._object: dict[str, Any] = value

    def has(self, key: str) -> bool:
        """Tell whether there is a value at a key."""
        return self._object.get(key) is not None

    def inner(self, key: str) -> "Fields":
        """Return the object at a key; an empty one when it is absent."""
        value = self._object.get(key)
        return Fields({} if value is None else value, key, self)

    def optional(self, key: str) -> "Fields | None":
        """Return the object at a key, if there is one."""
        value = self._object.get(key)
        return None if value is None else Fields(value, key, self)

    def each(self, key: str) -> Iterator["Fields"]:
        """Yield the objects of the list at a key; none when it is absent."""
        for number, entry in enumerate(self._list(key)):
            yield Fields({} if entry is None else entry, f"{key}[{number}]", self)

    def each_list(self, key: str) -> Iterator["Fields"]:
        """Yield the lists of the list at a key as objects whose keys are the indexes: "0", "1" and so on."""
        for number, entry in enumerate(self._list(key)):
            if type(entry) is not list:
                raise self._unfit(f"{key}[{number}]", "a list", entry)
            yield Fields({str(place): value for place, value in enumerate(entry)}, f"{key}[{number}]", self)

    def identity(self, key: str) -> int:
        """Return an id, a number or a string of digits; it must be present."""
        value = self._object.get(key)
        if type(value) is str and value.isascii() and value.isdigit() and len(value) < 20:
            value = int(value)
        return self._checked(key, value, 64)

    def id_of(self, key: str) -> int | None:
        """Return the id of the object at a key, if there is one."""
        inner = self.optional(key)
        return None if inner is None else inner.number("id")

    def id_or_object(self, key: str) -> int | None:
        """Return the id at a key, a number or in an object, if there is one."""
        return self.id_of(key) if type(self._object.get(key)) is dict else self.optional_number(key)

    def number(self, key: str, bits: int = 64) -> int:
        """Return a whole number of at most so many bits; 0 when it is absent."""
        value = self._object.get(key)
        if value is None:
            return 0
        if type(value) is int and 0 <= value < SMALL:
            return value
        return self._checked(key, value, bits)

    def optional_number(self, key: str, bits: int = 64) -> int | None:
        """Return a whole number of at most so many bits, if there is one."""
        value = self._object.get(key)
        # Most numbers are small: this is the fast path.
        if value is None or (type(value) is int and 0 <= value < SMALL):
            return value
        return self._checked(key, value, bits)

    def text(self, key: str, width: int | None = None) -> str:
        """Return a text; an empty one when it is absent."""
        return self.optional_text(key, width) or ""

    def optional_text(self, key: str, width: int | None = None) -> str | None:
        """Return a text without NUL characters, cut to `width` bytes, if there is one."""
        value = self._object.get(key)
        if value is None:
            return None
        if type(value) is not str:
            raise self._unfit(key, "a text", value)
        if "\x00" in value:
            value = value.replace("\x00", "")
        return value if width is None or len(value) * 4 <= width else _cut(value, width)

    def flag(self, key: str) -> bool:
        """Return a flag; False when it is absent."""
        return self.optional_flag(key) or False

    def optional_flag(self, key: str) -> bool | None:
        """Return a flag, if there is one."""
        value = self._object.get(key)
        if value is None or type(value) is bool:
            return value
        raise self._unfit(key, "true or false", value)

    def time(self, key: str) -> datetime:
        """Return a time by its wall clock; the first moment of year 1 when it is absent."""
        return self.optional_time(key) or NEVER

    def optional_time(self, key: str) -> datetime | None:
        """Return a time by its wall clock, if there is one."""
        value = self._object.get(key)
        if value is None:
            return None
        try:
            return datetime.fromisoformat(value).replace(tzinfo=None)
        except (TypeError, ValueError):
            return self._oldest_time(key, value)

    def _oldest_time(self, key: str, value: Any) -> datetime:
        try:
            return datetime.strptime(value, OLDEST_TIME).replace(tzinfo=None)
        except (TypeError, ValueError):
            raise self._unfit(key, "a time such as 2015-01-01T00:00:00Z", value) from None

    def _list(self, key: str) -> list[Any]:
        value = self._object.get(key)
        if value is None:
            return []
        if type(value) is not list:
            raise self._unfit(key, "a list", value)
        return value

    def _checked(self, key: str, value: Any, bits: int) -> int:
        limit = 1 << (bits - 1)
        if type(value) is int and -limit <= value < limit:
            return value
        raise self._unfit(key, f"a whole number of at most {bits} bits", value)

    def _unfit(self, key: str, expected: str, value: Any) -> ValueError:
        path = self._path()
        return ValueError(f"{path}{'.' if path else ''}{key}: expected {expected}, found {_shown(value)}")

    def _path(self) -> str:
        parent = self._parent._path() if self._parent else ""
        return f"{parent}.{self._key}" if parent else self._key


def _cut(text: str, width: int) -> str:
    encoded = text.encode()
    return text if len(encoded) <= width else encoded[:width].decode(errors="ignore")


def _shown(value: Any) -> str:
    return repr(value)[:80]
