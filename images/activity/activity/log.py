"""What happens, one line each, on standard error: time, level, words, then name=value."""

import json
import sys
import threading
from datetime import UTC, datetime

_writing = threading.Lock()


def info(words: str, **values: object) -> None:
    """Say that something happened as it should."""
    _write("info", words, values)


def warning(words: str, **values: object) -> None:
    """Say that something went wrong and will be tried again."""
    _write("warning", words, values)


def error(words: str, **values: object) -> None:
    """Say that something went wrong and ends here."""
    _write("error", words, values)


def _write(level: str, words: str, values: dict[str, object]) -> None:
    pairs = "".join(f" {name}={_shown(value)}" for name, value in values.items() if value is not None)
    line = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {level} {_one_line(words)}{pairs}\n"
    with _writing:
        sys.stderr.write(line)
        sys.stderr.flush()


def _shown(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    plain = text and text.isprintable() and not set(text) & set(' "=')
    return text if plain else json.dumps(text, ensure_ascii=False)


def _one_line(words: str) -> str:
    return " ".join(words.splitlines())
