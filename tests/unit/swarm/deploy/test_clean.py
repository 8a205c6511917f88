from typing import Any

import pytest

from swarm.containers import backfills
from swarm.deploy import clean
from swarm.engine.client import NAMESPACE, Engine
from swarm.errors import StackNeeded, UnknownName
from swarm.report import Report
from swarm.shell import RecordingShell
from swarm.stacks.selection import Selection
from swarm.stacks.targets import Target

ADMIN, APP = Target("admin"), Target("app")


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


class Swarm(Engine):
    """A swarm that can be looked at, and nothing else: whoever changes something fails for want of an engine."""

    def services(self, stack: str | None = None) -> list[dict[str, Any]]:
        every = [service("admin_portal", "n1"), service("admin_traefik", "n1"), service("app_nginx", "n1")]
        return [item for item in every if stack in (None, item["Spec"]["Labels"][NAMESPACE])]

    def nodes(self) -> list[dict[str, Any]]:
        return []

    def tasks(self, stack: str | None = None) -> list[dict[str, Any]]:
        return []

    def networks(self, stack: str | None = None) -> list[dict[str, Any]]:
        return [{"Id": "n1", "Name": "admin_edge"}] if stack == "admin" else []

    def configs(self, label: str | None = None) -> list[dict[str, Any]]:
        return [{"ID": "c", "Spec": {"Name": "app_page_0123456789", "Labels": {NAMESPACE: "app"}}}]


class Filling(Swarm):
    """The same while a backfill of a project runs on the network of admin."""

    def services(self, stack: str | None = None) -> list[dict[str, Any]]:
        job = service("swarmstats-backfill-apache", "n1")
        job["Spec"]["Labels"] = {backfills.LABEL: "apache"}
        return [*super().services(stack), *([] if stack else [job])]


def dry(targets: tuple[Target, ...], words: str = "", swarm: type[Swarm] = Swarm) -> None:
    clean.clean(targets, swarm(host="unix:///nowhere"), RecordingShell(), Report(), 1, Selection.parse(words), dry=True)


def test_a_dry_clean_names_what_would_go_last_stack_first(capsys: pytest.CaptureFixture[str]) -> None:
    dry((ADMIN, APP))
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [
        "would remove service app_nginx",
        "would remove config app_page_0123456789",
        "would remove service admin_portal",
        "would remove service admin_traefik",
        "would remove network admin_edge",
        "would remove versions of configs and secrets that nothing needs then",
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
        def services(self, stack: str | None = None) -> list[dict[str, Any]]:
            sync = [service("apache_sync", "n2")] if stack in (None, "apache") else []
            return [*super().services(stack), *sync]

    dry((Target("apache"),), swarm=Left)
    assert [line.strip() for line in capsys.readouterr().out.splitlines()][:2] == [
        "would remove backfill of apache",
        "would remove service apache_sync",
    ]
