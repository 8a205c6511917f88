import io
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from swarm.containers import logs
from swarm.containers.logs import Line, LogQuery, Source
from swarm.engine.client import Engine
from swarm.errors import ArgumentInvalid
from swarm.live.services import Service
from swarm.report import Report
from tests.support.services import service, task

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BASE = "http://engine.test"


def frame(moment: str, text: str, *, stream: int = 1, details: str = "") -> bytes:
    payload = f"2026-11-21T{moment}Z {details}{text}".encode()
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


class Wire(BaseAdapter):
    """A managers' API of logs: path -> what it sends; what it does not know is 404."""

    def __init__(self, logs: dict[str, bytes], kind: str) -> None:
        super().__init__()
        self.logs, self.kind = logs, kind
        self.asked: list[str] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        url = str(request.url).removeprefix(BASE)
        self.asked.append(url)
        body = self.logs.get(url.partition("?")[0])
        answer = requests.Response()
        answer.request, answer.url = request, str(request.url)
        answer.status_code = 404 if body is None else 200
        answer.headers["Content-Type"] = self.kind
        answer.raw = HTTPResponse(io.BytesIO(body or b""), preload_content=False)
        return answer

    def close(self) -> None:
        pass


class WiredEngine(Engine):
    """An engine whose API is a wire."""

    wire: Wire

    @cached_property
    def _sdk(self) -> Any:
        session = requests.Session()
        session.mount(BASE, self.wire)
        low = SimpleNamespace(get=session.get, base_url=BASE)
        return SimpleNamespace(api=low, ping=lambda: True)

    def with_own_connection(self) -> Engine:
        return self

    def now(self) -> datetime:
        return NOW


def engine(sent: dict[str, bytes], kind: str = "application/vnd.docker.multiplexed-stream") -> WiredEngine:
    made = WiredEngine()
    object.__setattr__(made, "wire", Wire(sent, kind))
    return made


def said(lines: Iterable[logs.Line]) -> list[str]:
    return [f"{line.source.label} {line.text}" for line in lines]


WEB = service("app_web", task("t1"), task("t2", slot="2", node="node-2"))
AGENT = service("app_agent", task("t3", slot="node-2", node="node-2"), mode="global")


def test_lines_of_services_and_nodes_are_merged_in_the_order_of_time() -> None:
    wired = engine(
        {
            "/tasks/t1/logs": frame("10:00:01.0", "a\n") + frame("10:00:04.0", "d\n"),
            "/tasks/t2/logs": frame("10:00:02.0", "b\n", stream=2),
            "/tasks/t3/logs": frame("10:00:03.0", "c\n"),
        }
    )
    found = said(logs.read(wired, [WEB, AGENT], LogQuery(), print))
    assert found == ["app_web.1@node-1 a", "app_web.2@node-2 b", "app_agent@node-2 c", "app_web.1@node-1 d"]


def test_a_long_line_that_docker_cut_is_whole_again_and_a_last_one_without_an_end_is_kept() -> None:
    wired = engine(
        {"/tasks/t3/logs": frame("10:00:01.0", "x" * 16384) + frame("10:00:01.1", "y\r\n") + frame("10:00:02.0", "end")}
    )
    first, second = logs.read(wired, [AGENT], LogQuery(), print)
    assert first.text == "x" * 16384 + "y"
    assert second.text == "end"


def test_a_service_with_a_terminal_sends_lines_without_frames() -> None:
    plain = b"2026-11-21T10:00:01.0Z one\r\n2026-11-21T10:00:02.0Z two\r\n"
    wired = engine({"/tasks/t3/logs": plain}, "application/vnd.docker.raw-stream")
    assert said(logs.read(wired, [AGENT], LogQuery(), print)) == ["app_agent@node-2 one", "app_agent@node-2 two"]


def test_only_lines_that_match_are_given() -> None:
    wired = engine({"/tasks/t3/logs": frame("10:00:01.0", "GET 200\n") + frame("10:00:02.0", "GET 502\n")})
    asked = LogQuery(pattern=re.compile("5.2$"))
    assert said(logs.read(wired, [AGENT], asked, print)) == ["app_agent@node-2 GET 502"]


def test_a_log_that_is_not_to_be_had_is_said_and_the_others_are_given() -> None:
    told: list[str] = []
    wired = engine(
        {"/tasks/t2/logs": frame("10:00:01.0", "b\n") + frame("10:00:02.0", "node-9 is not available", stream=3)}
    )
    assert said(logs.read(wired, [WEB], LogQuery(), told.append)) == ["app_web.2@node-2 b"]
    assert any(line.startswith("app_web.1@node-1: no log: 404") for line in told)
    assert any(line.startswith("app_web.2@node-2: ") and line.endswith("node-9 is not available") for line in told)


def test_tasks_that_never_had_a_container_are_not_asked() -> None:
    wired = engine({})
    waiting = service("app_web", task("t1", state="pending"), task("t2", state="rejected"))
    assert list(logs.read(wired, [waiting], LogQuery(), print)) == []
    assert wired.wire.asked == []


def test_since_and_tail_are_asked_of_the_engine() -> None:
    wired = engine({"/tasks/t3/logs": b""})
    list(logs.read(wired, [AGENT], LogQuery(since=NOW, tail=5), print))
    assert f"since={NOW.timestamp():.6f}" in wired.wire.asked[0]
    assert "tail=5" in wired.wire.asked[0]
    assert "timestamps=True" in wired.wire.asked[0]


def test_following_gives_what_was_then_what_comes_and_no_line_twice() -> None:
    by = "com.docker.swarm.node.id=n,com.docker.swarm.service.id=s,com.docker.swarm.task.id="
    again = frame("10:00:01.0", "old\n", details=f"{by}t3 ")
    new = frame("10:00:09.0", "new\n", details=f"{by}t9 ") + frame("10:00:05.0", "live\n", details=f"{by}t3 ")
    wired = engine({"/tasks/t3/logs": frame("10:00:01.0", "old\n"), f"/services/{AGENT.id}/logs": again + new})
    grown = service("app_agent", *AGENT.tasks, task("t9", slot="node-3", node="node-3"), mode="global")
    answers = iter([[AGENT]])

    def find() -> list[Service]:
        return next(answers, [grown])

    found = said(islice(logs.follow(wired, find, LogQuery(), print), 3))
    assert found == ["app_agent@node-2 old", "app_agent@node-2 live", "app_agent@node-3 new"]


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("90s", "2026-11-21T11:58:30+00:00"),
        ("10m", "2026-11-21T11:50:00+00:00"),
        ("1h30m", "2026-11-21T10:30:00+00:00"),
        ("2d", "2026-11-19T12:00:00+00:00"),
        ("2026-11-21T03:00", "2026-11-21T03:00:00+00:00"),
        ("2026-11-21 03:00:00+01:00", "2026-11-21T03:00:00+01:00"),
    ],
)
def test_since_is_a_duration_or_a_time(text: str, iso: str) -> None:
    assert logs.parse_since(text, NOW).isoformat() == iso


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("10", "", ""), "--since '10' is not a duration or a time"),
        (("ten minutes", "", ""), "not a duration or a time"),
        (("999999d", "", ""), "not a duration or a time"),
        (("99999999999d", "", ""), "not a duration or a time"),
        (("", "many", ""), "--tail many is not a number of lines"),
        (("", "-1", ""), "--tail -1 is not a number of lines"),
        (("", "", "(oops"), "is not a regular expression"),
    ],
)
def test_what_means_nothing_is_one_error_that_says_what_can_stand_there(words: tuple[str, str, str], said: str) -> None:
    with pytest.raises(ArgumentInvalid) as caught:
        logs.query(*words, NOW)
    assert said in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("words", "tail"), [(("", "", ""), 100), (("1h", "", ""), None), (("", "", "x"), None), (("1h", "7", "x"), 7)]
)
def test_without_a_word_about_it_a_hundred_lines_a_task_are_read(words: tuple[str, str, str], tail: int | None) -> None:
    assert logs.query(*words, NOW).tail == tail


def test_for_machines_each_line_is_an_object_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        Line("2026-11-21T12:00:00.000000001Z", Source("app_nginx", "1", "node-1"), 'GET "/"'),
        Line("2026-11-21T12:00:01Z", Source("logs_agent", "node-2", "node-2"), "{}"),
    ]
    logs.show_json(lines, Report(), flush=True)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {
            "time": "2026-11-21T12:00:00.000000001Z", "service": "app_nginx", "task": "1", "node": "node-1",
            "text": 'GET "/"',
        },
        {"time": "2026-11-21T12:00:01Z", "service": "logs_agent", "task": "node-2", "node": "node-2", "text": "{}"},
    ]  # fmt: skip


def test_a_line_that_comes_after_a_later_one_of_its_task_is_seen_once() -> None:
    seen, day = logs.Seen(), "2026-11-21T12:00"
    later, earlier = (f"{day}:01.500000000Z", "err"), (f"{day}:01.400000000Z", "out")
    assert [seen.first_time("t", *line) for line in (later, earlier, later, earlier)] == [True, True, False, False]
    assert seen.first_time("other", *earlier)
    assert seen.first_time("t", earlier[0], "more at that time")
    assert seen.first_time("t", f"{day}:09.000000000Z", "much later")
    # It is forgotten by now, and cannot be new.
    assert not seen.first_time("t", *later)
    assert sum(map(len, seen.recent.values())) == 2
