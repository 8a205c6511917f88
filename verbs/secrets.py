"""secret.*: secrets in files and in the swarm."""

from dataclasses import asdict
from pathlib import Path

from invoke import Context

from swarm.errors import ArgumentInvalid
from verbs.base import DRY, ENV, JSON, REPORT, SHELL, WAIT, session, verb

FROM = "a file with the content, or - for standard input"
# As swarm.settings.secrets has it, which takes a tenth of a second to import; a unit test compares the two.
PASSWORD_LENGTH = 32


@verb(positional=["name"], help={"name": "e.g. traefik-admin", "env": ENV, "json": JSON})
def show(_: Context, name: str, env: str = "", json: bool = False) -> None:
    """Print the value of a secret from its file."""
    from swarm.secrets import edit
    from swarm.settings.environment import load

    content = edit.content(load(env), name).reveal()
    if json:
        REPORT.data({"name": name, "content": content})
        return
    REPORT.text(content)


@verb(
    positional=["name"],
    help={
        "name": "e.g. ro-user-password",
        "env": ENV,
        "force": "overwrite the existing file",
        "length": "characters",
        "dry": DRY,
    },
)
def generate(
    _: Context, name: str, env: str = "", force: bool = False, length: int = PASSWORD_LENGTH, dry: bool = False
) -> None:
    """Write a new password to a secret's file. The next deploy uses it."""
    from swarm.secrets import edit
    from swarm.settings.environment import load

    _written(edit.generate(load(env), name, force=force, length=length, dry=dry), dry)


@verb(
    positional=["name", "file"],
    help={"name": "e.g. ro-user-password", "file": FROM, "env": ENV, "dry": DRY},
    name="import",
)
def import_(_: Context, name: str, file: str | None = None, env: str = "", dry: bool = False) -> None:
    """Write a file or standard input to a secret's file. The next deploy uses it."""
    from swarm.secrets import edit
    from swarm.settings.environment import load

    environment = load(env)
    _written(edit.import_(environment, name, edit.source(file or "-", name, REPORT), dry=dry), dry)


@verb(
    positional=["name"],
    help={
        "name": "e.g. ro-user-password (default: every secret whose file is missing)",
        "env": ENV,
        "force": "replace a file that differs from the swarm",
        "dry": DRY,
    },
)
def fetch(_: Context, name: str | None = None, env: str = "", force: bool = False, dry: bool = False) -> None:
    """Copy secrets from the swarm to local files. Values are never shown."""
    from swarm.secrets import fetch as fetching
    from swarm.settings.environment import load

    fetching.fetch(session(load(env)), name or "", force=force, dry=dry)


@verb(positional=["name"], help={"name": "e.g. ro-user-password, or all", "env": ENV, "dry": DRY})
def encrypt(_: Context, name: str, env: str = "", dry: bool = False) -> None:
    """Encrypt local secrets for everyone in recipients.txt, and remove the plain files."""
    from swarm.secrets import edit
    from swarm.settings.environment import load, relative

    done = [relative(path) for path in edit.encrypt(load(env), name, dry=dry)]
    if dry:
        REPORT.would([f"encrypt {path}" for path in done], "")
    for path in () if dry else done:
        REPORT.line(f"Encrypted {path}.")


@verb(help={"env": ENV, "json": JSON}, name="list")
def list_(_: Context, env: str = "", json: bool = False) -> None:
    """List secrets: source, users, and whether file and swarm agree. Values are never shown."""
    from swarm.nodes import manager
    from swarm.secrets import inventory
    from swarm.settings.environment import load

    environment = load(env)
    rows = inventory.rows(environment, manager.find(environment, SHELL))
    if json:
        REPORT.data([asdict(row) for row in rows])
        return
    columns = ("SECRET", "SOURCE", "USED BY", "FILE", "IN THE SWARM (* in use)", "STATE")
    REPORT.table(columns, ((row.name, row.origin, row.users, row.file, row.swarm, row.state) for row in rows))


@verb(
    positional=["name"],
    help={
        "name": "e.g. ro-user-password",
        "env": ENV,
        "from": FROM,
        "lock-timeout": WAIT,
        "dry": "only print which services would restart",
        "json": "with --dry, print JSON",
    },
)
def rotate(
    _: Context,
    name: str,
    env: str = "",
    from_: str = "",
    dry: bool = False,
    lock_timeout: int = 600,
    json: bool = False,
) -> None:
    """Change a secret and restart its services, stack by stack."""
    from swarm.secrets import edit
    from swarm.secrets import rotate as rotation
    from swarm.settings.environment import load

    environment = load(env)
    if json and not dry:
        hint = f"./run secret.rotate {name} --dry --json"
        raise ArgumentInvalid("--json requires --dry.", hint=hint)
    content = edit.source(from_, name, REPORT) if from_ else None
    connected = session(environment)
    if json:
        REPORT.data(rotation.preview(connected, name, content).as_json())
        return
    rotation.rotate(connected, name, content, dry=dry, lock_timeout=lock_timeout)


def _written(path: Path, dry: bool) -> None:
    from swarm.settings.environment import relative

    if dry:
        REPORT.would([f"write {relative(path)}"], "")
    else:
        REPORT.line(f"Wrote {relative(path)}. The next deploy brings it to the services.")
