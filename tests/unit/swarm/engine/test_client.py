import json
from typing import Any

import docker
import docker.errors
import pytest
import requests
from requests.adapters import BaseAdapter

from swarm.engine.client import Engine

CONFIG = {"ID": "c1", "Version": {"Index": 7}, "Spec": {"Name": "n", "Labels": {"open": "yes", "who": "me"}}}
SEQUENCE = (500, {"message": "rpc error: code = Unknown desc = update out of sequence"})


class Manager(BaseAdapter):
    """Gives a thing, and answers changes of it as told, in turn; keeps what it was sent."""

    def __init__(self, *answers: tuple[int, Any], thing: Any = CONFIG) -> None:
        super().__init__()
        self.answers, self.thing = list(answers), thing
        self.told: list[dict[str, Any]] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        status, said = (200, self.thing) if request.method == "GET" else self.answers.pop(0)
        if request.method != "GET":
            self.told.append(json.loads(request.body or "{}").get("Labels"))
        found = requests.Response()
        found.status_code, found._content, found.url = status, json.dumps(said).encode(), str(request.url)
        return found

    def close(self) -> None:
        return


def engine(manager: Manager) -> Engine:
    made = Engine()
    client = docker.DockerClient(base_url="tcp://manager:2375", version="1.45")
    client.api.mount("http://", manager)
    vars(made)["_sdk"] = client
    return made


def test_labels_that_crossed_with_another_change_are_written_once_more() -> None:
    manager = Manager(SEQUENCE, (200, None))
    engine(manager).configs.label("c1", {"state": "deployed"}, ("open",))
    assert manager.told == [{"who": "me", "state": "deployed"}] * 2


def test_labels_that_are_refused_for_good_are_an_error() -> None:
    for answers in ((SEQUENCE,) * 3, ((500, {"message": "only updates to Labels are allowed"}),)):
        with pytest.raises(docker.errors.APIError):
            engine(Manager(*answers)).configs.label("c1", {"state": "deployed"})


@pytest.mark.parametrize(("status", "gone"), [(204, True), (404, True), (403, False), (409, False)])
def test_a_network_that_is_gone_is_as_good_as_removed_and_one_in_use_is_not(status: int, gone: bool) -> None:
    assert engine(Manager((status, {"message": "no"}))).networks.remove("app_old") is gone


NOT_STARTED = "OCI runtime exec failed: exec failed: read init-p: connection reset by peer: unknown"


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (["blank\n", "still blank\n\nas ever\n", ""], ["still blank", "as ever"]),
        (["the page is blank\n", NOT_STARTED], ["the page is blank"]),
        ([NOT_STARTED, NOT_STARTED], [NOT_STARTED]),
        (["", ""], []),
    ],
)
def test_a_health_check_that_could_not_be_started_hides_no_other_words(outputs: list[str], said: list[str]) -> None:
    log = [{"ExitCode": 1, "Output": output} for output in outputs]
    assert engine(Manager(thing={"State": {"Health": {"Log": log}}})).containers.health("c") == said
