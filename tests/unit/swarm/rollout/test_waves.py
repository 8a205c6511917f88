import pytest

from swarm.errors import DeadlinePassed, EnvironmentInvalid, StackFailed, UnknownName
from swarm.report import Step
from swarm.rollout.waves import together, waves
from swarm.stacks.targets import Target
from tests.unit.swarm.conftest import Make


def test_projects_make_one_wave_and_every_other_stack_one_of_its_own(make: Make) -> None:
    projects = [Target("project", project) for project in make().projects]
    found = list(waves([Target("admin"), Target("db"), *projects], lambda target: target))
    assert [(title, len(wave)) for title, wave in found] == [("admin", 1), ("db", 1), ("projects", 2)]


def test_a_single_project_keeps_its_name(make: Make) -> None:
    (found,) = waves([Target("project", make().projects.get("apache"))], lambda target: target)
    assert found[0] == "apache"


def test_all_members_are_tried_and_all_failures_are_told_with_the_exit_code_of_the_first() -> None:
    tried: list[int] = []

    def act(item: int, _: Step) -> None:
        tried.append(item)
        if item in (2, 4):
            raise DeadlinePassed(f"{item} is late", hint="wait") if item == 2 else StackFailed(f"{item} failed")

    with pytest.raises(DeadlinePassed, match="2 is late\n4 failed"):
        together([1, 2, 3, 4, 5], act, Step("projects", None))
    assert sorted(tried) == [1, 2, 3, 4, 5]


def test_failures_of_any_kind_are_told_together() -> None:
    def act(item: int, _: Step) -> None:
        raise UnknownName("service", str(item), ()) if item == 1 else EnvironmentInvalid([f"{item} is wrong"])

    with pytest.raises(UnknownName, match="No service") as caught:
        together([1, 2], act, Step("projects", None))
    assert "2 is wrong" in caught.value.message
