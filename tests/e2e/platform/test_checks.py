"""Stack tests on the real platform: what holds, what does not, and what is left out."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from swarm.checks import definitions, runner
from swarm.checks.definitions import Promql, Sql, StackTests, Tcp
from swarm.containers import job_spec, jobs
from swarm.nodes import manager
from swarm.report import Step
from swarm.settings.environment import ROOT
from swarm.shell import Shell
from swarm.stacks import targets
from tests.e2e.conftest import Platform
from tests.support.waiting import until

APP = ROOT / "stacks" / "app" / "tests.yaml"
Write = Callable[[str], None]


@pytest.fixture
def write() -> Iterator[Write]:
    """Write other tests for the demo application; its own come back at the end."""
    text = APP.read_text()
    yield lambda other: Path(APP).write_text(other) and None
    APP.write_text(text)


def jobs_of(platform: Platform) -> list[str]:
    return [item["Spec"]["Name"] for item in platform.engine._sdk.api.services(filters={"label": jobs.LABEL})]


def test_everything_that_the_stacks_promise_holds(platform: Platform) -> None:
    outcomes = json.loads(platform.run("check", "all", "--json").stdout)
    assert {outcome["state"] for outcome in outcomes} == {"held"}, outcomes
    assert {outcome["kind"] for outcome in outcomes} == {"http", "tcp", "sql", "promql"}
    stacks = {outcome["stack"] for outcome in outcomes}
    assert stacks == {"admin", "app", "db", "metrics", "archive", *platform.environment.projects.names}
    assert jobs_of(platform) == []


def test_the_check_of_a_stack_with_pages_only_needs_no_job(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "run_once", None)
    (app,) = targets.select(platform.environment, "app")
    outcomes = runner.check(platform.environment, app, manager.connect(platform.environment, Shell()), Step("", None))
    assert [outcome.state for outcome in outcomes] == ["held", "held"]


def test_a_test_that_fails_ends_the_check_with_15_and_names_what_was_found(platform: Platform, write: Write) -> None:
    write(
        "http:\n"
        "  - {name: a page that is not there, host: app, path: /nowhere, timeout: 5}\n"
        "  - {name: another text, host: app, text: Welcome to Mars, timeout: 5}\n"
        "  - {name: the page, host: app}\n"
        "tcp:\n"
        '  - {name: a port that is not there, network: admin_edge, address: "app_nginx:9", timeout: 5}\n'
        '  - {name: a name that is not there, network: admin_edge, address: "nobody:1", timeout: 5}\n'
    )
    done = platform.run("check", "app", check=False)
    assert done.returncode == 15
    assert "app: 4 of 5 stack tests failed:" in done.stderr
    assert "http a page that is not there: expected status 200 from http://app." in done.stderr
    assert "found status 404" in done.stderr
    assert "characters without the text" in done.stderr
    assert "tcp a port that is not there: expected open, found ConnectionRefusedError" in done.stderr
    assert "tcp a name that is not there: expected open, found gaierror" in done.stderr
    assert jobs_of(platform) == []


def test_a_mistake_in_the_tests_is_said_with_its_line(platform: Platform, write: Write) -> None:
    write("http:\n  - name: the page\n    hots: app\n")
    done = platform.run("check", "app", check=False)
    assert done.returncode == 65
    assert "stacks/app/tests.yaml:3: http[0].hots: unknown key; allowed: host, " in done.stderr


def test_passwords_stand_in_no_config_service_or_log_of_the_job(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    once = jobs.run_once

    def look(engine: object, name: str, job: job_spec.Job) -> jobs.JobResult:
        seen.append(str(job))
        ended = once(platform.engine, name, job)
        seen.extend(line.text for line in ended.lines)
        return ended

    monkeypatch.setattr(jobs, "run_once", look)
    (db,) = targets.select(platform.environment, "db")
    outcomes = runner.run(platform.environment, db, platform.engine, Step("", None))
    assert {outcome.state for outcome in outcomes} == {"held"}
    assert len(seen) > len([outcome for outcome in outcomes if outcome.kind != "http"])
    for file in platform.environment.secrets.glob("*.secret"):
        assert file.read_text().strip() not in "".join(seen)


def test_metrics_are_left_out_by_name_where_their_stack_is_not(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "METRICS", "metrics_nothing")
    up = Promql(name="scraped", query="up")
    port = Tcp(name="port", network="admin_edge", address="app_nginx:8080")
    monkeypatch.setattr(definitions, "of", lambda target, domain: StackTests(promql=[up], tcp=[port]))
    (app,) = targets.select(platform.environment, "app")
    outcomes = runner.check(platform.environment, app, platform.engine, Step("", None))
    assert {outcome.name: outcome.state for outcome in outcomes} == {"port": "held", "scraped": "skipped"}


def test_the_value_of_a_database_is_asked_until_it_is_as_expected(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = Sql(
        name="soon",
        database="postgres",
        role="gha_admin",
        secret="gha-admin-password",
        query=f"select extract(epoch from now()) > {time.time() + 6}",
        expect="t",
    )
    monkeypatch.setattr(definitions, "of", lambda target, domain: StackTests(sql=[soon]))
    (db,) = targets.select(platform.environment, "db")
    (outcome,) = runner.check(platform.environment, db, platform.engine, Step("", None))
    assert outcome.state == "held"
    until("the job to go", lambda: not jobs_of(platform))
