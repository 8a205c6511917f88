"""Operators with age identities."""

from pathlib import Path

from pyrage import x25519


class Operator:
    """Somebody with an identity in a file."""

    def __init__(self, folder: Path, name: str) -> None:
        made = x25519.Identity.generate()
        self.public = str(made.to_public())
        self.private = str(made)
        self.identity = folder / f"{name}.txt"
        self.identity.write_text(f"# {name}\n{self.private}\n")


def share(folder: Path, *operators: Operator) -> None:
    """Name those who can read the secrets of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{one.public}\n" for one in operators)
    (folder / "recipients.txt").write_text(f"# operators\n\n{lines}")
