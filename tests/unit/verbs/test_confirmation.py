"""Verbs that destroy something ask first: with no terminal and without --yes they do nothing."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from invoke import Context, Exit

import verbs.backups
import verbs.database
import verbs.nodes
import verbs.projects
import verbs.stacks
from swarm.database import restore
from swarm.engine.wire import NAMESPACE
from swarm.errors import NotConfirmed
from swarm.live import lookup
from swarm.nodes import lifecycle, manager
from swarm.projects import lifecycle as projects
from tests.support.fake_managers import Known
from tests.unit.swarm.conftest import ENV, PROJECTS

MESSAGE = "Cannot ask for confirmation: standard input is not a terminal."
HINT = "Use --yes to skip the prompt."


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Known:
    """Managers with the stacks app and db, for the environment lab; standard input is not a terminal."""
    folder = tmp_path / "env" / "lab"
    folder.mkdir(parents=True)
    (folder / "env.yaml").write_text(ENV)
    (folder / "projects.yaml").write_text(PROJECTS)
    monkeypatch.setenv("SWARMSTATS_ENVS", str(tmp_path / "env"))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    found = Known()
    for name in ("app_nginx", "db_haproxy", "db_postgres"):
        stack = name.partition("_")[0]
        spec = {
            "Name": name,
            "Labels": {NAMESPACE: stack, lookup.TEMPLATE: stack},
            "Mode": {"Replicated": {"Replicas": 1}},
            "TaskTemplate": {"ContainerSpec": {"Image": "x"}},
        }
        found.managers.put("services", spec)
    body = {"Name": "app_default", "Labels": {NAMESPACE: "app"}}
    found.managers.networks["app_default"] = {**body, "Id": "n1"}
    monkeypatch.setattr(manager, "connect", lambda environment, shell: found)
    return found


def names(engine: Known) -> list[str]:
    return sorted(item["Spec"]["Name"] for item in engine.managers.held["services"].values())


def refused(verb: Callable[..., Any], *words: str, **options: Any) -> int:
    with pytest.raises(Exit) as caught:
        verb(Context(), *words, **options)
    return int(caught.value.code)


def test_a_clean_without_a_terminal_names_what_it_would_remove_and_removes_nothing(
    engine: Known, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(verbs.stacks.clean, "app") == NotConfirmed.exit_code == 76
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "This removes 1 stack from lab:",
        "  app: 1 service (nginx), 1 network (app_default)",
        "Volumes and releases stay: ./run rollback STACK brings a stack back.",
    ]
    assert f"{MESSAGE}\n  {HINT}\nExit 76." in said.err
    assert names(engine) == ["app_nginx", "db_haproxy", "db_postgres"]
    assert engine.managers.told == []


def test_a_clean_of_all_names_everything(engine: Known, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(verbs.stacks.clean, "all") == 76
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "This removes 2 stacks from lab:"
    assert "  app: 1 service (nginx), 1 network (app_default)" in lines
    assert "  db: 2 services (haproxy, postgres)" in lines


def test_a_clean_of_a_selection_asks_too(engine: Known, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(verbs.stacks.clean, "db", label="app=haproxy") == 76
    assert "This removes 1 service from lab: db_haproxy." in capsys.readouterr().out
    assert len(names(engine)) == 3


def test_with_yes_a_clean_asks_nothing(engine: Known) -> None:
    verbs.stacks.clean(Context(), "app", yes=True)
    assert names(engine) == ["db_haproxy", "db_postgres"]
    assert engine.managers.networks == {}


def test_a_dry_clean_asks_nothing_and_neither_does_one_with_nothing_to_remove(
    engine: Known, capsys: pytest.CaptureFixture[str]
) -> None:
    verbs.stacks.clean(Context(), "app", dry=True)
    assert "would remove service app_nginx" in capsys.readouterr().out
    verbs.stacks.clean(Context(), "metrics")
    assert "not deployed" in capsys.readouterr().out
    assert len(names(engine)) == 3


@pytest.mark.parametrize(
    ("words", "typed", "removed"),
    [
        (("app",), "app", True),
        (("app",), "lab", False),
        (("app,db",), "lab", True),
        (("app,db",), "app", False),
        (("all",), "lab", True),
    ],
)
def test_the_name_to_type_is_that_of_the_stack_and_of_several_stacks_that_of_the_environment(
    engine: Known, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], typed: str, removed: bool
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(f"{typed}\n"))
    if removed:
        verbs.stacks.clean(Context(), *words)
        assert "app_nginx" not in names(engine)
    else:
        assert refused(verbs.stacks.clean, *words) == 76
        assert len(names(engine)) == 3


@pytest.mark.parametrize(("drop", "data"), [(False, "The database apache and its data stay."), (True, "It also drops")])
def test_removing_a_project_asks_and_says_what_becomes_of_its_data(
    engine: Known, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, drop: bool, data: str
) -> None:
    done: list[str] = []
    monkeypatch.setattr(projects, "remove", lambda environment, name, *_, **__: done.append(name))
    assert refused(verbs.projects.remove, "apache", drop_database=drop) == 76
    said = capsys.readouterr()
    assert "This removes the project apache from lab: its stack, its releases, its backfill and its entry" in said.out
    assert data in said.out
    assert MESSAGE in said.err
    assert done == []
    verbs.projects.remove(Context(), "apache", drop_database=drop, yes=True)
    verbs.projects.remove(Context(), "apache", drop_database=drop, dry=True)
    assert done == ["apache", "apache"]


def test_the_other_verbs_that_destroy_ask_in_the_same_way(
    engine: Known, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "holdings", lambda environment: ["volume x"])
    monkeypatch.setattr(restore, "actions", lambda engine, goal: [])
    for verb, words in (
        (verbs.nodes.clean, ()),
        (verbs.database.reinit, ("patroni2",)),
        (verbs.backups.restore, ()),
    ):
        assert refused(verb, *words) == 76
        said = capsys.readouterr()
        assert said.out.startswith("This ")
        assert f"{MESSAGE}\n  {HINT}" in said.err
