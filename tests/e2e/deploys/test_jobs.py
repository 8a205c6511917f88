"""Jobs that run once: those of a stack, and those that are made for a moment and leave nothing behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from swarm.containers import job_spec, jobs
from swarm.containers.job_spec import Job
from swarm.engine.client import Engine
from swarm.engine.wire import NAMESPACE
from swarm.errors import DeadlinePassed, JobFailed
from swarm.settings.environment import ROOT
from swarm.stacks import images, stack, targets
from tests.e2e.conftest import Platform
from tests.support.waiting import HANG, until

SAY = "import sys\nprint('out', flush=True)\nprint('err', file=sys.stderr, flush=True)\n"


def python(platform: Platform, program: str, **options: Any) -> Job:
    """A job that runs a few lines of Python in the service's image."""
    image = images.image(platform.environment, "activity").reference
    return Job(image, ("-c", program), command=("python3",), **options)


def left(engine: Engine) -> list[str]:
    """Names of ad-hoc jobs and their files that are still there."""
    services = engine._sdk.api.services(filters={"label": jobs.LABEL})
    return [item["Spec"]["Name"] for item in [*services, *engine.configs.list(jobs.LABEL)]]


@pytest.fixture
def scratch(platform: Platform) -> Iterator[Any]:
    """Make a job in a stack of its own, which is removed at the end."""
    engine = platform.engine
    made: list[str] = []

    def make(
        name: str, program: str, attempts: int = 0, options: dict[str, Any] | None = None, **template: Any
    ) -> None:
        job = python(platform, program, **options or {})
        spec = job_spec.specification(f"scratch_{name}", {NAMESPACE: "scratch"}, job, {})
        spec["TaskTemplate"] |= {
            "RestartPolicy": {"Condition": "on-failure" if attempts else "none", "MaxAttempts": attempts}, **template,
        }  # fmt: skip
        made.append(engine.services.create(spec)["ID"])

    yield make
    for identity in made:
        engine.services.remove(identity)


def test_a_job_of_a_stack_runs_once_more_and_shows_what_it_writes(platform: Platform) -> None:
    before = {task["ID"] for task in platform.engine.tasks.list("db")}
    assert platform.run("job", "db/bootstrap", "--dry").stdout == "db_bootstrap would run again.\n"
    assert {task["ID"] for task in platform.engine.tasks.list("db")} == before
    done = platform.run("job", "db/bootstrap")
    for role in ("gha_admin", "ro_user", "devstats_team"):
        assert done.stdout.count(f"role={role}") == 1
    fresh = [task for task in platform.engine.tasks.list("db") if task["ID"] not in before]
    assert len(fresh) == 1
    assert fresh[0]["Status"]["State"] == "complete"
    assert "nothing to do" in platform.run("deploy", "db").stdout


def test_what_is_no_job_is_said_with_the_nearest_names(platform: Platform) -> None:
    unknown = platform.run("job", "db/bootstap", check=False)
    assert unknown.returncode == 64
    assert "Did you mean db/bootstrap?" in unknown.stderr
    lasting = platform.run("job", "app/nginx", check=False)
    assert lasting.returncode == 19
    assert "app/nginx is not a job: its mode is replicated" in lasting.stderr


def test_a_job_that_fails_for_good_ends_the_verb_with_its_exit_code(platform: Platform, scratch: Any) -> None:
    scratch("fails", SAY + "sys.exit(42)", attempts=1)
    done = platform.run("job", "scratch/fails", check=False)
    assert done.returncode == 42
    assert done.stdout.splitlines().count("out") == 2, done.stdout
    assert "non-zero exit (42)" in done.stdout


def test_a_job_that_succeeds_at_a_later_attempt_has_succeeded(platform: Platform, scratch: Any) -> None:
    node, volume = platform.engine.info()["Swarm"]["NodeID"], f"tries-{time.time_ns()}"
    program = (
        "import pathlib,sys\nprint('try', flush=True)\ntries = pathlib.Path('/kept/tries')\n"
        "with tries.open('a') as file: file.write('x')\nsys.exit(tries.stat().st_size not in (3, 6))"
    )
    scratch("tries", program, attempts=60, options={"node": node, "volumes": {"/kept": volume}, "user": "0"})
    until(
        "its first end",
        lambda: {"complete"} & {one["Status"]["State"] for one in platform.engine.tasks.list("scratch")},
    )
    done = platform.run("job", "scratch/tries")
    assert done.stdout.splitlines().count("try") == 3, done.stdout


def test_a_job_that_no_node_takes_fails_with_the_reason(platform: Platform, scratch: Any) -> None:
    scratch("nowhere", SAY, Placement={"Constraints": ["node.labels.zone == mars"]})
    done = platform.run("job", "scratch/nowhere", check=False)
    assert done.returncode == 19
    assert "no suitable node" in done.stderr


def test_an_ad_hoc_job_sees_its_networks_secrets_and_files_and_leaves_nothing(platform: Platform) -> None:
    (db,) = targets.select(platform.environment, "db")
    sealed = {item.key: item.name for item in stack.render(platform.environment, db).secrets}
    program = (
        "import json,socket,pathlib\n"
        "print(json.dumps({'file': pathlib.Path('/etc/given').read_text(),"
        " 'secret': len(pathlib.Path('/run/secrets/word').read_text()),"
        " 'address': bool(socket.gethostbyname('db_haproxy'))}))"
    )
    job = python(
        platform,
        program,
        networks=("admin_database",),
        secrets={"word": sealed["ro-user-password"]},
        files={"/etc/given": b"a file"},
    )
    ended = jobs.run_once(platform.engine, "look", job)
    assert ended.code == 0
    assert json.loads(ended.output[-1])["file"] == "a file"
    assert json.loads(ended.output[-1])["secret"] > 0
    assert json.loads(ended.output[-1])["address"] is True
    assert left(platform.engine) == []


def test_every_line_of_an_ad_hoc_job_arrives_once_and_in_order(platform: Platform) -> None:
    ended = jobs.run_once(
        platform.engine, "lines", python(platform, "for i in range(5000): print(i)\nraise SystemExit(3)")
    )
    assert ended.code == 3
    assert ended.output == tuple(str(number) for number in range(5000))


def test_an_ad_hoc_job_that_cannot_start_or_end_says_so_and_leaves_nothing(platform: Platform) -> None:
    engine = platform.engine
    job = python(platform, "import time; print('begun', flush=True); time.sleep(100)", deadline=12)
    with pytest.raises(DeadlinePassed, match="begun"):
        jobs.run_once(engine, "slow", job)
    absent = replace(job, image=f"{job.image}-absent", deadline=120)
    with pytest.raises(JobFailed, match=r"No such image|not found"):
        jobs.run_once(engine, "absent", absent)
    with pytest.raises(JobFailed, match="secret not found in the swarm: nobody"):
        jobs.run_once(engine, "sealed", replace(job, secrets={"word": "nobody"}))
    assert left(engine) == []


def test_an_interrupted_client_leaves_nothing_and_what_a_killed_one_left_goes_with_the_next_job(
    platform: Platform,
) -> None:
    engine = platform.engine
    for number, remains in ((signal.SIGINT, False), (signal.SIGKILL, True)):
        client = subprocess.Popen(
            (sys.executable, "-c", CLIENT.format(image=images.image(platform.environment, "activity").reference)),
            env={**platform.process, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
            stderr=subprocess.DEVNULL,
        )
        until("the ad-hoc job", lambda: len(left(engine)) == 2)
        os.kill(client.pid, number)
        client.wait(HANG)
        assert bool(left(engine)) is remains
    assert jobs.run_once(engine, "next", python(platform, "print('here')")).output == ("here",)
    assert left(engine) == []


def test_an_ad_hoc_job_belongs_to_no_stack(platform: Platform) -> None:
    engine = platform.engine
    seen: list[str] = []

    def look(_: object) -> None:
        seen.append(platform.run("status", "--json").stdout)

    jobs.run_once(engine, "status", python(platform, "import time; print(1, flush=True); time.sleep(3)"), look)
    assert seen
    assert jobs.PREFIX not in seen[0]


CLIENT = """
from swarm.containers import job_spec, jobs
from swarm.nodes import manager
from swarm.settings import environment
from swarm.shell import Shell

command = ("python3",)
job = job_spec.Job("{image}", ("-c", "import time; time.sleep(100)"), command=command, files={{"/etc/given": b"x"}})
jobs.run_once(manager.connect(environment.load(), Shell()), "long", job)
"""
