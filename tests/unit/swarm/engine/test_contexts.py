import json
from pathlib import Path

import pytest

from swarm.engine import contexts
from swarm.errors import EngineUnavailable


def write(home: Path, name: str, host: str) -> Path:
    folder = home / "contexts/meta" / f"hash-of-{name}"
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(
        json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}})
    )
    return folder


def test_a_context_is_found_where_the_docker_client_keeps_it(tmp_path: Path) -> None:
    write(tmp_path, "far", "ssh://ada@far.example.test")
    found = contexts.find("far", {"DOCKER_CONFIG": str(tmp_path)})
    assert (found.host, found.tls) == ("ssh://ada@far.example.test", None)


def test_the_certificates_of_a_context_are_used(tmp_path: Path) -> None:
    write(tmp_path, "far", "tcp://far.example.test:2376")
    folder = tmp_path / "contexts/tls/hash-of-far/docker"
    folder.mkdir(parents=True)
    for part in ("ca", "cert", "key"):
        (folder / f"{part}.pem").write_text("")
    tls = contexts.find("far", {"DOCKER_CONFIG": str(tmp_path)}).tls
    assert tls is not None
    assert (tls.cert, tls.ca_cert) == ((str(folder / "cert.pem"), str(folder / "key.pem")), str(folder / "ca.pem"))


def test_a_context_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    write(tmp_path, "far", "ssh://far")
    with pytest.raises(EngineUnavailable, match='No docker context "fra"') as caught:
        contexts.find("fra", {"DOCKER_CONFIG": str(tmp_path)})
    assert "Contexts: far." in caught.value.hint
