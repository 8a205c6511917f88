"""Secrets encrypted for several people, in the format of age (https://age-encryption.org/v1).

Plain text is in memory only. What is encrypted here is decrypted again before it is used, so that an operator never
replaces a secret with a file that they cannot read.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import pyrage
from pyrage import x25519

from swarm.errors import SecretNotDecrypted, SecretRefused

RECIPIENTS = "recipients.txt"
IDENTITY_VARIABLE = "SWARMSTATS_AGE_IDENTITY"
# Below the folder of a user's settings; the second is where sops keeps its keys.
USUAL_PLACES = ("swarmstats/age-identity.txt", "sops/age/keys.txt")
ADVICE = "Ask an operator who can read it to add your public key to {recipients}, then ./run secret.encrypt all"


def encrypt(text: str, recipients: Path) -> bytes:
    """The text for all of these recipients, in ASCII.

    Raises SecretRefused for an invalid list of recipients, and SecretNotDecrypted where we could not read it.
    """
    encrypted = pyrage.encrypt(text.encode(), _recipients(recipients), armored=True)
    try:
        decrypted = pyrage.decrypt(encrypted, _identities())
    except pyrage.DecryptError:
        raise SecretNotDecrypted(
            f"{recipients} does not contain your public key: you could not decrypt what you encrypt.",
            hint="Add the public key of your identity to it (age-keygen -y IDENTITY prints the key).",
        ) from None
    if decrypted != text.encode():
        raise SecretNotDecrypted(
            f"Encrypting for {recipients} failed: decrypting gives different content.", hint="Run it again."
        )
    return bytes(encrypted)


def decrypt(path: Path) -> str:
    """The content of an encrypted file; raises SecretNotDecrypted, or OSError where the file cannot be read."""
    encrypted, identities = path.read_bytes(), _identities(path)
    try:
        return bytes(pyrage.decrypt(encrypted, identities)).decode()
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            advice = ADVICE.format(recipients=path.with_name(RECIPIENTS))
            raise SecretNotDecrypted(
                f"{path} is encrypted, but not for the identity in {_place()}.", hint=advice
            ) from None
        raise SecretNotDecrypted(f"{path} is damaged: {error}.", hint="Restore it from git.") from None
    except UnicodeDecodeError:
        raise SecretNotDecrypted(f"{path} does not contain UTF-8 text.") from None


def _identities(path: Path | None = None) -> list[x25519.Identity]:
    """The keys of the operator's identity file; raises SecretNotDecrypted where there is none."""
    place = _place()
    what = f"{path} is encrypted, but" if path else "Secrets are encrypted here, but"
    if place is None:
        raise SecretNotDecrypted(
            f"{what} no age identity was found to decrypt with.",
            hint=f"Set {IDENTITY_VARIABLE} to the file of your identity, or put it at {_usual()[0]}; "
            "age-keygen -o FILE creates one. Its public key belongs in recipients.txt.",
        )
    lines = _lines(place)
    try:
        found = [x25519.Identity.from_str(line) for line in lines.values()]
    except pyrage.IdentityError:
        # The line may be a key with an error: it is not shown.
        found = []
    if not found:
        raise SecretNotDecrypted(
            f"{place} is not a valid age identity.",
            hint="It needs a line AGE-SECRET-KEY-1..., as age-keygen writes it.",
        )
    return found


def _recipients(path: Path) -> list[x25519.Recipient]:
    """The public keys that a file lists; raises SecretRefused with the line that is none."""
    found = []
    for number, line in _lines(path).items():
        try:
            found.append(x25519.Recipient.from_str(line))
        except pyrage.RecipientError:
            # It may be a secret key by mistake: it is not shown.
            raise SecretRefused(
                f"{path}:{number}: not a valid age public key.",
                hint="One key per line: age1..., as age-keygen -y prints it.",
            ) from None
    if not found:
        raise SecretRefused(f"{path} lists no recipients.", hint="Add age public keys, one per line: age1...")
    return found


def _lines(path: Path) -> Mapping[int, str]:
    """The lines of a file by number, without comments and empty ones."""
    try:
        lines = [line.strip() for line in path.read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SecretNotDecrypted(f"{path} cannot be read: {reason}.") from None
    return {number: line for number, line in enumerate(lines, 1) if line and not line.startswith("#")}


def _place() -> Path | None:
    """The identity's file: the one that is named, else the first of the usual ones that exists."""
    if named := os.environ.get(IDENTITY_VARIABLE):
        return Path(named).expanduser()
    return next((path for path in _usual() if path.exists()), None)


def _usual() -> list[Path]:
    home = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    return [home / name for name in USUAL_PLACES]
