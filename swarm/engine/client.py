"""One Docker engine: its API through the docker SDK, `stack deploy` through the docker client."""

import http
import socket
import weakref
from base64 import b64decode
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
import docker.auth
import docker.errors
import requests.exceptions
import urllib3.exceptions

from swarm.engine import contexts, retry
from swarm.errors import ChangedMeanwhile, EngineUnavailable, ImageFailed, StackFailed, StackInvalid

Spec = dict[str, Any]
UNIX = "unix://"
BUILD_LINES = 15
NAMESPACE = "com.docker.stack.namespace"
# What a manager says of a change to another version than the one that it holds.
OUT_OF_SEQUENCE = "out of sequence"
# What stands for the output of a health check that an engine could not start.
NOT_STARTED = "OCI runtime exec failed"
# What the docker SDK raises; of answers that are read bit by bit, also what lies below it.
REFUSALS = (docker.errors.DockerException, requests.exceptions.RequestException, urllib3.exceptions.HTTPError)


@dataclass(frozen=True)
class Engine:
    """An engine at `host` (unix:///..., tcp://..., ssh://...), of a docker `context`, or this machine's own."""

    host: str | None = None
    context: str | None = None
    client: tuple[str, ...] = ("docker",)
    timeout: int = 30
    # For how many seconds it is asked again while it does not answer, or has no leader to ask.
    patience: float = 0.0

    @cached_property
    def api(self) -> docker.DockerClient:
        """The SDK's client, closed when nobody holds it any more; raises EngineUnavailable when nothing answers."""
        client = retry.patiently(self._connect, self.patience, (EngineUnavailable,))
        weakref.finalize(client, client.api.close)
        retry.teach(client.api, self.patience)
        return client

    def _connect(self) -> docker.DockerClient:
        if self.host and self.host.startswith(UNIX) and not _accepts(self.host.removeprefix(UNIX)):
            raise EngineUnavailable(f"No Docker engine answers at {self.place}.")
        try:
            if self.context:
                return _of_context(self.context, self.timeout)
            if self.host:
                ssh = self.host.startswith("ssh://")
                return docker.DockerClient(base_url=self.host, timeout=self.timeout, use_ssh_client=ssh)
            return docker.from_env(timeout=self.timeout)
        except REFUSALS as error:
            raise EngineUnavailable(f"No Docker engine answers at {self.place}: {error}") from error

    @property
    def place(self) -> str:
        """Where the engine is, for people."""
        return self.host or (f"docker context {self.context}" if self.context else "this machine")

    def build(self, directory: Path, tag: str, arguments: Mapping[str, str], secrets: Sequence[str]) -> None:
        """Build an image through the docker client's buildx; raises ImageFailed with what it said last."""
        # Here and not above: no other verb needs it, and it takes as long to load as all the rest.
        from python_on_whales import DockerClient
        from python_on_whales.exceptions import DockerException

        client = DockerClient(host=self.host, context=self.context, client_call=list(self.client))
        try:
            client.buildx.build(
                str(directory),
                build_args=dict(arguments),
                secrets=list(secrets),
                tags=tag,
                load=True,
                progress=False,
            )
        except DockerException as error:
            said = "\n  ".join((error.stderr or str(error)).strip().splitlines()[-BUILD_LINES:])
            raise ImageFailed(f"{directory.parent.name}/{directory.name} could not be built:\n  {said}") from error

    @property
    def argv(self) -> tuple[str, ...]:
        """The words that begin a docker command on this engine."""
        if self.context:
            return (*self.client, "--context", self.context)
        return (*self.client, "--host", self.host) if self.host else self.client

    def answers(self) -> bool:
        """Whether the engine is there."""
        try:
            return bool(self.api.ping())
        except (EngineUnavailable, *REFUSALS):
            return False

    def commands(self) -> bool:
        """Whether it is a manager of a swarm; engines older than API 1.42 do not say so in a ping."""
        answer = self.api.api.get(f"{self.api.api.base_url}/_ping", timeout=self.timeout)
        answer.raise_for_status()
        said = answer.headers.get("Swarm")
        return said == "active/manager" if said else bool(self.info()["Swarm"]["ControlAvailable"])

    def using(self, client: tuple[str, ...], seconds: float = 0.0) -> "Engine":
        """The same engine on the same connection, with another docker client, and patience for so many seconds."""
        engine = replace(self, client=client, patience=seconds)
        vars(engine)["api"] = self.api
        retry.teach(self.api.api, seconds)
        return engine

    def version(self) -> str:
        """The engine's version, e.g. 26.1.5."""
        return str(self.api.version()["Version"])

    @property
    def speaks(self) -> str:
        """The version of the API that is spoken with this engine, e.g. 1.45."""
        return str(self.api.api.api_version)

    def info(self) -> Spec:
        """What `docker info` knows."""
        return dict(self.api.info())

    def nodes(self) -> list[Spec]:
        """All nodes of the swarm, raw."""
        return [dict(node.attrs) for node in self.api.nodes.list()]

    def services(self, stack: str | None = None) -> list[Spec]:
        """Services, of one stack or all, with ServiceStatus (running and desired tasks)."""
        filters = {"label": f"{NAMESPACE}={stack}"} if stack else None
        return [dict(service) for service in self.api.api.services(filters=filters, status=True)]

    def tasks(self, stack: str | None = None) -> list[Spec]:
        """Tasks, of one stack or all, raw."""
        filters = {"label": f"{NAMESPACE}={stack}"} if stack else None
        return [dict(task) for task in self.api.api.tasks(filters=filters)]

    def networks(self, stack: str | None = None) -> list[Spec]:
        """Swarm networks, of one stack or all, raw."""
        filters: Spec = {"scope": "swarm"}
        if stack:
            filters["label"] = f"{NAMESPACE}={stack}"
        return [dict(network) for network in self.api.api.networks(filters=filters)]

    def configs(self, label: str | None = None) -> list[Spec]:
        """All configs, or those with a label (`key` or `key=value`), raw."""
        filters = {"label": label} if label else None
        return [dict(config) for config in self.api.api.configs(filters=filters)]

    def volumes(self) -> list[Spec]:
        """The volumes of this one engine, raw."""
        return [dict(item) for item in self.api.api.volumes()["Volumes"] or ()]

    def secrets(self) -> list[Spec]:
        """All secrets, raw; the engine never gives their content."""
        return [dict(secret.attrs) for secret in self.api.secrets.list()]

    def create_config(self, name: str, content: bytes, labels: Mapping[str, str]) -> str:
        """Create a config and return its id; that it is there already, with this content, is fine."""
        try:
            return str(self.api.configs.create(name=name, data=content, labels=dict(labels)).id)
        except docker.errors.APIError as error:
            found = self.config(name) if error.status_code == http.HTTPStatus.CONFLICT else None
            if found and b64decode(found["Spec"].get("Data") or "") == content:
                return str(found["ID"])
            raise StackInvalid(f"config {name}: {error.explanation}") from error

    def config(self, name: str) -> Spec | None:
        """One config by its exact name, raw, or None."""
        found = self.api.api.configs(filters={"name": name})
        return next((dict(item) for item in found if item["Spec"]["Name"] == name), None)

    def claim_config(self, name: str, labels: Mapping[str, str]) -> str | None:
        """Create an empty config and return its id, or None when the name exists: the managers let only one through."""
        try:
            return str(self.api.configs.create(name=name, data=b" ", labels=dict(labels)).id)
        except docker.errors.APIError as error:
            if error.status_code == http.HTTPStatus.CONFLICT:
                return None
            raise

    def has_config(self, identity: str) -> bool:
        """Whether a config of this id is there."""
        try:
            self.api.api.inspect_config(identity)
        except docker.errors.NotFound:
            return False
        return True

    def touch_config(self, identity: str) -> bool:
        """Write a config's own labels again, which moves its UpdatedAt; False when it is gone.

        The SDK has no call for it.
        """
        try:
            found = self.api.api.inspect_config(identity)
            self._write_config(found, found["Spec"])
        except docker.errors.NotFound:
            return False
        return True

    def label_config(self, identity: str, labels: Mapping[str, str], gone: Collection[str] = ()) -> None:
        """Set labels of a config and drop those in `gone`; the others stay, the content cannot change.

        A manager that went away after it had written them refuses the same once more: then they are written again.
        """
        for last in (False, False, True):
            found = self.api.api.inspect_config(identity)
            kept = {key: value for key, value in (found["Spec"].get("Labels") or {}).items() if key not in gone}
            try:
                self._write_config(found, {**found["Spec"], "Labels": {**kept, **labels}})
                return
            except docker.errors.APIError as error:
                if last or OUT_OF_SEQUENCE not in str(error):
                    raise

    def _write_config(self, found: Spec, spec: Spec) -> None:
        self._post(f"/configs/{found['ID']}/update", spec, params={"version": found["Version"]["Index"]})

    def now(self) -> datetime:
        """The engine's own clock, UTC."""
        return self.moment(self.info()["SystemTime"])

    @staticmethod
    def moment(text: str) -> datetime:
        """A time as Docker writes it, with nanoseconds, as a datetime."""
        whole, _, fraction = text.rstrip("Z").partition(".")
        return datetime.fromisoformat(f"{whole}.{(fraction or '0')[:6].ljust(6, '0')}").replace(tzinfo=UTC)

    def again(self) -> "Engine":
        """The same engine with a connection of its own, for another thread."""
        return replace(self)

    def create_secret(self, name: str, content: bytes, labels: Mapping[str, str]) -> None:
        """Create a secret, which goes over the API only; one that is there keeps what it holds."""
        try:
            self.api.secrets.create(name=name, data=content, labels=dict(labels))
        except docker.errors.APIError as error:
            if error.status_code != http.HTTPStatus.CONFLICT:
                raise StackInvalid(f"secret {name}: {error.explanation}") from error

    def discard(self, kind: str, identity: str) -> bool:
        """Remove a config or secret (`kind` is its plural); False when it is in use, gone, or the engine is."""
        try:
            getattr(self.api, kind).get(identity).remove()
        except REFUSALS:
            return False
        return True

    def create_network(self, body: Mapping[str, Any]) -> None:
        """Create a network from what `POST /networks/create` takes; one that exists is left as it is."""
        try:
            self._post("/networks/create", body)
        except docker.errors.APIError as error:
            if error.status_code != http.HTTPStatus.CONFLICT:
                raise StackInvalid(f"network {body['Name']}: {error.explanation}") from error

    def remove_network(self, identity: str) -> bool:
        """Remove a network; one that is gone already is fine, False when something still uses it."""
        try:
            self.api.api.remove_network(identity)
        except docker.errors.APIError as error:
            return error.status_code == http.HTTPStatus.NOT_FOUND
        return True

    def create_service(self, spec: Mapping[str, Any]) -> Spec:
        """Create a service from its specification; returns it as the managers hold it, raw."""
        return self._say_service("/services/create", spec)

    def update_service(self, identity: str, version: int, spec: Mapping[str, Any]) -> Spec:
        """Give a service another specification, if it is still at `version`; returns it raw."""
        return self._say_service(f"/services/{identity}/update", spec, version=version)

    def remove_service(self, identity: str) -> None:
        """Remove a service; one that is gone already is fine."""
        try:
            self.api.api.remove_service(identity)
        except docker.errors.NotFound:
            return

    def service(self, identity: str) -> Spec | None:
        """One service by name or id, raw, or None."""
        try:
            return dict(self.api.api.inspect_service(identity))
        except docker.errors.NotFound:
            return None

    def image_digest(self, reference: str) -> str | None:
        """The digest that a tag has in its registry now, as a manager sees it; None when it is not there."""
        try:
            found = self.api.api.inspect_distribution(reference)
        except docker.errors.APIError:
            return None
        return str(found["Descriptor"]["digest"])

    def _say_service(self, path: str, spec: Mapping[str, Any], **params: int) -> Spec:
        headers = {}
        registry, _ = docker.auth.resolve_repository_name(_bare(spec["TaskTemplate"]["ContainerSpec"]["Image"]))
        if auth := docker.auth.get_config_header(self.api.api, registry):
            headers["X-Registry-Auth"] = auth
        try:
            answer = self._post(path, spec, headers=headers, params=params)
        except docker.errors.APIError as error:
            if error.status_code == http.HTTPStatus.INTERNAL_SERVER_ERROR and OUT_OF_SEQUENCE in str(error):
                raise ChangedMeanwhile(f"{spec['Name']} was changed by somebody else meanwhile.") from error
            if error.status_code == http.HTTPStatus.CONFLICT:
                raise ChangedMeanwhile(f"{spec['Name']} was created by somebody else meanwhile.") from error
            raise StackInvalid(f"{spec['Name']}: Docker refuses the service: {error.explanation}") from error
        found = self.service(str(answer.get("ID") or spec["Name"]))
        if found is None:
            raise ChangedMeanwhile(f"{spec['Name']} was removed by somebody else meanwhile.")
        return found

    @property
    def _words(self) -> Any:
        """The SDK's client, with those of its methods that speak plain HTTP."""
        return self.api.api

    def _post(self, path: str, body: Mapping[str, Any], **options: Any) -> Spec:
        """Send what the SDK has no call for, in its own words."""
        client = self._words
        answer = client._post(client._url(path), json=dict(body), **options)
        client._raise_for_status(answer)
        return dict(answer.json() or {}) if answer.content else {}

    def logs(self, service: str, *, tail: int = 20) -> list[str]:
        """The last lines that a service's tasks wrote, oldest first."""
        try:
            stream = self.api.services.get(service).logs(stdout=True, stderr=True, tail=tail)
            text = b"".join(stream)
        except REFUSALS:
            return []
        return text.decode(errors="replace").splitlines()[-tail:]

    def task_logs(self, task: str, *, tail: int = 20) -> list[str]:
        """The last lines that one task wrote, on whichever node it is; the SDK knows only those of services."""
        client = self._words
        try:
            answer = client._get(client._url("/tasks/{0}/logs", task), params={"stdout": 1, "stderr": 1, "tail": tail})
            client._raise_for_status(answer)
            text = client._get_result_tty(False, answer, False)
        except REFUSALS:
            return []
        return [line for line in text.decode(errors="replace").splitlines() if line.strip()][-tail:]

    def health(self, container: str) -> list[str]:
        """What the health check of a container of this engine last wrote; one that was cut off wrote nothing.

        A check that could not be started says so only where no other one has spoken: the container may just have ended.
        """
        state = self.api.api.inspect_container(container)["State"]
        runs = (state.get("Health") or {}).get("Log") or ()
        outputs = [output for run in reversed(runs) if (output := str(run.get("Output", "")).strip())]
        said = min(outputs, key=lambda output: output.startswith(NOT_STARTED), default="")
        return [line for line in said.splitlines() if line.strip()]


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Raise StackFailed where the managers refuse something in the block; that nobody speaks for them is no refusal."""
    try:
        yield
    except docker.errors.APIError as error:
        if error.response is not None and retry.speechless(error.response):
            raise
        raise StackFailed(f"{what}: Docker refuses what is asked of it: {error.explanation or error}") from error


def _bare(image: str) -> str:
    """An image's name without tag and digest."""
    name = image.split("@", 1)[0]
    head, _, last = name.rpartition("/")
    return f"{head}/{last.split(':', 1)[0]}" if head else last.split(":", 1)[0]


def _accepts(path: str) -> bool:
    """Whether somebody listens on a unix socket; the SDK would leak its own socket where nobody does."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


def _of_context(name: str, timeout: int) -> docker.DockerClient:
    found = contexts.find(name)
    ssh = found.host.startswith("ssh://")
    return docker.DockerClient(base_url=found.host, tls=found.tls or False, timeout=timeout, use_ssh_client=ssh)
