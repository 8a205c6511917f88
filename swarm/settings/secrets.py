"""The operator's own secret files: read, generated where they can be, never shown."""

import re
import secrets as random
import string
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

import bcrypt
from pydantic import model_validator

from swarm.errors import SecretMissing, SecretRefused
from swarm.files import write_atomically
from swarm.settings.hash_cache import cached
from swarm.settings.validation import Strict

PASSWORD_LENGTH = 32
PASSWORD_LENGTHS = range(16, 1025)
LARGEST_BYTES = 500 * 1024
OWNER_ONLY = 0o600
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
    """The content of `<folder>/<name>.secret` without its trailing newline, generated first where that is possible.

    What is generated here is `fresh` until the swarm has it.
    """
    found, declaration = look(folder, name, declarations), declarations.get(name, Declaration())
    for one in (name, declaration.htpasswd or name):
        _close(folder, one)
    if found != unmade(name):
        return found
    if declaration.htpasswd:
        plain = get(folder, declaration.htpasswd, declarations)
        hashed = bcrypt.hashpw(plain.reveal().encode(), bcrypt.gensalt(10)).decode()
        return write(folder, name, Secret(f"{declaration.user}:{hashed}"))
    made = write(folder, name, password())
    _fresh_mark(folder, name).touch(0o600)
    return made


def look(folder: Path, name: str, declarations: Mapping[str, Declaration]) -> Secret:
    """As `get`, but nothing is written: what would be made is `unmade`."""
    declaration = declarations.get(name, Declaration())
    found = read(file(folder, name))
    if declaration.htpasswd:
        # The hash alone serves where its password is kept elsewhere: the swarm has no more than that either.
        if found and not file(folder, declaration.htpasswd).exists():
            return found
        # Kept as a file because a fresh salt would be a new version at every deploy.
        plain = look(folder, declaration.htpasswd, declarations)
        return found if found and _known_to_fit(folder, name, declaration, found, plain) else unmade(name)
    if found is not None:
        return found
    if declaration.generate is None:
        raise SecretMissing(
            f"The secret {name} is not given.",
            hint=f"Write it to {file(folder, name)} (see {name}.secret.example), or ./run secret.import {name} FILE; "
            f"where services use it already: ./run secret.fetch {name}",
        )
    return unmade(name)


def unmade(name: str) -> Secret:
    """What stands for a secret that is made when it is needed."""
    return Secret(f"{name} is made by a deploy")


def file(folder: Path, name: str) -> Path:
    """Where the operator keeps a secret."""
    return folder / f"{name}.secret"


def kept(folder: Path, name: str) -> Path:
    """Where a secret's former content is kept while another is being brought to the services; `~` is in no name."""
    return folder / f".{name}~.secret"


def read(path: Path) -> Secret | None:
    """The content of a secret's file, or None when there is no file; raises SecretMissing for an empty one."""
    if not path.exists():
        return None
    try:
        text = stripped(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise SecretMissing(f"{path} cannot be read: {error}") from error
    if not text:
        raise SecretMissing(f"{path} is empty.", hint="Write the secret into it, or remove the file.")
    return Secret(text)


def stripped(text: str) -> str:
    """A text without its one trailing newline, which editors add and no secret means."""
    return text[:-1].removesuffix("\r") if text.endswith("\n") else text


def password(length: int = PASSWORD_LENGTH) -> Secret:
    """A new random password of letters and digits; raises SecretRefused for a length that is none."""
    if length not in PASSWORD_LENGTHS:
        raise SecretRefused(f"A password has {PASSWORD_LENGTHS[0]} to {PASSWORD_LENGTHS[-1]} characters, not {length}.")
    return Secret("".join(random.choice(LETTERS) for _ in range(length)))


def given(name: str, content: bytes, declaration: Declaration) -> Secret:
    """What somebody gives as a secret, without its trailing newline; raises SecretRefused for what cannot be one."""
    try:
        text = stripped(content.decode())
    except UnicodeDecodeError:
        raise SecretRefused(f"What was given for {name} is no UTF-8 text.") from None
    if not text:
        raise SecretRefused(f"What was given for {name} is empty.")
    if len(content) > LARGEST_BYTES:
        raise SecretRefused(f"What was given for {name} has {len(content)} bytes; Swarm takes {LARGEST_BYTES}.")
    if declaration.generate == "password" and set(text) & set("\r\n\0"):
        raise SecretRefused(f"What was given for {name} has more than one line; a password has one.")
    return Secret(text)


def write(folder: Path, name: str, secret: Secret) -> Secret:
    """Put a secret into its file, at once and whole, for its owner alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
        write_atomically(file(folder, name), f"{secret.reveal()}\n", OWNER_ONLY)
        settle(folder, name)
    except OSError as error:
        raise SecretRefused(f"{file(folder, name)} cannot be written: {error.strerror}.") from error
    return secret


def fresh(folder: Path, name: str) -> bool:
    """Whether a secret's file was generated by a deploy from here, and the swarm is not known to have it yet."""
    return _fresh_mark(folder, name).exists() and file(folder, name).exists()


def settle(folder: Path, name: str) -> None:
    """Note that the swarm has a secret, or that its content is meant: it is `fresh` no longer."""
    _fresh_mark(folder, name).unlink(missing_ok=True)


def _fresh_mark(folder: Path, name: str) -> Path:
    """The empty file that marks a fresh secret; `~` is in no name."""
    return folder / f".{name}~.fresh"


def keep(folder: Path, name: str) -> None:
    """Keep a secret's file as it is beside it; of one that is not there, that it is not."""
    path = file(folder, name)
    kept(folder, name).unlink(missing_ok=True)
    if path.exists():
        write_atomically(kept(folder, name), path.read_bytes(), OWNER_ONLY)


def restore(folder: Path, name: str) -> None:
    """Put back what was kept."""
    if kept(folder, name).exists():
        kept(folder, name).replace(file(folder, name))
    else:
        file(folder, name).unlink(missing_ok=True)


@lru_cache(maxsize=64)
def fits(users: Secret, declaration: Declaration, secret: Secret) -> bool:
    """Whether a users file holds the declared user with this password."""
    user, _, hashed = users.reveal().partition(":")
    try:
        return user == declaration.user and bcrypt.checkpw(secret.reveal().encode(), hashed.encode())
    except ValueError:
        return False


def _known_to_fit(folder: Path, name: str, declaration: Declaration, users: Secret, secret: Secret) -> bool:
    """As `fits`, asked once for the same two files."""
    files = [file(folder, name), file(folder, str(declaration.htpasswd))]
    question = f"bcrypt of {name} for {declaration.user}"
    return cached(question, files, lambda: str(fits(users, declaration, secret))) == str(True)


def _close(folder: Path, name: str) -> None:
    """Make a secret's file its owner's alone."""
    path = file(folder, name)
    if path.exists() and path.stat().st_mode & 0o077:
        path.chmod(OWNER_ONLY)
