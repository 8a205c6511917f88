"""The use case that asks whether a stack does what its tests.yaml says: by HTTP from outside, by one job inside."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from typing import Any

from pydantic import BaseModel, ValidationError

from swarm.checks import definitions, http
from swarm.checks.definitions import Http, StackTests
from swarm.containers import jobs
from swarm.containers.job_spec import Job
from swarm.engine.client import Engine
from swarm.errors import ChangedMeanwhile, CheckFailed, JobFailed, StackFailed, StackInvalid
from swarm.report import Step
from swarm.rollout.waves import together, waves
from swarm.settings.environment import Environment
from swarm.stacks import images, stack
from swarm.stacks.stack import Stack
from swarm.stacks.targets import Target

HELD, FAILED, LEFT_OUT = "held", "failed", "skipped"
PARALLEL_STACKS = 8
START_SECONDS = 90.0
SERVICE_IMAGE = "activity"
SERVICE = "admin_portal"
METRICS = "metrics_victoriametrics"
METRICS_ADDRESS = f"{METRICS}:8428"
METRICS_NETWORK = "admin_edge"
CONFIG = "/etc/swarmstats/probe.json"


@dataclass(frozen=True)
class CheckResult:
    """The result of one stack test."""

    stack: str
    kind: str
    name: str
    state: str
    expected: str
    found: str
    seconds: float = 0.0


class _Result(BaseModel):
    """One line of the service's verb `probe`."""

    kind: str
    name: str
    held: bool
    expected: str
    found: str
    seconds: float


def check(environment: Environment, target: Target, engine: Engine, step: Step) -> tuple[CheckResult, ...]:
    """Run the tests of a stack; raises CheckFailed with every test that failed."""
    outcomes = run(environment, target, engine, step)
    require(outcomes)
    return outcomes


def check_all(
    environment: Environment, targets: Sequence[Target], engine: Engine, step: Step
) -> tuple[CheckResult, ...]:
    """Run the tests of several stacks, those of all projects at the same time; failures are outcomes like others."""
    found: dict[str, tuple[CheckResult, ...]] = {}

    def one(target: Target, part: Step) -> None:
        found[target.name] = run(environment, target, engine.with_own_connection(), part)

    for title, wave in waves(targets, lambda target: target):
        step.note(title)
        together(wave, one, step)
    return tuple(outcome for target in targets for outcome in found[target.name])


def run(environment: Environment, target: Target, engine: Engine, step: Step) -> tuple[CheckResult, ...]:
    """Run the tests of a stack; nothing is asked of the swarm where none runs inside it."""
    tests = definitions.of(target, environment.domain)
    entrance = http.entry_point(environment)
    pages = [test for test in tests.http if test.tls in (None, entrance.tls)]
    if not pages and not tests.inside:
        return ()
    step.note(f"stack tests: {len(pages)} by HTTP, {tests.inside} inside the swarm")
    over = Event()
    with ThreadPoolExecutor(PARALLEL_STACKS) as pool:
        try:
            visits = [pool.submit(_visit, environment, target, entrance, test, over) for test in pages]
            inside = _inside(environment, target, tests, engine) if tests.inside else []
            return (*(visit.result() for visit in visits), *inside)
        finally:
            # Who is interrupted does not wait for pages.
            over.set()


def validate(environment: Environment, targets: Iterable[Target]) -> None:
    """Read the tests of stacks without running them; raises EnvironmentInvalid with file and line."""
    for target in targets:
        definitions.of(target, environment.domain)


def require(outcomes: Sequence[CheckResult]) -> None:
    """Raise CheckFailed if a test failed."""
    failed = [outcome for outcome in outcomes if outcome.state == FAILED]
    if failed:
        names = ", ".join(dict.fromkeys(outcome.stack for outcome in failed))
        lines = (f"  {it.kind} {it.name}: expected {it.expected}, found {it.found}" for it in failed)
        raise CheckFailed(
            "\n".join((f"{names}: {len(failed)} of {len(outcomes)} stack tests failed:", *lines)),
            hint=f"Run again: ./run check {names.replace(' ', '')}",
        )


def summary(outcomes: Sequence[CheckResult]) -> str:
    """How many tests held, failed and were left out."""
    counts = Counter(outcome.state for outcome in outcomes)
    return ", ".join(f"{counts[state]} {state}" for state in (HELD, FAILED, LEFT_OUT) if counts[state]) or "no tests"


def _visit(environment: Environment, target: Target, entrance: http.EntryPoint, test: Http, over: Event) -> CheckResult:
    if not entrance.reaches(test):
        reason = f"{entrance.scheme(test)} is not reachable from here"
        return CheckResult(target.name, "http", test.name, LEFT_OUT, test.expected, reason)
    if not http.can_sign_in(environment, test):
        reason = f"the password {test.sign_in} is unknown: its file is missing"
        return CheckResult(target.name, "http", test.name, LEFT_OUT, test.expected, reason)
    began = time.monotonic()
    held, found = http.visit(environment, entrance, test, over)
    where = f"{test.expected} from {entrance.scheme(test)}://{entrance.host(test)}{test.path}"
    seconds = round(time.monotonic() - began, 1)
    return CheckResult(target.name, "http", test.name, HELD if held else FAILED, where, found, seconds)


def _inside(environment: Environment, target: Target, tests: StackTests, engine: Engine) -> list[CheckResult]:
    """Run the tests inside the swarm by one job; one that did not come to run has failed with the job's reason."""
    left_out: list[CheckResult] = []
    if tests.promql and engine.services.get(METRICS) is None:
        reason = "the metrics stack is not deployed"
        left_out = [
            CheckResult(target.name, "promql", test.name, LEFT_OUT, test.expect, reason) for test in tests.promql
        ]
        tests = tests.model_copy(update={"promql": []})
    probes = probes_of(tests)
    if not probes:
        return left_out
    try:
        job = _job(stack.render(environment, target), environment, tests, probes, engine)
        ended = jobs.run_once(engine, f"check-{target.name}", job)
    except (ChangedMeanwhile, JobFailed, StackFailed, StackInvalid) as error:
        return [*_without_result(target, probes, {}, error.message), *left_out]
    found = {outcome.name: outcome for outcome in _results(target, ended.output)}
    said = " / ".join(line.text for line in ended.lines[-3:]) or "nothing"
    return [
        *found.values(),
        *_without_result(target, probes, found, f"no result; output of the job: {said}"),
        *left_out,
    ]


def probes_of(tests: StackTests) -> list[dict[str, Any]]:
    """The tests that run inside the swarm, as the service's verb `probe` reads them."""
    return [
        *({"kind": "tcp", **test.model_dump(exclude={"network"})} for test in tests.tcp),
        *({"kind": "sql", **test.model_dump(exclude={"network"})} for test in tests.sql),
        *({"kind": "promql", "address": METRICS_ADDRESS, **test.model_dump()} for test in tests.promql),
    ]


def _job(
    stack: Stack, environment: Environment, tests: StackTests, probes: Sequence[Mapping[str, Any]], engine: Engine
) -> Job:
    sealed = {item.key: item.name for item in stack.secrets}
    wanted = {test.secret for test in tests.sql}
    if absent := sorted(wanted - sealed.keys()):
        place = f"stacks/{stack.target.template}/tests.yaml"
        raise StackInvalid(
            f"{place}: the stack has no secret {', '.join(absent)}; it has: {', '.join(sorted(sealed))}."
        )
    networks = {test.network for test in tests.tcp} | {test.network for test in tests.sql}
    networks |= {METRICS_NETWORK} if tests.promql else set()
    return Job(
        image=_image(stack, environment, engine),
        arguments=("probe",),
        networks=tuple(sorted(networks)),
        secrets={name: sealed[name] for name in sorted(wanted)},
        files={CONFIG: json.dumps({"tests": probes}).encode()},
        deadline=START_SECONDS + max(float(probe["timeout"]) for probe in probes),
    )


def _image(stack: Stack, environment: Environment, engine: Engine) -> str:
    """The service's image as it runs in the stack, else as it serves the portal: nodes can get that for certain."""
    wanted = images.image(environment, SERVICE_IMAGE).reference
    name = wanted.rpartition(":")[0]
    portal = engine.services.get(SERVICE)
    running = (
        str(service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])
        for service in (*engine.services.list(stack.name), *((portal,) if portal else ()))
    )
    return next((image for image in running if image.startswith(f"{name}:")), wanted)


def _results(target: Target, output: Iterable[str]) -> Iterable[CheckResult]:
    """What the job says of its tests; it may write other lines too, such as those of a library."""
    for line in output:
        with suppress(ValidationError):
            said = _Result.model_validate_json(line)
            state = HELD if said.held else FAILED
            yield CheckResult(target.name, said.kind, said.name, state, said.expected, said.found, said.seconds)


def _without_result(
    target: Target, probes: Iterable[Mapping[str, Any]], found: Mapping[str, CheckResult], reason: str
) -> list[CheckResult]:
    return [
        CheckResult(target.name, probe["kind"], probe["name"], FAILED, probe.get("expect", "open"), reason)
        for probe in probes
        if probe["name"] not in found
    ]
