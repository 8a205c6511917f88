from types import SimpleNamespace
from typing import Any

import requests

from swarm import joblog
from swarm.joblog import JobLog, Line

MOMENTS = ("2026-01-01T00:00:01.000000001Z", "2026-01-01T00:00:02.500000000Z")


def frame(text: str, stream: int = 1) -> bytes:
    content = text.encode()
    return joblog.HEADER.pack(stream, len(content)) + content


class Api:
    """Answers each reading with the next content, the last one for ever."""

    base_url = "http+docker://localhost"

    def __init__(self, *contents: bytes | None) -> None:
        self.contents = list(contents)
        self.since: list[str] = []

    def get(self, url: str, params: dict[str, str], timeout: int) -> Any:
        self.since.append(params["since"])
        content = self.contents.pop(0) if len(self.contents) > 1 else self.contents[0]
        if content is None:
            raise requests.exceptions.ConnectionError("the log is not there yet")
        return SimpleNamespace(raise_for_status=lambda: None, content=content)


def log(api: Api) -> tuple[JobLog, list[str]]:
    said: list[str] = []
    engine: Any = SimpleNamespace(api=SimpleNamespace(api=api), timeout=5)
    return JobLog(engine, lambda line: said.append(line.text)), said


def test_frames_are_lines_with_their_time_and_stream() -> None:
    content = frame(f"{MOMENTS[0]} one\n") + frame(f"{MOMENTS[1]} two words\r\n", joblog.STDERR)
    assert joblog.parse("t", content) == [
        Line("t", MOMENTS[0], "one", False),
        Line("t", MOMENTS[1], "two words", True),
    ]


def test_a_frame_that_is_cut_off_is_left_for_the_next_reading() -> None:
    content = frame(f"{MOMENTS[0]} one\n")
    assert len(joblog.parse("t", content + frame(f"{MOMENTS[1]} two\n")[:-3])) == 1
    assert len(joblog.parse("t", content + b"\x01\x00")) == 1


def test_each_line_is_handed_over_once_even_where_several_bear_the_same_time() -> None:
    one, two = (frame(f"{moment} {word}\n") for moment, word in zip(MOMENTS, "ab", strict=True))
    two_at_once = frame(f"{MOMENTS[1]} d\n")
    api = Api(one, one + two, two + two_at_once, two + two_at_once)
    read, said = log(api)
    assert [read.read(["t"]) for _ in range(4)] == [1, 1, 1, 0]
    assert said == ["a", "b", "d"]
    assert api.since == ["0", "1767225601.000000001", "1767225602.500000000", "1767225602.500000000"]


def test_the_rest_of_a_log_that_lags_behind_is_waited_for() -> None:
    late = frame(f"{MOMENTS[0]} late\n")
    read, said = log(Api(None, late))
    read.finish(["t"])
    assert said == ["late"]
