"""The managers of a swarm as an engine's transport: configs, secrets and services in memory, in Docker's own words."""

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Any
from urllib.parse import parse_qs, urlsplit

import docker
import requests
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError

from swarm.engine.client import Engine

Raw = dict[str, Any]
Answer = tuple[int, Any]
NODE = {"ID": "n1", "Description": {"Hostname": "node-1"}, "Spec": {"Labels": {}}, "Status": {"State": "ready"}}


def now() -> str:
    """This moment as Docker writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Managers(BaseAdapter):
    """What the managers hold; `before` sees each request and may answer in their stead, `told` are the changes."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, dict[str, Raw]] = {"configs": {}, "secrets": {}, "services": {}}
        self.networks: dict[str, Raw] = {}
        self.told: list[str] = []
        self.before: Callable[[str, str], Answer | None] = lambda method, path: None
        # What is called once a change was made, with its path; what it raises is what the client gets for an answer.
        self.after: Callable[[str], None] = lambda path: None
        self.running: Callable[[Raw], str] = lambda service: "running"
        self.count = 0
        self.lock = RLock()

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer one request."""
        address = urlsplit(str(request.url))
        path = re.sub(r"^/v[0-9.]+", "", address.path)
        words = {key: values[0] for key, values in parse_qs(address.query).items()}
        with self.lock:
            answer = self.before(str(request.method), path)
            if answer is None:
                answer = self._answer(str(request.method), path, words, json.loads(request.body or "null"))
            if request.method != "GET" and answer[0] < 400:
                self.told.append(f"{request.method} {path}")
                self.after(path)
        found = requests.Response()
        found.status_code, found._content, found.url = answer[0], json.dumps(answer[1]).encode(), str(request.url)
        found.reason = "because"
        return found

    def close(self) -> None:
        """Nothing is open."""

    def lose_answer(self) -> None:
        """Make the next change, and go away before that is said."""

        def gone(path: str) -> None:
            self.after = lambda path: None
            raise ConnectionError("gone")

        self.after = gone

    def put(self, kind: str, spec: Raw, **more: Any) -> Raw:
        """Hold a thing of a kind (`services`, say), as if somebody had made it."""
        self.count += 1
        made = {"ID": f"{kind}-{self.count}", "Version": {"Index": self.count}, "CreatedAt": now(), "UpdatedAt": now()}
        self.held[kind][str(made["ID"])] = {**made, "Spec": copy.deepcopy(spec), **more}
        return self.held[kind][str(made["ID"])]

    def named(self, kind: str, name: str) -> Raw:
        """What is held under a name."""
        return next(item for item in self.held[kind].values() if item["Spec"]["Name"] == name)

    def _answer(self, method: str, path: str, words: dict[str, str], body: Any) -> Answer:
        match path.strip("/").split("/"):
            case ["info"]:
                return 200, {"SystemTime": now(), "Swarm": {"ControlAvailable": True}}
            case ["nodes"]:
                return 200, [NODE]
            case ["networks"]:
                return 200, [item for item in self.networks.values() if _labelled(item.get("Labels") or {}, words)]
            case ["networks", "create"]:
                self.count += 1
                self.networks[body["Name"]] = {**body, "Id": f"networks-{self.count}"}
                return 201, {"Id": f"networks-{self.count}"}
            case ["networks", identity] if method == "DELETE":
                return self._remove_network(identity)
            case ["tasks"]:
                return 200, [self._task(item) for item in self.held["services"].values() if _meant(item, words)]
            case [("configs" | "secrets" | "services") as kind]:
                return 200, [item for item in self.held[kind].values() if _meant(item, words)]
            case [("configs" | "secrets" | "services") as kind, "create"]:
                if any(item["Spec"]["Name"] == body["Name"] for item in self.held[kind].values()):
                    return 409, {"message": f"{body['Name']} exists"}
                return 201, {"ID": self.put(kind, body)["ID"]}
            case [("configs" | "secrets" | "services") as kind, identity, *rest]:
                return self._one(kind, identity, method, rest, words, body)
        return 404, {"message": f"{path} is not known here"}

    def _remove_network(self, identity: str) -> Answer:
        """Refused while a service uses it, by id or by name."""
        found = next((item for item in self.networks.values() if identity in (item["Id"], item["Name"])), None)
        if found is None:
            return 404, {"message": f"network {identity} not found"}
        for service in self.held["services"].values():
            for network in service["Spec"]["TaskTemplate"].get("Networks") or ():
                if network["Target"] in (found["Id"], found["Name"]):
                    return 403, {"message": f"network {found['Name']} is in use by service {service['ID']}"}
        del self.networks[found["Name"]]
        return 204, None

    def _one(self, kind: str, identity: str, method: str, rest: list[str], words: dict[str, str], body: Any) -> Answer:
        found = next((it for it in self.held[kind].values() if identity in (it["ID"], it["Spec"]["Name"])), None)
        if found is None:
            return 404, {"message": f"{identity} is not there"}
        if method == "DELETE":
            del self.held[kind][str(found["ID"])]
            return 204, None
        if rest == ["update"]:
            if int(words["version"]) != found["Version"]["Index"]:
                return 500, {"message": "rpc error: code = Unknown desc = update out of sequence"}
            self.count += 1
            found |= {"Spec": body, "Version": {"Index": self.count}, "UpdatedAt": now()}
            return 200, {}
        return 200, found

    def _task(self, service: Raw) -> Raw:
        state = self.running(service)
        return {
            "ID": f"task-of-{service['ID']}", "ServiceID": service["ID"], "NodeID": "n1", "Slot": 1,
            "CreatedAt": service["UpdatedAt"], "DesiredState": "running", "Spec": service["Spec"]["TaskTemplate"],
            "Status": {"State": state, "Timestamp": service["UpdatedAt"]},
        }  # fmt: skip


@dataclass(frozen=True)
class Known(Engine):
    """An engine on these managers, however many connections it makes."""

    managers: Managers = field(default_factory=Managers)

    def _connect(self) -> docker.DockerClient:
        client = docker.DockerClient(base_url="tcp://manager:2375", version="1.45")
        client.api.mount("http://", self.managers)
        return client


def _meant(item: Raw, words: dict[str, str]) -> bool:
    filters = json.loads(words.get("filters", "{}"))
    named = all(item["Spec"]["Name"].startswith(name) for name in filters.get("name", ()))
    return named and _labelled(item["Spec"].get("Labels") or {}, words)


def _labelled(labels: dict[str, str], words: dict[str, str]) -> bool:
    filters = json.loads(words.get("filters", "{}"))
    wanted = [label.partition("=") for label in filters.get("label", ())]
    return all(key in labels and (not said or labels[key] == value) for key, said, value in wanted)
