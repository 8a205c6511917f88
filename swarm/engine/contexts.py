"""Docker contexts as the docker client keeps them: one folder each, named by the hash of the context's name.

The SDK's own reader finds none where there is no config.json, which `docker context create` does not write.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from docker.tls import TLSConfig

from swarm.errors import EngineUnavailable


@dataclass(frozen=True)
class DockerContext:
    """Where a context's engine is, and how to prove who we are there."""

    host: str
    tls: TLSConfig | None


def find(name: str, process: Mapping[str, str] = os.environ) -> DockerContext:
    """One context by name; raises EngineUnavailable with the names there are."""
    folder = Path(process.get("DOCKER_CONFIG") or Path.home() / ".docker") / "contexts"
    known = {}
    for file in folder.glob("meta/*/meta.json"):
        meta = json.loads(file.read_text())
        known[meta["Name"]] = (file.parent.name, meta["Endpoints"]["docker"])
    if name not in known:
        raise EngineUnavailable(
            f'No docker context "{name}".',
            hint=f"Contexts: {', '.join(sorted(known)) or 'none'}. "
            f"Create one: docker context create {name} --docker host=ssh://...",
        )
    identity, endpoint = known[name]
    verify = not endpoint.get("SkipTLSVerify", False)
    return DockerContext(endpoint["Host"], _tls(folder / "tls" / identity / "docker", verify))


def _tls(folder: Path, verify: bool) -> TLSConfig | None:
    authority, certificate, key = (folder / f"{part}.pem" for part in ("ca", "cert", "key"))
    if not folder.is_dir():
        return None
    return TLSConfig(
        client_cert=(str(certificate), str(key)) if certificate.exists() else None,
        ca_cert=str(authority) if authority.exists() else None,
        verify=verify,
    )
