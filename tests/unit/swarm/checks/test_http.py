from swarm.checks import http
from swarm.checks.definitions import Http
from tests.unit.swarm.conftest import ENV, Make

CONTEXT = ENV.replace("driver: lab", "driver: context\ncontext: c")
PAGE = Http(name="page", host="app", path="/x", text="R & D")


def test_the_lab_is_asked_at_its_published_port() -> None:
    entrance = http.EntryPoint("example.test", False, {"http": 8080}, "127.0.0.1")
    assert entrance.url(PAGE) == "http://127.0.0.1:8080/x"
    assert entrance.host(PAGE) == "app.example.test"
    assert entrance.host(Http(name="portal")) == "example.test"


def test_where_traefik_is_asked_follows_from_the_environment(make: Make) -> None:
    assert http.entry_point(make(ENV + "lab: {http_port: 8080, listen: 0.0.0.0}\n")) == http.EntryPoint(
        "example.test", False, {"http": 8080}, "127.0.0.1"
    )
    assert http.entry_point(make(CONTEXT)).url(PAGE) == "http://app.example.test:80/x"
    assert http.entry_point(make(CONTEXT + "entry: 10.0.0.1:8080\n")).url(PAGE) == "http://10.0.0.1:8080/x"
    assert (
        http.entry_point(make(CONTEXT + "stacks: {admin: {tls: true}}\n")).url(PAGE) == "https://app.example.test:443/x"
    )


def test_a_scheme_that_is_out_of_reach_is_known_to_be(make: Make) -> None:
    entrance = http.entry_point(make(ENV + "stacks: {admin: {tls: true}}\n"))
    assert not entrance.reaches(PAGE)
    assert entrance.reaches(Http(name="redirect", scheme="http"))


def test_an_answer_is_as_expected_only_with_status_text_and_location() -> None:
    assert http.judge(PAGE, 200, "", "<p>R & D</p>") == (True, "status 200")
    assert http.judge(PAGE, 200, "", "<p>R &amp; D</p>") == (True, "status 200")
    assert http.judge(PAGE, 200, "", "nothing") == (False, "status 200, 7 characters without the text")
    assert http.judge(PAGE, 502, "", "R & D") == (False, "status 502")
    moved = Http(name="moved", status=301, location="https://example.test")
    assert http.judge(moved, 301, "https://example.test/", "")[0]
    assert http.judge(moved, 301, "http://example.test/", "") == (False, "status 301, location http://example.test/")
    assert http.judge(moved, 200, "", "") == (False, "status 200")
