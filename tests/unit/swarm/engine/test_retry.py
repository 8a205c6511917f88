from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError

from swarm.engine import retry

LEADERLESS = "The swarm does not have a leader. It's possible that too few managers are online."


class Manager(BaseAdapter):
    """Answers as told, in turn; the last answer stays."""

    def __init__(self, *answers: tuple[int, str] | Exception) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked = 0

    def send(self, request: requests.PreparedRequest, *words: Any, **named: Any) -> requests.Response:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        found = requests.Response()
        found.status_code, found._content = answer[0], answer[1].encode()
        return found

    def close(self) -> None:
        return


def session(manager: Manager, seconds: float) -> requests.Session:
    made = requests.Session()
    made.mount("http://", manager)
    retry.mount_retries(made, seconds, pause=0.01)
    return made


def test_a_manager_that_is_gone_or_has_no_leader_is_asked_again_until_it_answers() -> None:
    manager = Manager(ConnectionError("gone"), (503, LEADERLESS), (500, f"rpc error: {LEADERLESS}"), (200, "[]"))
    assert session(manager, 10).get("http://manager/services").text == "[]"
    assert manager.asked == 4


def test_an_answer_is_an_answer_also_when_it_is_a_refusal() -> None:
    manager = Manager((500, "rpc error: update out of sequence"))
    assert session(manager, 10).post("http://manager/services/x/update").status_code == 500
    assert manager.asked == 1


def test_patience_ends_and_the_last_refusal_is_what_is_told() -> None:
    with pytest.raises(ConnectionError, match="gone"):
        session(Manager(ConnectionError("gone")), 0.05).get("http://manager/services")
    assert session(Manager((503, LEADERLESS)), 0.05).get("http://manager/services").status_code == 503


def test_whoever_waited_in_vain_does_not_wait_again_until_there_was_an_answer() -> None:
    manager = Manager(ConnectionError("gone"))
    made = session(manager, 0.05)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            made.get("http://manager/services")
        before, manager.asked = manager.asked, 0
    assert before == 1
    manager.answers = [(200, "[]"), ConnectionError("gone"), (200, "[]")]
    assert made.get("http://manager/services").ok
    assert made.get("http://manager/services").ok
    assert manager.asked == 3


def test_what_refuses_is_called_until_it_does_not_or_time_is_up() -> None:
    tries: list[int] = []

    def connect() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise LookupError("not yet")
        return "there"

    assert retry.until_accepted(connect, 10, (LookupError,), pause=0.01) == "there"
    tries.clear()
    with pytest.raises(LookupError):
        retry.until_accepted(connect, 0, (LookupError,))
