"""Configs and secrets of the swarm, raw. Their content cannot change; their labels can."""

import http
from base64 import b64decode
from collections.abc import Collection, Mapping

import docker
import docker.errors

from swarm.engine import wire
from swarm.engine.refusals import OUT_OF_SEQUENCE, REFUSALS
from swarm.engine.wire import Spec, Specs
from swarm.errors import StackInvalid

LABEL_ATTEMPTS = 3


class Configs:
    """The configs of a swarm; every method speaks to a manager."""

    def __init__(self, sdk: docker.DockerClient) -> None:
        self._sdk = sdk

    def list(self, label: str | None = None) -> Specs:
        """All configs, or those with a label (`key` or `key=value`)."""
        return [dict(config) for config in self._sdk.api.configs(filters=wire.filters(label=label))]

    def get(self, name: str) -> Spec | None:
        """One config by its exact name, or None."""
        found = self._sdk.api.configs(filters={"name": name})
        return next((dict(item) for item in found if item["Spec"]["Name"] == name), None)

    def exists(self, identity: str) -> bool:
        """Whether a config of this id exists."""
        try:
            self._sdk.api.inspect_config(identity)
        except docker.errors.NotFound:
            return False
        return True

    def create(self, name: str, content: bytes, labels: Mapping[str, str]) -> str:
        """Create a config and return its id; one that exists with this content is fine."""
        try:
            return str(self._sdk.configs.create(name=name, data=content, labels=dict(labels)).id)
        except docker.errors.APIError as error:
            found = self.get(name) if error.status_code == http.HTTPStatus.CONFLICT else None
            if found and b64decode(found["Spec"].get("Data") or "") == content:
                return str(found["ID"])
            raise StackInvalid(f"config {name}: {error.explanation}") from error

    def claim(self, name: str, labels: Mapping[str, str]) -> str | None:
        """Create an empty config and return its id; None when the name exists, since the managers accept only one."""
        try:
            return str(self._sdk.configs.create(name=name, data=b" ", labels=dict(labels)).id)
        except docker.errors.APIError as error:
            if error.status_code == http.HTTPStatus.CONFLICT:
                return None
            raise

    def touch(self, identity: str) -> bool:
        """Write a config's own labels again, which moves its UpdatedAt; False when the config does not exist."""
        try:
            found = self._sdk.api.inspect_config(identity)
            self._write(found, found["Spec"])
        except docker.errors.NotFound:
            return False
        return True

    def label(self, identity: str, labels: Mapping[str, str], gone: Collection[str] = ()) -> None:
        """Set labels of a config and drop those in `gone`; all others stay.

        A manager that was lost after it had written them refuses the same request again: then they are written again.
        """
        for attempt in range(1, LABEL_ATTEMPTS + 1):
            found = self._sdk.api.inspect_config(identity)
            kept = {key: value for key, value in (found["Spec"].get("Labels") or {}).items() if key not in gone}
            try:
                self._write(found, {**found["Spec"], "Labels": {**kept, **labels}})
                return
            except docker.errors.APIError as error:
                if attempt == LABEL_ATTEMPTS or OUT_OF_SEQUENCE not in str(error):
                    raise

    def discard(self, identity: str) -> bool:
        """Remove a config; False when it is in use, does not exist, or the engine does not answer."""
        try:
            self._sdk.configs.get(identity).remove()
        except REFUSALS:
            return False
        return True

    def _write(self, found: Spec, spec: Spec) -> None:
        wire.post(self._sdk, f"/configs/{found['ID']}/update", spec, params={"version": found["Version"]["Index"]})


class Secrets:
    """The secrets of a swarm; every method speaks to a manager, which never gives their content."""

    def __init__(self, sdk: docker.DockerClient) -> None:
        self._sdk = sdk

    def list(self) -> Specs:
        """All secrets, without their content."""
        return [dict(secret.attrs) for secret in self._sdk.secrets.list()]

    def create(self, name: str, content: bytes, labels: Mapping[str, str]) -> None:
        """Create a secret, over the API only; one that exists keeps its content."""
        try:
            self._sdk.secrets.create(name=name, data=content, labels=dict(labels))
        except docker.errors.APIError as error:
            if error.status_code != http.HTTPStatus.CONFLICT:
                raise StackInvalid(f"secret {name}: {error.explanation}") from error

    def discard(self, identity: str) -> bool:
        """Remove a secret; False when it is in use, does not exist, or the engine does not answer."""
        try:
            self._sdk.secrets.get(identity).remove()
        except REFUSALS:
            return False
        return True
