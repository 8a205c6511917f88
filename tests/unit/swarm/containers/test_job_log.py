from types import SimpleNamespace
from typing import Any

import requests
from hypothesis import given
from hypothesis import strategies as st

from swarm.containers import job_log
from swarm.containers.job_log import JobLog, Line
from swarm.engine.logs import STDERR, Logs

MOMENTS = ("2026-01-01T00:00:01.000000001Z", "2026-01-01T00:00:02.500000000Z")


def frame(text: str, stream: int = 1) -> bytes:
    content = text.encode()
    return bytes((stream, 0, 0, 0)) + len(content).to_bytes(4, "big") + content


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
    sdk: Any = SimpleNamespace(api=api)
    engine: Any = SimpleNamespace(logs=Logs(sdk, 5))
    return JobLog(engine, lambda line: said.append(line.text)), said


def test_frames_are_lines_with_their_time_and_stream() -> None:
    content = frame(f"{MOMENTS[0]} one\n") + frame(f"{MOMENTS[1]} two words\r\n", STDERR)
    assert job_log.parse("t", content) == [
        Line("t", MOMENTS[0], "one", False),
        Line("t", MOMENTS[1], "two words", True),
    ]


def test_a_frame_that_is_cut_off_is_left_for_the_next_reading() -> None:
    content = frame(f"{MOMENTS[0]} one\n")
    assert len(job_log.parse("t", content + frame(f"{MOMENTS[1]} two\n")[:-3])) == 1
    assert len(job_log.parse("t", content + b"\x01\x00")) == 1


def test_each_line_is_handed_over_once_even_where_several_bear_the_same_time() -> None:
    one, two = (frame(f"{moment} {word}\n") for moment, word in zip(MOMENTS, "ab", strict=True))
    two_at_once = frame(f"{MOMENTS[1]} d\n")
    api = Api(one, one + two, two + two_at_once, two + two_at_once)
    read, said = log(api)
    assert [read.read(["t"]) for _ in range(4)] == [1, 1, 1, 0]
    assert said == ["a", "b", "d"]
    # A little earlier than the newest line that was read.
    assert api.since == ["0", "1767225599", "1767225600", "1767225600"]


def test_a_line_that_stands_after_a_later_one_is_handed_over_once() -> None:
    later, earlier = frame(f"{MOMENTS[1]} err\n", STDERR), frame(f"{MOMENTS[0]} out\n")
    read, said = log(Api(later, later + earlier))
    assert [read.read(["t"]) for _ in range(4)] == [1, 1, 0, 0]
    assert said == ["err", "out"]


def test_the_same_words_at_the_same_time_are_two_lines_when_they_were_written_twice() -> None:
    one = frame(f"{MOMENTS[0]} again\n")
    read, said = log(Api(one, one + one))
    assert [read.read(["t"]) for _ in range(3)] == [1, 1, 0]
    assert said == ["again", "again"]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3)), max_size=40), st.data())
def test_however_a_log_grows_each_line_is_handed_over_once(steps: list[tuple[int, int]], data: st.DataObject) -> None:
    """In tenths of a second: some lines bear the same time, some one before that of the line above them."""
    now, lines = 100, []
    for tenths, back in steps:
        now += tenths
        at = now - back
        lines.append(frame(f"2026-01-01T00:{at // 600:02}:{at // 10 % 60:02}.{at % 10}00000000Z {len(lines)}\n"))
    ends = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=6)))
    read, said = log(Api(*(b"".join(lines[:end]) for end in ends), b"".join(lines)))
    for _ in range(len(ends) + 2):
        read.read(["t"])
    assert said == [str(number) for number in range(len(lines))]


def test_the_rest_of_a_log_that_lags_behind_is_waited_for() -> None:
    late = frame(f"{MOMENTS[0]} late\n")
    read, said = log(Api(None, late))
    read.finish(["t"])
    assert said == ["late"]
