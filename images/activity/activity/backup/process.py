"""The only place of the service that starts processes: the tools of Postgres and pgBackRest."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from activity.errors import BackupFailed
from activity.secret import Secret

SHOWN_LINES = 8


def run(
    argv: Sequence[str],
    environ: Mapping[str, str] | None = None,
    *,
    descriptors: Sequence[int] = (),
    seconds: float | None = None,
) -> str:
    """Run a command to its end and return what it wrote; BackupFailed has its last lines when it ends badly.

    One that takes longer than `seconds` is killed: TimeoutError.
    """
    try:
        done = subprocess.run(
            list(argv),
            env={**os.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            pass_fds=tuple(descriptors),
            text=True,
            errors="replace",
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"{argv[0]} was still running after {error.timeout:.0f} s.") from error
    except OSError as error:
        raise BackupFailed(f"{argv[0]} could not be started: {error.strerror}.") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-SHOWN_LINES:]
        raise BackupFailed("\n".join((f"{argv[0]} exited with {done.returncode}:", *(f"  {line}" for line in said))))
    return done.stdout


@contextmanager
def started(argv: Sequence[str], log: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process for the length of a block, which has to end it; what it writes goes to a file."""
    with open(log, "ab") as target:
        process = subprocess.Popen(list(argv), stdin=subprocess.DEVNULL, stdout=target, stderr=target)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@contextmanager
def password_file(password: Secret) -> Iterator[tuple[int, dict[str, str]]]:
    """A password where libpq finds it: a file in memory alone, gone with the block; (descriptor, environment)."""
    descriptor = os.memfd_create("pgpass")
    try:
        escaped = password.reveal().replace("\\", "\\\\").replace(":", "\\:")
        os.write(descriptor, f"*:*:*:*:{escaped}\n".encode())
        os.fchmod(descriptor, 0o600)
        yield descriptor, {"PGPASSFILE": f"/proc/self/fd/{descriptor}", "PGCONNECT_TIMEOUT": "10"}
    finally:
        os.close(descriptor)
