from types import SimpleNamespace
from typing import Any

import pytest

from swarm import doctor
from swarm.deploy.changeset import ChangeSet
from swarm.engine.client import Engine
from swarm.engine.wire import NAMESPACE
from swarm.errors import EngineUnavailable, StackOrphaned, UnknownName
from swarm.live import orphans, status
from swarm.live.services import Snapshot
from swarm.plan import display
from swarm.plan.display import PlanContext
from swarm.plan.plan import StackPlan
from swarm.stacks import targets
from swarm.stacks.stack import Stack
from swarm.stacks.targets import Target
from tests.support.services import NOW, service, task
from tests.unit.swarm.conftest import Make

RUNNING = [
    service("apache_sync", task("a"), template="project"),
    service("gone_sync", task("b"), template="project"),
    service("old_nginx", task("c"), template="old"),
    service("foreign_web", task("d"), labels={}),
]


def raw(name: str, template: str) -> dict[str, Any]:
    stack = name.partition("_")[0]
    labels = {NAMESPACE: stack, **({"swarmstats.template": template} if template else {})}
    return {
        "ID": f"id-of-{name}",
        "Spec": {
            "Name": name,
            "Labels": labels,
            "Mode": {"Replicated": {"Replicas": 0}},
            "TaskTemplate": {"ContainerSpec": {"Image": "x"}},
        },
    }


RAW = (raw("apache_sync", "project"), raw("gone_sync", "project"), raw("foreign_web", ""))


class Swarm(Engine):
    """A swarm with the stack of a project, one whose project is gone, and one that others made."""

    def _list_services(self, stack: str | None = None) -> list[dict[str, Any]]:
        return list(RAW)

    def _list_nodes(self) -> list[dict[str, Any]]:
        return []

    def _list_tasks(self, stack: str | None = None) -> list[dict[str, Any]]:
        return []

    @property
    def services(self) -> Any:
        return SimpleNamespace(list=self._list_services)

    @property
    def nodes(self) -> Any:
        return SimpleNamespace(list=self._list_nodes)

    @property
    def tasks(self) -> Any:
        return SimpleNamespace(list=self._list_tasks)


def test_a_stack_of_ours_that_nothing_has_any_more_is_a_stray_and_one_of_others_is_none(make: Make) -> None:
    found = orphans.find(make(), RUNNING)
    assert {name: item.words for name, item in found.items()} == {
        "gone": "its project was removed",
        "old": "its folder in stacks/ was removed",
    }
    assert found["gone"].advice.startswith("./run clean gone removes it")
    assert found["gone"].advice.endswith("env/lab/projects.yaml.")


@pytest.mark.parametrize("words", ["gone", "admin, gone"])
def test_a_verb_that_cannot_do_anything_with_a_stray_says_what_to_do(make: Make, words: str) -> None:
    with pytest.raises(StackOrphaned, match=r"Stack gone is still running, but its project was removed\.") as caught:
        orphans.select(make(), words, Swarm)
    assert "./run clean gone" in caught.value.hint


@pytest.mark.parametrize("select", [orphans.select, orphans.every])
@pytest.mark.parametrize("words", ["foreign", "gnoe", "", "gone,gnoe"])
def test_what_is_no_stack_of_ours_stays_an_unknown_name(make: Make, select: Any, words: str) -> None:
    with pytest.raises(StackOrphaned if words == "gone,gnoe" and select is orphans.select else UnknownName):
        select(make(), words, Swarm)


def test_strays_can_be_cleaned_by_name_alone_or_with_others_and_go_first(make: Make) -> None:
    environment = make()
    assert orphans.every(environment, "gone", Swarm) == (Target("gone"),)
    assert [item.name for item in orphans.every(environment, "gone,apache, gone", Swarm)] == ["apache", "gone"]
    with pytest.raises(UnknownName):
        orphans.every(environment, "gone", Swarm, "a*")


def test_all_and_project_mean_no_strays(make: Make) -> None:
    environment = make()
    assert orphans.every(environment, "all", Swarm) == targets.select(environment, "all")
    assert orphans.every(environment, "project", Swarm) == targets.select(environment, "project")


def test_status_has_a_row_for_a_stray_that_says_what_it_is(make: Make) -> None:
    rows = {row.stack: row.state for row in status.rows(make(), RUNNING[:2], {})}
    assert rows == {"projects": "healthy", "gone": "healthy; its project was removed (./run clean gone)"}
    assert [cells[0] for cells in status.stacks(make(), RUNNING[:2], {}, NOW)[1]] == ["projects", "gone"]


def test_doctor_finds_a_stray_unwell(make: Make) -> None:
    (found,) = doctor._strays(make(), RUNNING[:2])
    assert (found.name, found.well, found.found) == ("stack gone", False, "still running, but its project was removed")
    assert "./run clean gone" in found.advice


def surveyed(*names: str) -> ChangeSet:
    rendered = tuple(Stack(Target(name), None, {"services": {}}, (), (), ()) for name in names)  # type: ignore[arg-type]
    return ChangeSet(rendered, {}, {}, {}, Snapshot((), RAW, (), ()))


def test_a_plan_of_everything_ends_with_the_strays_and_a_plan_of_a_part_does_not_know(make: Make) -> None:
    environment = make()
    every = [target.name for target in targets.select(environment, "all")]
    found = surveyed(*every).orphans(environment)
    assert [item.stack for item in found] == ["gone"]
    assert surveyed(*every[1:]).orphans(environment) == ()
    lines = [text for _, text in display.lines([StackPlan("app", ())], PlanContext(orphans=found))]
    assert "gone       still running, but its project was removed" in lines
    assert lines[-1] == "1 stack: nothing to do."


def test_names_are_looked_at_before_a_manager_and_without_one_stay_unknown(make: Make) -> None:
    def none() -> Engine:
        raise EngineUnavailable("No Docker engine answers.")

    assert orphans.select(make(), "admin", none) == orphans.every(make(), "admin", none) == (Target("admin"),)
    for select in (orphans.select, orphans.every):
        with pytest.raises(UnknownName, match='No stack "metrcis"'):
            select(make(), "metrcis", none)
