"""The use case fetch: secrets come from the swarm back into the operator's own files.

Swarm's API never gives the content of a secret. A running task that mounts it does: by `exec` through the API of its
node's engine, else by a job that mounts it too and writes it encrypted. Only what fits the name of its version, which
holds a slow hash of the content, is written; no content is printed.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from swarm.containers import exec, jobs, secret_agent
from swarm.containers.job_spec import Job
from swarm.deploy import missing_secrets
from swarm.engine.client import Engine
from swarm.engine.refusals import REFUSALS
from swarm.errors import (
    CommandFailed,
    DeadlinePassed,
    EngineUnavailable,
    JobFailed,
    Locked,
    NodeFailed,
    SecretMissing,
    SecretNotFetched,
    SecretRefused,
    StackInvalid,
    UnknownName,
)
from swarm.host.folder_lock import lock_folder
from swarm.secrets import edit, inventory
from swarm.session import Session
from swarm.settings import secrets
from swarm.settings.environment import Environment, relative
from swarm.settings.secrets import Secret
from swarm.stacks import images, manifest, versions

MOUNTS = "/run/secrets"
IMAGE = "activity"
# So many services are asked for the same secret before a job is started.
ATTEMPTS = 3
# Docker now and then loses the output of a command that ends at once; then it is read again, so many times in all.
READS = 3
JOB_SECONDS = 120.0

# Secret -> its versions in the swarm, oldest first -> full names of the services that use each.
Held = Mapping[str, Mapping[str, Sequence[str]]]


@dataclass(frozen=True)
class Wanted:
    """A secret to fetch, and the version of it that counts: the newest in use, else the newest."""

    name: str
    version: str


def fetch(session: Session, name: str, *, force: bool = False, dry: bool = False) -> None:
    """Write a secret, or without a name all whose files are missing, into the operator's own files.

    Raises UnknownName, SecretMissing where the swarm has no version, SecretRefused over a file that differs, and
    SecretNotFetched for what could not be read; everything else is written even then.
    """
    environment, engine, report = session.environment, session.engine, session.report
    held = inventory.versions_in_swarm(engine)
    names = _named(name, held) if name else _missing(environment, engine)
    for source in sorted(_sources_without_a_version(environment, name, names, held)):
        report.line(f"{source} itself is not in the swarm, only its hash: enough to deploy, not to sign in.")
    wanted = [Wanted(one, _newest(held[one])) for one in names]
    if name:
        wanted = [one for one in wanted if _to_be_written(environment, one, force=force)]
    if not wanted:
        report.line("Nothing to fetch: all files match the swarm." if name else "Nothing to fetch.")
        return
    for one in wanted:
        secrets.require_writable(environment.secrets, one.name)
    if dry:
        report.would((f"write {relative(_destination(environment, one))}, as in {one.version}" for one in wanted), "")
        return
    with lock_folder(environment.secrets, lambda: _busy(environment)):
        _bring(session, wanted)


def _busy(environment: Environment) -> None:
    raise Locked(
        f"A rotation of secrets in {relative(environment.secrets)} is running.", hint="Wait until it has finished."
    )


def _bring(session: Session, wanted: Sequence[Wanted]) -> None:
    """Read secrets, from running tasks and then by one job for the rest, and write each that is right."""
    environment, engine = session.environment, session.engine
    found = from_tasks(environment, wanted, engine)
    rest = [one for one in wanted if one.name not in found]
    reason = ""
    if rest:
        try:
            found = {**found, **by_job(environment, rest, engine)}
        except (JobFailed, DeadlinePassed, StackInvalid) as error:
            reason = f" {error.message}"
    for one in wanted:
        if content := found.get(one.name):
            secrets.write(environment.secrets, one.name, content)
            session.report.line(f"Wrote {relative(_destination(environment, one))}, as in {one.version}.")
    if lacking := [one.name for one in wanted if one.name not in found]:
        raise SecretNotFetched(
            f"Could not be read from the swarm: {', '.join(lacking)}.{reason}",
            hint="Copy the files from the checkout that has them; ./run secret.rotate NAME sets a new password.",
        )


def from_tasks(environment: Environment, wanted: Iterable[Wanted], engine: Engine) -> dict[str, Secret]:
    """What running tasks that mount these secrets have, of nodes whose engines answer; checked by name."""
    users = _mounts(engine)
    found: dict[str, Secret] = {}
    for one in wanted:
        for service, path in users.get(one.version, ())[:ATTEMPTS]:
            content = _checked(one, _read(environment, engine, service, path))
            if content:
                found[one.name] = content
                break
    return found


def _read(environment: Environment, engine: Engine, service: str, path: str) -> bytes:
    """The content of a file in a running task of a service; nothing where that cannot be had."""
    said: list[bytes] = []
    with suppress(CommandFailed, NodeFailed, UnknownName, EngineUnavailable, *REFUSALS):
        place = exec.find(environment, engine, service)
        for _ in range(READS):
            code = exec.run_at(place, service, ("cat", path), said.append, complain=lambda _: None)
            if said or code:
                return b"" if code else b"".join(said)
    return b""


def by_job(environment: Environment, wanted: Sequence[Wanted], engine: Engine) -> dict[str, Secret]:
    """What a job that mounts these secrets reads; checked by name. Raises JobFailed or DeadlinePassed."""
    key = os.urandom(32)
    paths = {one.name: f"{MOUNTS}/{one.name}" for one in wanted}
    message = json.dumps({"key": key.hex(), "paths": list(paths.values())})
    job = Job(
        image=_image(environment, engine),
        command=("python3", "-c"),
        arguments=(Path(secret_agent.__file__).read_text(),),
        files={secret_agent.MESSAGE: message.encode()},
        secrets={paths[one.name]: one.version for one in wanted},
        deadline=JOB_SECONDS,
    )
    ended = jobs.run_once(engine, "secret-fetch", job)
    if ended.code:
        raise JobFailed(f"The job that reads secrets failed: {ended.failure}")
    try:
        contents = secret_agent.read(key, ended.output)
    except ValueError:
        # Docker now and then loses the output of a container that ends at once.
        raise JobFailed("The output of the job that reads secrets is incomplete.", hint="Run it again.") from None
    checked = {one.name: _checked(one, contents.get(paths[one.name], b"")) for one in wanted}
    return {name: content for name, content in checked.items() if content}


def _checked(wanted: Wanted, content: bytes) -> Secret | None:
    """The content as a secret, if it is what the name of its version says."""
    try:
        secret = Secret(content.decode())
    except UnicodeDecodeError:
        return None
    return secret if content and versions.secret_name(wanted.name, secret) == wanted.version else None


def _named(name: str, held: Held) -> list[str]:
    """The secrets to fetch for a name: itself, or where the swarm has only hashes of it, those."""
    known = manifest.declarations()
    if name not in known:
        raise UnknownName("secret", name, known)
    names = [one for one in (name, *edit.derived(name)) if held.get(one)]
    if not names:
        raise SecretMissing(
            f"The swarm has no version of {name}.", hint=f"./run secret.generate {name}, or ./run secret.import {name}"
        )
    return names


def _missing(environment: Environment, engine: Engine) -> list[str]:
    return list(missing_secrets.complaints(environment, sorted(manifest.declarations()), engine))


def _sources_without_a_version(environment: Environment, name: str, names: Iterable[str], held: Held) -> set[str]:
    """Passwords of which the swarm has only a hash that is fetched, and no file is here."""
    known = manifest.declarations()
    sources = {source for one in names if (source := known[one].htpasswd)}
    absent = {one for one in sources if not secrets.file(environment.secrets, one).exists()}
    return {one for one in absent if not held.get(one) and name in ("", one, *edit.derived(one))}


def _newest(mine: Mapping[str, Sequence[str]]) -> str:
    """The newest version that services use, else the newest."""
    in_use = [version for version, services in mine.items() if services]
    return (in_use or list(mine))[-1]


def _to_be_written(environment: Environment, wanted: Wanted, *, force: bool) -> bool:
    """Whether a file has to be written; raises SecretRefused for one that differs and was meant by the operator."""
    folder, name = environment.secrets, wanted.name
    content = secrets.read(_file(environment, wanted))
    if content is None:
        return True
    if versions.secret(_file(environment, wanted), name, content).name == wanted.version:
        return False
    if force or secrets.fresh(folder, name):
        return True
    raise SecretRefused(
        f"{relative(_file(environment, wanted))} exists and differs from {wanted.version}.",
        hint="--force overwrites it with the swarm's version; ./run deploy STACK brings the file to the swarm.",
    )


def _file(environment: Environment, wanted: Wanted) -> Path:
    return secrets.file(environment.secrets, wanted.name)


def _destination(environment: Environment, wanted: Wanted) -> Path:
    return secrets.destination(environment.secrets, wanted.name)


def _mounts(engine: Engine) -> dict[str, list[tuple[str, str]]]:
    """Version of a secret -> (service, path in its tasks) of everything that mounts it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for service in engine.services.list():
        container = service["Spec"]["TaskTemplate"].get("ContainerSpec") or {}
        for item in container.get("Secrets") or ():
            path = str((item.get("File") or {}).get("Name") or item["SecretName"])
            absolute = path if path.startswith("/") else f"{MOUNTS}/{path}"
            found.setdefault(str(item["SecretName"]), []).append((str(service["Spec"]["Name"]), absolute))
    return found


def _image(environment: Environment, engine: Engine) -> str:
    """The service's image as one of its services runs it, which nodes have; else as it would be deployed."""
    wanted = images.image(environment, IMAGE).reference
    name = wanted.rpartition(":")[0]
    running = (str(item["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]) for item in engine.services.list())
    return next((image for image in running if image.startswith(f"{name}:")), wanted)
