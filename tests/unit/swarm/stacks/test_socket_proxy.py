"""What the socket proxy answers, by its own rules: whatever it lets through, every container of its network may ask."""

import re

import pytest

from swarm.settings.environment import ROOT

LINES = (ROOT / "stacks" / "admin" / "config" / "socket-proxy.cfg").read_text().splitlines()
ACL = re.compile(r"\s+acl (\w+) (method|path -m reg) (.+)")
DENY = re.compile(r"\s+http-request deny deny_status 403 unless (.+)")


def answered(method: str, path: str) -> bool:
    """Whether a request reaches the engine: all conditions of one of the alternatives hold."""
    conditions = dict[str, bool]()
    alternatives = ""
    for line in LINES:
        if found := ACL.fullmatch(line):
            name, kind, words = found.groups()
            conditions[name] = method in words.split() if kind == "method" else bool(re.search(words, path))
        elif found := DENY.fullmatch(line):
            alternatives = found[1]
    return any(all(conditions[name] for name in alternative.split()) for alternative in alternatives.split(" or "))


@pytest.mark.parametrize(
    "path",
    [
        "/version",
        "/_ping",
        "/info",
        "/v1.45/events",
        "/services",
        "/v1.45/services",
        "/services/abc",
        "/tasks",
        "/nodes",
    ],
)
def test_what_readers_need_is_answered(path: str) -> None:
    assert answered("GET", path)


@pytest.mark.parametrize(
    "path",
    [
        "/secrets", "/v1.45/secrets", "/secrets/abc", "/configs", "/v1.45/configs/abc", "/containers/json",
        "/v1.45/containers/abc/archive", "/exec/abc/json", "/images/json", "/services/abc/logs", "/tasks/abc/logs",
        "/swarm", "/swarm/unlockkey", "/plugins", "/volumes", "/system/df", "/services/../secrets", "//secrets",
    ],
)  # fmt: skip
def test_nothing_else_is_answered(path: str) -> None:
    assert not answered("GET", path)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/services", "/services/abc", "/services/create", "/nodes/abc/update", "/info"])
def test_nothing_is_written(method: str, path: str) -> None:
    assert not answered(method, path)


def test_no_other_rule_lets_a_request_through() -> None:
    rules = [line.split() for line in LINES if line.strip().startswith(("http-request", "use_backend", "tcp-request"))]
    assert [rule[:2] for rule in rules] == [["http-request", "deny"]]
    assert len([line for line in LINES if line.startswith(("frontend", "listen", "backend"))]) == 2
