from types import SimpleNamespace
from typing import Any

import pytest

from swarm.checks import definitions, http, runner
from swarm.checks.definitions import Http, Promql, Sql, StackTests, Tcp
from swarm.checks.runner import CheckResult
from swarm.containers import jobs
from swarm.containers.job_log import Line
from swarm.containers.job_spec import Job
from swarm.containers.jobs import JobResult
from swarm.engine.client import Engine
from swarm.errors import CheckFailed, JobFailed
from swarm.report import Step
from swarm.settings import secrets
from swarm.stacks.targets import Target
from tests.unit.swarm.conftest import Make

STEP = Step("", None)
APP = Target("app")
PAGE = Http(name="page")
PORT = Tcp(name="port", network="admin_edge", address="app_nginx:8080")
VALUE = Sql(name="value", database="postgres", query="select 1", expect="1", role="r", secret="gha-admin-password")
UP = Promql(name="up", query="up")


class Swarm(Engine):
    """An engine that knows which services there are, and nothing else."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        object.__setattr__(self, "names", names)

    def _get_services(self, identity: str) -> dict[str, Any] | None:
        image = "127.0.0.1:5000/swarmstats/activity:1@sha256:abc"
        spec = {"Spec": {"Name": identity, "TaskTemplate": {"ContainerSpec": {"Image": image}}}}
        return spec if identity in self.names else None

    def _list_services(self, stack: str | None = None) -> list[dict[str, Any]]:
        return []

    @property
    def services(self) -> Any:
        return SimpleNamespace(get=self._get_services, list=self._list_services)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Tests of a stack, the answers of pages, and what the job comes to."""
    ran: list[Job] = []

    def _given(
        tests: StackTests, ended: JobResult | JobFailed | None = None, page: tuple[bool, str] = (True, "200")
    ) -> Any:
        def once(engine: Engine, name: str, job: Job) -> JobResult:
            ran.append(job)
            if isinstance(ended, JobResult):
                return ended
            raise ended or AssertionError("no job was to run")

        monkeypatch.setattr(definitions, "of", lambda target, domain: tests)
        monkeypatch.setattr(http, "visit", lambda environment, entrance, test, over: page)
        monkeypatch.setattr(jobs, "run_once", once)
        return ran

    return _given


def line(text: str) -> Line:
    return Line("t", "2026-01-01T00:00:00Z", text, False)


def result(name: str, held: str, found: str) -> Line:
    return line(f'{{"kind":"tcp","name":"{name}","held":{held},"expected":"open","found":"{found}","seconds":1.5}}')


def test_a_stack_without_tests_asks_nobody(given: Any, make: Make) -> None:
    given(StackTests())
    assert runner.check(make(), APP, Engine("unix:///nowhere"), STEP) == ()


def test_pages_alone_need_no_job_and_no_engine(given: Any, make: Make) -> None:
    given(StackTests(http=[PAGE]))
    (outcome,) = runner.check(make(), APP, Engine("unix:///nowhere"), STEP)
    assert (outcome.state, outcome.expected) == ("held", "status 200 from http://example.test/")


def test_a_failed_test_is_named_with_what_was_expected_and_found(given: Any, make: Make) -> None:
    given(StackTests(http=[PAGE]), page=(False, "status 502"))
    with pytest.raises(CheckFailed) as caught:
        runner.check(make(), APP, Engine("unix:///nowhere"), STEP)
    assert str(caught.value) == (
        "app: 1 of 1 stack tests failed:\n  http page: expected status 200 from http://example.test/, found status 502"
    )
    assert caught.value.exit_code == 15
    assert caught.value.hint == "Run again: ./run check app"


def test_a_test_of_another_kind_of_entrance_is_no_part_of_this_environment(given: Any, make: Make) -> None:
    given(StackTests(http=[Http(name="redirect", scheme="http", tls=True)]))
    assert runner.run(make(), APP, Engine("unix:///nowhere"), STEP) == ()


def test_a_test_that_cannot_be_asked_from_here_is_left_out_by_name(given: Any, make: Make) -> None:
    given(StackTests(http=[Http(name="secure", scheme="https")]))
    (outcome,) = runner.check(make(), APP, Engine("unix:///nowhere"), STEP)
    assert (outcome.name, outcome.state, outcome.found) == ("secure", "skipped", "https is not reachable from here")


def test_all_tests_inside_the_swarm_are_one_job_on_their_networks(given: Any, make: Make) -> None:
    ended = JobResult(0, (result("port", "true", "open"), line("not JSON")))
    ran = given(StackTests(tcp=[PORT], promql=[UP]), ended)
    outcomes = runner.run(make(), APP, Swarm("metrics_victoriametrics", "admin_portal"), STEP)
    assert [(o.name, o.state, o.found) for o in outcomes] == [
        ("port", "held", "open"),
        ("up", "failed", "no result; output of the job: " + f"{ended.lines[0].text} / not JSON"),
    ]
    (job,) = ran
    assert job.networks == ("admin_edge",)
    assert job.image == "127.0.0.1:5000/swarmstats/activity:1@sha256:abc"
    assert job.arguments == ("probe",)
    assert b"metrics_victoriametrics:8428" in job.files[runner.CONFIG]


@pytest.mark.parametrize(
    "text",
    [
        "{'a': 1}", "{", '{"held": true}', '{"kind": "tcp", "name": ["port"], "held": true}',
        '{"kind":"tcp","name":["port"],"held":true,"expected":"open","found":"open","seconds":1.5}',
        '{"kind":"tcp","name":"port","held":true,"expected":"open","found":"open","seconds":"long"}',
    ],
)  # fmt: skip
def test_a_line_that_only_begins_like_a_result_is_none(given: Any, make: Make, text: str) -> None:
    given(StackTests(tcp=[PORT]), JobResult(0, (line(text), result("port", "true", "open"), line(text))))
    (outcome,) = runner.run(make(), APP, Swarm("admin_portal"), STEP)
    assert (outcome.name, outcome.state, outcome.found, outcome.seconds) == ("port", "held", "open", 1.5)


def test_passwords_go_to_the_job_as_secrets_by_their_version(given: Any, make: Make) -> None:
    ran, environment = given(StackTests(sql=[VALUE]), JobResult(0, (result("value", "true", "1"),))), make()
    secret = secrets.write(environment.secrets, "gha-admin-password", secrets.password())
    runner.run(environment, Target("db"), Swarm("admin_portal"), STEP)
    (job,) = ran
    assert list(job.secrets) == ["gha-admin-password"]
    assert job.secrets["gha-admin-password"].startswith("gha-admin-password_")
    assert secret.reveal().encode() not in b"".join(job.files.values())


def test_a_secret_that_is_not_the_stacks_fails_its_tests_with_the_reason(given: Any, make: Make) -> None:
    given(StackTests(sql=[VALUE]))
    (outcome,) = runner.run(make(), APP, Swarm("admin_portal"), STEP)
    assert outcome.state == "failed"
    assert outcome.found.startswith("stacks/app/tests.yaml: the stack has no secret gha-admin-password")


def test_promql_without_the_metrics_stack_is_left_out_by_name(given: Any, make: Make) -> None:
    given(StackTests(promql=[UP]))
    (outcome,) = runner.check(make(), APP, Swarm("admin_portal"), STEP)
    assert (outcome.name, outcome.state, outcome.found) == ("up", "skipped", "the metrics stack is not deployed")


def test_a_job_that_could_not_run_fails_all_its_tests_with_its_reason(given: Any, make: Make) -> None:
    given(StackTests(tcp=[PORT]), JobFailed("no node can run it"))
    (outcome,) = runner.run(make(), APP, Swarm("admin_portal"), STEP)
    assert (outcome.state, outcome.found) == ("failed", "no node can run it")


def test_the_summary_counts_what_held_failed_and_was_left_out() -> None:
    def one(state: str) -> CheckResult:
        return CheckResult("app", "http", "a", state, "", "")

    assert runner.summary([one("held"), one("held"), one("failed"), one("skipped")]) == "2 held, 1 failed, 1 skipped"
    assert runner.summary([]) == "no tests"


def test_a_page_behind_a_password_that_is_not_known_here_is_left_out(make: Make, given: Any) -> None:
    environment = make()
    given(StackTests(http=[Http(name="page", sign_in="traefik-admin")]))
    (outcome,) = runner.run(environment, APP, Swarm(), STEP)
    assert (outcome.state, outcome.found) == (
        runner.LEFT_OUT, "the password traefik-admin is unknown: its file is missing"
    )  # fmt: skip
    secrets.write(environment.secrets, "traefik-admin", secrets.password())
    (outcome,) = runner.run(environment, APP, Swarm(), STEP)
    assert outcome.state == runner.HELD
