"""The verb `probe` as a process: a real Postgres, a VictoriaMetrics that is played, passwords from files only."""

import json
from collections.abc import Iterator
from subprocess import CompletedProcess
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from activity.settings import Need

from tests.integration.activity.conftest import PASSWORDS, Platform
from tests.support import web_server

ANSWERS = {
    "up": {"resultType": "vector", "result": [{"metric": {}, "value": [0, "1"]}, {"metric": {}, "value": [0, "1"]}]},
    "mixed": {"resultType": "vector", "result": [{"metric": {}, "value": [0, "1"]}, {"metric": {}, "value": [0, "0"]}]},
    "none": {"resultType": "vector", "result": []},
    "scalar(7)": {"resultType": "scalar", "result": [0, "7"]},
}


@pytest.fixture
def metrics() -> Iterator[str]:
    """HOST:PORT of something that answers queries as VictoriaMetrics does."""

    class Handler(web_server.Handler):
        def do_GET(self) -> None:
            words = parse_qs(urlsplit(self.path).query)
            data = ANSWERS.get(words["query"][0])
            said = {"status": "success", "data": data} if data else {"status": "error", "error": "cannot parse"}
            self.answer(200 if data else 422, json.dumps(said).encode())

    with web_server.serving(Handler) as address:
        yield address


def sql(platform: Platform, name: str, query: str, expect: str, **changes: object) -> dict[str, object]:
    return {
        "kind": "sql", "name": name, "address": f"{platform.server.host}:{platform.server.port}", "timeout": 0.5,
        "database": "devstats", "role": "ro_user", "secret": Need.READER.value, "query": query, "expect": expect,
        **changes,
    }  # fmt: skip


def probe(platform: Platform, *tests: dict[str, object]) -> tuple[CompletedProcess[str], dict[str, dict[str, Any]]]:
    path = platform.folder / "probe.json"
    path.write_text(json.dumps({"tests": tests}))
    done = platform.run("probe", ACTIVITY_PROBE=str(path))
    for password in (*PASSWORDS.values(), platform.server.password):
        if len(password) > 8:
            assert password not in done.stdout + done.stderr
    return done, {said["name"]: said for said in map(json.loads, done.stdout.splitlines())}


def test_values_are_compared_as_psql_writes_them(platform: Platform) -> None:
    done, said = probe(
        platform,
        sql(platform, "boolean", "select pg_is_in_recovery()", "f"),
        sql(platform, "number", "select count(*) from pg_roles where rolname in ('ro_user', 'gha_admin')", "2"),
        sql(platform, "comparison", "select 5.5", ">= 5"),
        sql(platform, "null", "select null", ""),
        sql(platform, "none", "select 1 where false", "no row"),
        sql(platform, "owner", "select current_user", "gha_admin", role="gha_admin", secret=Need.OWNER.value),
    )
    assert done.returncode == 0, done.stdout
    assert {name: item["found"] for name, item in said.items()} == {
        "boolean": "f", "number": "2", "comparison": "5.5", "null": "", "none": "no row", "owner": "gha_admin",
    }  # fmt: skip


def test_what_does_not_hold_is_said_with_what_was_found_and_ends_with_one(platform: Platform) -> None:
    done, said = probe(
        platform,
        sql(platform, "value", "select 1", "2"),
        sql(platform, "syntax", "selekt 1", "1"),
        sql(platform, "password", "select 1", "1", secret=Need.TEAM.value),
        sql(platform, "secret", "select 1", "1", secret="absent"),
        sql(platform, "writes", "create table probe_was_here ()", "1", role="gha_admin", secret=Need.OWNER.value),
        {"kind": "tcp", "name": "port", "address": "127.0.0.1:1", "timeout": 0.5},
    )
    assert done.returncode == 1
    assert not any(item["held"] for item in said.values())
    assert said["value"]["found"] == "1"
    assert "syntax error" in said["syntax"]["found"]
    assert "password authentication failed" in said["password"]["found"]
    assert "FileNotFoundError" in said["secret"]["found"]
    assert "read-only transaction" in said["writes"]["found"]
    assert said["port"]["seconds"] >= 0.5


def test_a_query_of_metrics_holds_when_each_sample_does(platform: Platform, metrics: str) -> None:
    def query(words: str, expect: str) -> dict[str, object]:
        name = f"{words} {expect}"
        return {"kind": "promql", "name": name, "address": metrics, "timeout": 0.2, "query": words, "expect": expect}

    done, said = probe(
        platform,
        query("up", "1"),
        query("scalar(7)", "> 5"),
        query("mixed", "1"),
        query("none", "1"),
        query("b@d", "1"),
    )
    assert done.returncode == 1
    assert {name: (item["held"], item["found"]) for name, item in said.items()} == {
        "up 1": (True, "1"),
        "scalar(7) > 5": (True, "7"),
        "mixed 1": (False, "0"),
        "none 1": (False, "no series"),
        "b@d 1": (False, "refused: cannot parse"),
    }


def test_a_broken_file_of_tests_is_a_setting_that_is_wrong(platform: Platform) -> None:
    done = platform.run("probe", ACTIVITY_PROBE=str(platform.folder / "absent.json"))
    assert done.returncode == 78
    assert "absent.json" in done.stderr
