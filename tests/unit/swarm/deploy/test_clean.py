"""What a clean would remove, what it leaves, and the way back from it."""

from types import SimpleNamespace
from typing import Any

import pytest

from swarm.containers import backfills
from swarm.deploy import changeset, clean, prune, releases, rollback
from swarm.deploy.deployment import Deployment, Options
from swarm.deploy.executor import Executor
from swarm.deploy.releases import Release, State
from swarm.engine.client import Engine
from swarm.engine.wire import NAMESPACE
from swarm.errors import LockLost, StackFailed, StackNeeded, UnknownName
from swarm.live import lookup
from swarm.plan.plan import Pins
from swarm.report import Report
from swarm.rollout import lock
from swarm.rollout.converge import Timing
from swarm.settings.secrets import Secret
from swarm.stacks import versions
from swarm.stacks.conversion import DesiredState
from swarm.stacks.manifest import Manifest
from swarm.stacks.selection import Selection
from swarm.stacks.stack import Stack
from swarm.stacks.targets import Target
from swarm.stacks.versions import ConfigVersion, SecretVersion
from tests.support.fake_managers import Answer, Known
from tests.support.sessions import session
from tests.unit.swarm.conftest import Make

ADMIN, APP = Target("admin"), Target("app")
QUICK = Timing(stable_seconds=0.01, poll_seconds=0.01)


def service(name: str, network: str) -> dict[str, Any]:
    stack = name.partition("_")[0]
    return {
        "ID": f"id-of-{name}",
        "Spec": {
            "Name": name,
            "Labels": {NAMESPACE: stack},
            "Mode": {"Replicated": {"Replicas": 1}},
            "TaskTemplate": {"ContainerSpec": {"Image": "x"}, "Networks": [{"Target": network}]},
        },
    }


def head(stack: str, number: int, state: str = releases.State.DEPLOYED) -> dict[str, Any]:
    """The first config of a release, without content."""
    words = ("state", "deploy", "owner", "host", "commit", "note")
    labels = {f"{releases.LABEL}-{word}": "x" for word in words}
    labels |= {releases.LABEL: stack, f"{releases.LABEL}-state": state}
    labels |= {f"{releases.LABEL}-number": str(number), f"{releases.LABEL}-parts": "1"}
    created = f"2026-11-2{number}T10:00:00Z"
    return {"ID": f"{stack}-{number}", "CreatedAt": created, "Spec": {"Name": f"{stack}-{number}", "Labels": labels}}


class Swarm(Engine):
    """A swarm that can be looked at, and nothing else: whoever changes something fails for want of an engine."""

    def _list_services(self, stack: str | None = None) -> list[dict[str, Any]]:
        every = [service("admin_portal", "n1"), service("admin_traefik", "n1"), service("app_nginx", "n1")]
        return [item for item in every if stack in (None, item["Spec"]["Labels"][NAMESPACE])]

    def _list_nodes(self) -> list[dict[str, Any]]:
        return []

    def _list_tasks(self, stack: str | None = None) -> list[dict[str, Any]]:
        return []

    def _list_networks(self, stack: str | None = None) -> list[dict[str, Any]]:
        return [{"Id": "n1", "Name": "admin_edge"}] if stack == "admin" else []

    def _list_configs(self, label: str | None = None) -> list[dict[str, Any]]:
        if label == releases.LABEL:
            return [head("app", 2), head("app", 1), head("admin", 7, releases.State.FAILED)]
        return [{"ID": "c", "Spec": {"Name": "app_page_0123456789", "Labels": {NAMESPACE: "app"}}}]

    @property
    def services(self) -> Any:
        return SimpleNamespace(list=self._list_services)

    @property
    def nodes(self) -> Any:
        return SimpleNamespace(list=self._list_nodes)

    @property
    def tasks(self) -> Any:
        return SimpleNamespace(list=self._list_tasks)

    @property
    def networks(self) -> Any:
        return SimpleNamespace(list=self._list_networks)

    @property
    def configs(self) -> Any:
        return SimpleNamespace(list=self._list_configs)


class Filling(Swarm):
    """The same while a backfill of a project runs on the network of admin."""

    def _list_services(self, stack: str | None = None) -> list[dict[str, Any]]:
        job = service("swarmstats-backfill-apache", "n1")
        job["Spec"]["Labels"] = {backfills.LABEL: "apache"}
        return [*super()._list_services(stack), *([] if stack else [job])]


def dry(targets: tuple[Target, ...], words: str = "", swarm: type[Swarm] = Swarm) -> None:
    clean.clean(targets, swarm(host="unix:///nowhere"), Report(), 1, Selection.parse(words), dry=True)


def test_a_dry_clean_names_what_would_go_last_stack_first(capsys: pytest.CaptureFixture[str]) -> None:
    dry((ADMIN, APP))
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [
        "would remove service app_nginx",
        "would remove service admin_portal",
        "would remove service admin_traefik",
        "would remove network admin_edge",
        "would mark release 2 of app as cleaned",
        "would remove unused versions of configs and secrets",
    ]


def test_a_dry_clean_of_a_selection_names_its_services_alone(capsys: pytest.CaptureFixture[str]) -> None:
    dry((ADMIN, APP), "app=portal")
    assert capsys.readouterr().out.strip() == "would remove service admin_portal"


def test_a_dry_clean_of_what_is_not_there_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    dry((Target("metrics"),))
    assert capsys.readouterr().out.strip() == "nothing to remove"


def test_a_dry_clean_refuses_what_a_clean_refuses() -> None:
    with pytest.raises(StackNeeded, match="app use admin_edge of admin"):
        dry((ADMIN,))
    with pytest.raises(UnknownName, match="prtal"):
        dry((ADMIN, APP), "app=prtal")


def test_a_clean_ends_the_backfills_that_run_on_what_goes_and_no_others(capsys: pytest.CaptureFixture[str]) -> None:
    dry((ADMIN, APP), swarm=Filling)
    assert capsys.readouterr().out.split("\n")[0].strip() == "would remove backfill of apache"
    dry((APP,), swarm=Filling)
    assert "backfill" not in capsys.readouterr().out
    dry((ADMIN, APP), "app=portal", Filling)
    assert "backfill" not in capsys.readouterr().out


def test_a_backfill_refuses_no_clean_and_is_never_named_as_a_stack() -> None:
    with pytest.raises(StackNeeded) as caught:
        dry((ADMIN,), swarm=Filling)
    assert "backfill" not in str(caught.value)


def test_a_stack_that_no_project_has_is_cleaned_with_its_backfill(capsys: pytest.CaptureFixture[str]) -> None:
    class Left(Filling):
        def _list_services(self, stack: str | None = None) -> list[dict[str, Any]]:
            sync = [service("apache_sync", "n2")] if stack in (None, "apache") else []
            return [*super()._list_services(stack), *sync]

    dry((Target("apache"),), swarm=Left)
    assert [line.strip() for line in capsys.readouterr().out.splitlines()][:2] == [
        "would remove backfill of apache",
        "would remove service apache_sync",
    ]


def test_the_question_names_stacks_services_networks_backfills_and_what_stays() -> None:
    engine = Filling(host="unix:///nowhere")
    assert clean.question((ADMIN, APP), engine, place="lab").splitlines() == [
        "This removes 2 stacks from lab:",
        "  admin: 2 services (portal, traefik), 1 network (admin_edge)",
        "  app: 1 service (nginx)",
        "  the backfill of apache, which project.backfill can resume",
        "Volumes and releases stay: ./run rollback STACK brings a stack back.",
    ]


def test_the_question_of_a_selection_names_its_services() -> None:
    engine = Swarm(host="unix:///nowhere")
    assert clean.question((ADMIN, APP), engine, Selection.parse("app!=portal"), place="lab").splitlines() == [
        "This removes 2 services from lab: admin_traefik, app_nginx.",
        "Networks, configs, secrets, volumes and releases stay.",
    ]


def test_nothing_is_asked_where_nothing_would_be_removed_and_what_a_clean_refuses_is_refused_first() -> None:
    engine = Swarm(host="unix:///nowhere")
    assert clean.question((Target("metrics"),), engine, place="lab") == ""
    with pytest.raises(StackNeeded, match="app use admin_edge of admin"):
        clean.question((ADMIN,), engine, place="lab")


WEB = "app_web"


def deploy(make: Make, engine: Known, version: int, stack: str = "app") -> None:
    """Deploy a stack of one service with an image, a config and a secret of a version, on a network of its own."""
    name, network = f"{stack}_web", f"{stack}_default"
    config, secret = (f"{kind}_{version:010}" for kind in (f"{stack}_page", "token"))
    container = {
        "Image": f"r/web:{version}@sha256:{version}",
        "Configs": [{"ConfigName": config, "ConfigID": config, "File": {"Name": "/etc/page"}}],
        "Secrets": [{"SecretName": secret, "SecretID": secret, "File": {"Name": "token"}}],
    }
    spec = {
        "Name": name,
        "Labels": {NAMESPACE: stack, lookup.TEMPLATE: stack},
        "Mode": {"Replicated": {"Replicas": 1}},
        "TaskTemplate": {"ContainerSpec": container, "Networks": [{"Target": network}], "ForceUpdate": 0},
    }
    body = {"Name": network, "Driver": "overlay", "Labels": {NAMESPACE: stack}}
    rendered = Stack(
        Target(stack),
        Manifest(description="web", timeout=2),
        {"services": {"web": {"image": container["Image"]}}},
        (ConfigVersion("page", config, str(version).encode()),),
        (SecretVersion("token", secret, Secret(f"secret {version}")),),
        (),
    )
    wanted = {stack: DesiredState(stack, {name: spec}, {network: body}, {})}
    found = changeset.compare((rendered,), wanted, engine, Pins())
    Deployment(found, Executor(session(make(), engine), timing=QUICK), Options(tests=False)).run()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Known:
    """Managers that hold nothing, on which nobody waits."""
    monkeypatch.setattr(clean, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(clean, "DEADLINE_SECONDS", 5.0)
    return Known()


def cleaned(engine: Known, *stacks: str, **options: Any) -> None:
    clean.clean([Target(stack) for stack in stacks or ("app",)], engine, Report(), 1, **options)


def roll_back(make: Make, engine: Known, *stacks: str, number: int | None = None, whole: bool = False) -> None:
    wanted = [Target(stack) for stack in stacks or ("app",)]
    rollback.rollback(session(make(), engine), wanted, number, whole, Options(1), QUICK)


def ledger(engine: Known, stack: str = "app") -> list[Release]:
    return releases.history(engine, stack)


def states(engine: Known, stack: str = "app") -> list[tuple[int, str]]:
    return [(release.number, str(release.state)) for release in ledger(engine, stack)]


def running(engine: Known) -> dict[str, dict[str, Any]]:
    return {item["Spec"]["Name"]: item["Spec"] for item in engine.managers.held["services"].values()}


def held(engine: Known, kind: str) -> set[str]:
    """The versions of configs or secrets that the swarm has."""
    every = (item["Spec"] for item in engine.managers.held[kind].values())
    return {spec["Name"] for spec in every if versions.LABEL in (spec.get("Labels") or {})}


def test_a_clean_removes_services_and_networks_and_marks_the_release_that_ran(make: Make, engine: Known) -> None:
    deploy(make, engine, 1)
    deploy(make, engine, 2)
    cleaned(engine)
    assert (running(engine), engine.managers.networks) == ({}, {})
    assert states(engine) == [(2, "cleaned"), (1, "deployed")]
    newest, older = ledger(engine)
    assert newest.cleaned_by == f"{newest.owner}@{newest.host}"
    assert newest.cleaned_at and newest.cleaned_at >= newest.when
    assert (older.cleaned_at, older.cleaned_by) == (None, "")


def test_versions_of_kept_releases_survive_a_clean_and_all_that_follows(make: Make, engine: Known) -> None:
    for version in (1, 2):
        deploy(make, engine, version)
    deploy(make, engine, 9, "other")
    cleaned(engine)
    prune.prune_versions(engine)
    deploy(make, engine, 10, "other")
    assert held(engine, "secrets") == {f"token_{version:010}" for version in (1, 2, 9, 10)}
    assert held(engine, "configs") >= {f"app_page_{version:010}" for version in (1, 2)}


def test_a_rollback_brings_a_cleaned_stack_back_exactly(make: Make, engine: Known) -> None:
    deploy(make, engine, 1)
    deploy(make, engine, 2)
    before = running(engine)
    cleaned(engine)
    roll_back(make, engine)
    after = running(engine)
    names = ("Name", "Labels", "Mode")
    assert {name: after[WEB][name] for name in names} == {name: before[WEB][name] for name in names}
    was, now = (item[WEB]["TaskTemplate"]["ContainerSpec"] for item in (before, after))
    assert now["Image"] == was["Image"] == "r/web:2@sha256:2"
    assert [item["ConfigName"] for item in now["Configs"]] == ["app_page_0000000002"]
    assert [item["SecretName"] for item in now["Secrets"]] == ["token_0000000002"]
    there = {item["Spec"]["Name"]: item["ID"] for item in engine.managers.held["secrets"].values()}
    assert [item["SecretID"] for item in now["Secrets"]] == [there["token_0000000002"]]
    assert list(engine.managers.networks) == ["app_default"]
    assert states(engine) == [(3, "deployed"), (2, "cleaned"), (1, "deployed")]
    assert ledger(engine)[0].note == "rollback to release 2"


def test_a_rollback_of_a_cleaned_stack_goes_to_the_release_that_is_named(make: Make, engine: Known) -> None:
    deploy(make, engine, 1)
    deploy(make, engine, 2)
    cleaned(engine)
    roll_back(make, engine, number=1)
    assert running(engine)[WEB]["TaskTemplate"]["ContainerSpec"]["Image"] == "r/web:1@sha256:1"
    roll_back(make, engine)
    assert running(engine)[WEB]["TaskTemplate"]["ContainerSpec"]["Image"] == "r/web:2@sha256:2"


def test_after_a_stack_was_brought_back_a_rollback_goes_to_the_release_before(make: Make, engine: Known) -> None:
    deploy(make, engine, 1)
    deploy(make, engine, 2)
    for _ in range(2):
        cleaned(engine)
        roll_back(make, engine)
    assert running(engine)[WEB]["TaskTemplate"]["ContainerSpec"]["Image"] == "r/web:2@sha256:2"
    roll_back(make, engine)
    assert running(engine)[WEB]["TaskTemplate"]["ContainerSpec"]["Image"] == "r/web:1@sha256:1"


def test_a_deploy_after_a_clean_continues_the_numbering(make: Make, engine: Known) -> None:
    deploy(make, engine, 1)
    cleaned(engine)
    deploy(make, engine, 2)
    assert states(engine) == [(2, "deployed"), (1, "cleaned")]
    roll_back(make, engine)
    assert running(engine)[WEB]["TaskTemplate"]["ContainerSpec"]["Image"] == "r/web:1@sha256:1"


def test_a_deploy_that_fails_after_a_clean_does_not_bring_the_cleaned_release_back(make: Make, engine: Known) -> None:
    deploy(make, engine, 1)
    cleaned(engine)
    engine.managers.running = lambda service: "failed"
    with pytest.raises(StackFailed) as caught:
        deploy(make, engine, 2)
    assert caught.value.message.endswith("\napp: no earlier release, not rolled back.")
    assert states(engine) == [(2, "failed"), (1, "cleaned")]
    assert running(engine)[WEB]["TaskTemplate"]["ContainerSpec"]["Image"] == "r/web:2@sha256:2"
    engine.managers.running = lambda service: "running"
    roll_back(make, engine)
    assert running(engine)[WEB]["TaskTemplate"]["ContainerSpec"]["Image"] == "r/web:1@sha256:1"


def test_a_second_clean_and_one_of_a_stack_without_releases_mark_nothing(make: Make, engine: Known) -> None:
    deploy(make, engine, 1)
    cleaned(engine)
    (once,) = ledger(engine)
    cleaned(engine, "app", "never")
    assert ledger(engine) == [once]
    assert ledger(engine, "never") == []


def test_a_clean_closes_a_release_that_was_left_unfinished(make: Make, engine: Known) -> None:
    deploy(make, engine, 1)
    content = releases.content(engine, ledger(engine)[0])
    releases.begin(engine, "app", content, deploy="x", commit="")
    failed = releases.begin(engine, "app", content, deploy="y", commit="")
    releases.finish(engine, failed, State.FAILED, "the reason", left=True)
    cleaned(engine)
    assert states(engine) == [(3, "failed"), (2, "interrupted"), (1, "cleaned")]
    assert [item.note for item in ledger(engine)] == ["the reason", "cleaned before it was complete", ""]
    assert releases.unfinished(engine) == {}


def test_a_clean_of_some_services_marks_no_release(make: Make, engine: Known) -> None:
    deploy(make, engine, 1)
    cleaned(engine, selection=Selection.parse("app=web"))
    assert running(engine) == {}
    assert states(engine) == [(1, "deployed")]
    assert list(engine.managers.networks) == ["app_default"]


def test_a_clean_that_forgets_leaves_neither_releases_nor_versions(make: Make, engine: Known) -> None:
    deploy(make, engine, 1)
    deploy(make, engine, 2, "other")
    cleaned(engine, forget=True)
    assert ledger(engine) == []
    assert held(engine, "configs") == {"other_page_0000000002"}
    assert held(engine, "secrets") == {"token_0000000002"}
    assert states(engine, "other") == [(1, "deployed")]


def test_all_stacks_that_were_cleaned_come_back_in_the_order_of_needs(make: Make, engine: Known) -> None:
    for stack in ("admin", "db", "app"):
        deploy(make, engine, 1, stack)
    cleaned(engine, "admin", "db", "app")
    before = len(engine.managers.told)
    roll_back(make, engine, "admin", "db", "app", whole=True)
    assert list(running(engine)) == ["admin_web", "db_web", "app_web"]
    created = [line for line in engine.managers.told[before:] if line == "POST /services/create"]
    assert len(created) == 3


def test_of_stacks_that_were_cleaned_and_stacks_that_run_each_goes_to_its_own_release(
    make: Make, engine: Known
) -> None:
    for version in (1, 2):
        for stack in ("admin", "app"):
            deploy(make, engine, version, stack)
    cleaned(engine)
    roll_back(make, engine, "admin", "app")
    images = {name: spec["TaskTemplate"]["ContainerSpec"]["Image"] for name, spec in running(engine).items()}
    assert images == {"admin_web": "r/web:1@sha256:1", "app_web": "r/web:2@sha256:2"}


def test_networks_are_removed_once_nothing_uses_them_and_services_go_first(make: Make, engine: Known) -> None:
    deploy(make, engine, 1)
    before, refusals = len(engine.managers.told), iter(range(2))

    def busy(method: str, path: str) -> Answer | None:
        if method == "DELETE" and path.startswith("/networks/") and next(refusals, None) is not None:
            return 403, {"message": "network app_default is in use by task x"}
        return None

    engine.managers.before = busy
    cleaned(engine)
    removed = [line for line in engine.managers.told[before:] if line.startswith("DELETE /")]
    assert removed[0].startswith("DELETE /services/")
    assert removed[1].startswith("DELETE /networks/")
    assert engine.managers.networks == {}


def test_a_clean_that_lost_the_lock_removes_and_marks_nothing(make: Make, engine: Known) -> None:
    deploy(make, engine, 1)
    before = running(engine)

    def broken(path: str) -> None:
        if path == "/configs/create":
            lock.release(engine)

    engine.managers.after = broken
    with pytest.raises(LockLost):
        cleaned(engine)
    assert running(engine) == before
    assert states(engine) == [(1, "deployed")]
