"""Who changes stacks: the name under which a lock is held and a release is made."""

import getpass
import os


def name() -> str:
    """The user's name; `uid 1234` for one that no list of users has, as in a container under another number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
