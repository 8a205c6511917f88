"""The operator's own secret files: read, generated where they can be, never shown."""

import re
import secrets as random
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import bcrypt
from pydantic import model_validator

from swarm.documents import Strict
from swarm.errors import SecretMissing
from swarm.remembered import remembered

LENGTH = 32
LETTERS = string.ascii_letters + string.digits
NAME = re.compile(r"^[a-z0-9][a-z0-9.-]*$")


class Secret:
    """A text that prints `***`; `reveal()` is the only way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and random.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))


class Declaration(Strict):
    """How a secret comes to be when its file is not there; exactly one way, or none (it must be given)."""

    generate: Literal["password"] | None = None
    htpasswd: str | None = None
    user: str = "admin"

    @model_validator(mode="after")
    def _one_way(self) -> "Declaration":
        if self.generate and self.htpasswd:
            raise ValueError("either generate or htpasswd, not both")
        return self


def get(folder: Path, name: str, declarations: Mapping[str, Declaration]) -> Secret:
    """The content of `<folder>/<name>.secret` without its trailing newline, made first where that is possible."""
    declaration = declarations.get(name, Declaration())
    if declaration.htpasswd:
        return _htpasswd(folder, name, declaration, get(folder, declaration.htpasswd, declarations))
    found = _read(folder, name)
    if found is not None:
        return found
    if declaration.generate is None:
        raise SecretMissing(
            f"The secret {name} is not given.",
            hint=f"Write it to {folder / name}.secret (see {name}.secret.example).",
        )
    return _write(folder, name, "".join(random.choice(LETTERS) for _ in range(LENGTH)))


def _htpasswd(folder: Path, name: str, declaration: Declaration, password: Secret) -> Secret:
    """A users file of one line; kept as a file because a fresh salt would be a new version at every deploy."""
    found = _read(folder, name)
    if found is not None and _fits(folder, name, declaration, found, password):
        return found
    hashed = bcrypt.hashpw(password.reveal().encode(), bcrypt.gensalt(10)).decode()
    return _write(folder, name, f"{declaration.user}:{hashed}")


def _fits(folder: Path, name: str, declaration: Declaration, users: Secret, password: Secret) -> bool:
    """Whether a users file holds the declared user with this password."""

    def checked() -> str:
        user, _, hashed = users.reveal().partition(":")
        return str(user == declaration.user and bcrypt.checkpw(password.reveal().encode(), hashed.encode()))

    files = [folder / f"{file}.secret" for file in (name, declaration.htpasswd)]
    return remembered(f"bcrypt of {name} for {declaration.user}", files, checked) == str(True)


def _read(folder: Path, name: str) -> Secret | None:
    file = folder / f"{name}.secret"
    if not file.exists():
        return None
    if file.stat().st_mode & 0o077:
        file.chmod(0o600)
    text = file.read_text().rstrip("\r\n")
    if not text:
        raise SecretMissing(f"{file} is empty.", hint="Write the secret into it, or remove the file.")
    return Secret(text)


def _write(folder: Path, name: str, text: str) -> Secret:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.secret"
    draft = folder / f".{name}.secret"
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text + "\n")
    draft.replace(file)
    return Secret(text)
