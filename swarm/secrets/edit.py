"""The operator's own secrets: make one, write down one that is given, look at one.

No content goes anywhere but to its file.
"""

from pathlib import Path

from swarm.errors import Locked, SecretMissing, SecretRefused, UnknownName
from swarm.host.folder_lock import lock_folder
from swarm.report import Report
from swarm.settings import secrets
from swarm.settings.environment import Environment, relative
from swarm.settings.secrets import Declaration, Secret
from swarm.stacks import manifest

BCRYPT_BYTES = 72
EVERY = "all"


def source(path: str, name: str, report: Report) -> bytes:
    """What a file holds, or what is piped in for `-` or nothing; raises SecretMissing."""
    if path in ("", "-"):
        return report.given(name)
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SecretMissing(f"{path}: {error.strerror}.") from error


def generate(
    environment: Environment,
    name: str,
    *,
    force: bool = False,
    length: int = secrets.PASSWORD_LENGTH,
    dry: bool = False,
) -> Path:
    """Write a new password into the operator's own file; raises SecretRefused where there is one, unless forced."""
    declaration = declared(name)
    if declaration.generate is None:
        raise SecretRefused(f"{name} cannot be generated.", hint=f"./run secret.import {name} FILE")
    path = secrets.file(environment.secrets, name)
    made = fitting(name, secrets.password(length))
    if path.exists() and not force:
        raise SecretRefused(
            f"{relative(path)} already exists.",
            hint=f"./run secret.rotate {name} changes it and restarts its users; --force overwrites the file.",
        )
    secrets.require_writable(environment.secrets, name)
    if not dry:
        secrets.write(environment.secrets, name, made)
    return secrets.destination(environment.secrets, name)


def import_(environment: Environment, name: str, content: bytes, *, dry: bool = False) -> Path:
    """Write what was given into the operator's own file."""
    wanted = fitting(name, secrets.given(name, content, declared(name)))
    secrets.require_writable(environment.secrets, name)
    if not dry:
        secrets.write(environment.secrets, name, wanted)
    return secrets.destination(environment.secrets, name)


def encrypt(environment: Environment, name: str, *, dry: bool = False) -> list[Path]:
    """Encrypt a secret, or `all`, for the present recipients; the encrypted files.

    Everything is checked before anything is written. Raises UnknownName, SecretMissing where there is nothing to
    encrypt, SecretRefused, SecretNotDecrypted, and Locked during a rotation.
    """
    known, folder = manifest.declarations(), environment.secrets
    if name != EVERY and name not in known:
        raise UnknownName("secret", name, known)
    names = sorted(known) if name == EVERY else [name]
    there = [one for one in names if secrets.encrypt(folder, one, dry=True)]
    if not there:
        raise SecretMissing(f"There is no file to encrypt in {relative(folder)}.", hint="./run secret.list")
    if not dry:
        with lock_folder(folder, lambda: _busy(folder)):
            for one in there:
                secrets.encrypt(folder, one)
    return [secrets.destination(folder, one) for one in there]


def _busy(folder: Path) -> None:
    raise Locked(f"A rotation of secrets in {relative(folder)} is running.", hint="Wait until it has finished.")


def content(environment: Environment, name: str) -> Secret:
    """What the operator's own file holds; raises UnknownName, or SecretMissing for one that is yet to be made."""
    known = manifest.declarations()
    if name not in known:
        raise UnknownName("secret", name, known)
    found = secrets.look(environment.secrets, name, known)
    if found == secrets.unmade(name):
        raise SecretMissing(
            f"{relative(secrets.file(environment.secrets, name))} is missing.",
            hint="The first deploy of a stack that uses it generates it. Where one was deployed from another checkout: "
            f"copy the file, or ./run secret.fetch {name}",
        )
    return found


def declared(name: str) -> Declaration:
    """The declaration of a secret that may be written."""
    known = manifest.declarations()
    if name not in known:
        raise UnknownName("secret", name, known)
    if base := known[name].htpasswd:
        raise SecretRefused(
            f"{name} is derived from {base} whenever that changes.", hint=f"./run secret.rotate {base} changes both."
        )
    return known[name]


def derived(name: str) -> tuple[str, ...]:
    """The secrets that are made from this one."""
    return tuple(other for other, how in manifest.declarations().items() if how.htpasswd == name)


def fitting(name: str, secret: Secret) -> Secret:
    """The secret, if what is derived from it takes one so long; raises SecretRefused."""
    if (others := derived(name)) and len(secret.reveal().encode()) > BCRYPT_BYTES:
        raise SecretRefused(f"{others[0]} is a hash of {name}, which may have {BCRYPT_BYTES} bytes for that.")
    return secret
