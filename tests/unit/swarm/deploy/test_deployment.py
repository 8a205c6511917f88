"""What becomes of a deploy that is disturbed; that it goes well is tested on a real swarm."""

from dataclasses import replace
from threading import Event

import docker.errors
import pytest

from swarm.checks import http
from swarm.checks.definitions import Http
from swarm.deploy import releases
from swarm.deploy.changeset import ChangeSet
from swarm.deploy.deployment import Deployment, Options
from swarm.deploy.executor import Executor
from swarm.deploy.releases import State
from swarm.engine.wire import NAMESPACE
from swarm.errors import LockLost, RollbackFailed, RolledBack
from swarm.live import services
from swarm.plan import plan
from swarm.plan.plan import Pins
from swarm.rollout import lock
from swarm.rollout.converge import Timing
from swarm.rollout.lock import HeldLock
from swarm.settings.environment import Environment
from swarm.stacks.conversion import DesiredState
from swarm.stacks.manifest import Manifest
from swarm.stacks.stack import Stack
from swarm.stacks.targets import Target
from tests.support.fake_managers import Answer, Known, Managers, Raw
from tests.support.sessions import session
from tests.unit.swarm.conftest import Make

OPTIONS = Options(tests=False)
QUICK = Timing(stable_seconds=0.01, poll_seconds=0.01)
MANIFEST = Manifest(description="web", timeout=2)


def spec(stack: str, image: str) -> Raw:
    return {
        "Name": f"{stack}_web",
        "Labels": {NAMESPACE: stack},
        "Mode": {"Replicated": {"Replicas": 1}},
        "TaskTemplate": {"ContainerSpec": {"Image": image}, "ForceUpdate": 0},
    }


def deployment(make: Make, engine: Known, hold: HeldLock, image: str, *names: str) -> Deployment:
    """A deploy of stacks of one service each."""
    rendered = tuple(
        Stack(Target(name), MANIFEST, {"services": {"web": {"image": image}}}, (), (), ()) for name in names
    )
    wanted = {name: DesiredState(name, {f"{name}_web": spec(name, image)}, {}, {}) for name in names}
    seen = services.snapshot(engine)
    plans = {name: plan.plan(wanted[name], seen, Pins()) for name in names}
    found = ChangeSet(rendered, wanted, plans, releases.unfinished(engine), seen)
    return Deployment(found, Executor(session(make(), engine), hold, QUICK), OPTIONS)


def images(managers: Managers) -> dict[str, str]:
    return {
        item["Spec"]["Name"]: item["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
        for item in managers.held["services"].values()
    }


def states(engine: Known, stack: str) -> list[State]:
    return [release.state for release in reversed(releases.history(engine, stack))]


def test_a_deploy_that_has_lost_its_lock_goes_neither_on_nor_back_and_leaves_its_release_pending(make: Make) -> None:
    engine = Known()
    deployment(make, engine, HeldLock(), "r/web:1", "admin", "app").run()

    def broken(path: str) -> None:
        if path.startswith("/services/") and path.endswith("/update"):
            lock.release(engine)

    engine.managers.after = broken
    lost = pytest.raises(LockLost, match="release 2 of admin")
    with lost as caught, lock.held(engine, "deploy", 1, print) as hold:
        deployment(make, engine, hold, "r/web:2", "admin", "app").run()
    assert "./run deploy admin completes it" in caught.value.hint
    assert images(engine.managers) == {"admin_web": "r/web:2", "app_web": "r/web:1"}
    assert (states(engine, "admin"), states(engine, "app")) == ([State.DEPLOYED, State.PENDING], [State.DEPLOYED])
    engine.managers.after = lambda path: None
    deployment(make, engine, HeldLock(), "r/web:2", "admin", "app").run()
    assert states(engine, "admin") == [State.DEPLOYED, State.DEPLOYED]
    assert images(engine.managers) == {"admin_web": "r/web:2", "app_web": "r/web:2"}


def test_a_change_that_docker_refuses_in_the_middle_of_a_deploy_goes_back_with_the_reason(make: Make) -> None:
    engine = Known()
    deployment(make, engine, HeldLock(), "r/web:1", "admin", "app").run()
    doomed = str(engine.managers.named("services", "app_web")["ID"])
    deploy = deployment(make, engine, HeldLock(), "r/web:2", "admin", "app")

    def before(method: str, path: str) -> Answer | None:
        if path == "/tasks" and engine.managers.told[-1] == f"POST /services/{doomed}/update" and not deploy.served[1:]:
            engine.managers.before = lambda method, path: None
            return 500, {"message": "rpc error: code = DeadlineExceeded"}
        return None

    engine.managers.before = before
    with pytest.raises(RolledBack, match="app: Docker rejected the request: rpc error: code = DeadlineExc"):
        deploy.run()
    assert images(engine.managers) == {"admin_web": "r/web:1", "app_web": "r/web:1"}
    assert states(engine, "app") == [State.DEPLOYED, State.FAILED]


def test_a_way_back_that_docker_refuses_too_ends_as_one_that_failed(make: Make) -> None:
    engine = Known()
    deployment(make, engine, HeldLock(), "r/web:1", "app").run()
    deploy = deployment(make, engine, HeldLock(), "r/web:2", "app")
    engine.managers.before = lambda method, path: (
        (500, {"message": "no space left"}) if path == "/tasks" and deploy.begun else None
    )
    with pytest.raises(RollbackFailed, match=r"no space left\nThe rollback failed too: .*no space left"):
        deploy.run()


def test_managers_that_nobody_speaks_for_leave_a_deploy_for_the_next_one_to_complete(make: Make) -> None:
    engine = Known()
    deploy = deployment(make, engine, HeldLock(), "r/web:1", "app")
    leaderless = (503, {"message": "The swarm does not have a leader."})
    engine.managers.before = lambda method, path: leaderless if deploy.begun else None
    with pytest.raises(docker.errors.APIError, match="leader"):
        deploy.run()
    engine.managers.before = lambda method, path: None
    assert states(engine, "app") == [State.PENDING]


def test_old_versions_that_cannot_be_removed_are_told_and_the_deploy_has_succeeded(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = Known()
    deploy = deployment(make, engine, HeldLock(), "r/web:1", "app")
    engine.managers.before = lambda method, path: (
        (500, {"message": "no space left"}) if path == "/secrets" and deploy.served else None
    )
    deploy.run()
    engine.managers.before = lambda method, path: None
    assert states(engine, "app") == [State.DEPLOYED]
    assert "Could not prune old versions" in capsys.readouterr().err


def test_a_plan_names_what_a_deploy_would_act_upon_besides_changes(make: Make) -> None:
    engine = Known()
    deployment(make, engine, HeldLock(), "r/web:1", "app").run()
    assert not deployment(make, engine, HeldLock(), "r/web:1", "app").found.changed
    engine.managers.running = lambda service: "starting"
    deploy = deployment(make, engine, HeldLock(), "r/web:1", "app")
    assert [stack.name for stack in deploy.found.changed] == ["app"]
    assert deploy.found.plan_context(deploy.executor.session).unhealthy == {"app": ["web 0/1 starting"]}
    engine.managers.running = lambda service: "running"
    held = releases.content(engine, releases.history(engine, "app")[0])
    left = releases.begin(engine, "app", held, deploy="x", commit="")
    deploy = deployment(make, engine, HeldLock(), "r/web:1", "app")
    assert [stack.name for stack in deploy.found.changed] == ["app"]
    assert deploy.found.plan_context(deploy.executor.session).unfinished == {
        "app": f"release 2 of app was left pending by {left.owner}"
    }


def updates(engine: Known, since: int = 0) -> list[str]:
    """The services that were created or updated, in that order."""
    names = {item["ID"]: item["Spec"]["Name"] for item in engine.managers.held["services"].values()}
    changes = [line.split("/") for line in engine.managers.told[since:] if line.startswith("POST /services/")]
    return [names[parts[2]] for parts in changes if parts[2] in names]


def test_a_failed_deploy_is_undone_last_stack_first(make: Make) -> None:
    engine = Known()
    deployment(make, engine, HeldLock(), "r/web:1", "admin", "db", "app").run()
    failing = {"app_web": "r/web:2"}
    engine.managers.running = lambda service: (
        "failed"
        if failing.get(service["Spec"]["Name"]) == service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
        else "running"
    )
    before = len(engine.managers.told)
    with pytest.raises(RolledBack, match="Rolled back to release 1 of app, release 1 of db, release 1 of admin"):
        deployment(make, engine, HeldLock(), "r/web:2", "admin", "db", "app").run()
    assert updates(engine, before) == ["admin_web", "db_web", "app_web", "app_web", "db_web", "admin_web"]
    assert set(images(engine.managers).values()) == {"r/web:1"}


def test_a_deploy_runs_the_stack_tests_and_rolls_back_when_one_fails(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Known()
    pages: list[str] = []
    answers = True, "status 200"

    def visit(environment: Environment, door: http.EntryPoint, test: Http, over: Event) -> tuple[bool, str]:
        pages.append(f"{door.host(test)}{test.path}")
        return answers

    monkeypatch.setattr(http, "visit", visit)

    def deploy(image: str, *, tests: bool = True) -> None:
        found = deployment(make, engine, HeldLock(), image, "app")
        replace(found, options=Options(tests=tests)).run()

    deploy("r/web:1")
    assert sorted(pages) == ["app.example.test/", "app.example.test/healthz"]
    answers = False, "status 502"
    with pytest.raises(RolledBack, match=r"app: \d of \d stack tests failed:\n.*found status 502"):
        deploy("r/web:2")
    assert images(engine.managers) == {"app_web": "r/web:1"}
    pages.clear()
    deploy("r/web:3", tests=False)
    assert pages == []
    assert images(engine.managers) == {"app_web": "r/web:3"}
