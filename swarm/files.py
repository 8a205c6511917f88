"""Files that are there whole or not at all, even if we are killed while we write them."""

import os
from pathlib import Path
from uuid import uuid4


def write_atomically(path: Path, content: str | bytes, mode: int | None = None) -> None:
    """Replace a file, or make it; raises OSError, and then the file is as it was.

    It has the permissions `mode` from its first byte on, whatever the umask; without `mode` those of any new file.
    """
    data = content.encode() if isinstance(content, str) else content
    # The name ends like the file's own, so that git ignores a draft of what it ignores.
    draft = path.with_name(f".{uuid4().hex}.{path.name}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode)
        with open(descriptor, "wb") as target:
            if mode is not None:
                os.fchmod(descriptor, mode)
            target.write(data)
            target.flush()
            os.fsync(descriptor)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
