from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from swarm.deploy import executor
from swarm.engine.client import Engine
from swarm.plan.plan import StackPlan
from swarm.report import Report, Step
from swarm.rollout.apply import ApplyContext, References
from swarm.rollout.converge import Timing
from tests.support.sessions import session
from tests.unit.swarm.conftest import ENV, Make

USED, SLOW = "app_old", "app_slow"

QUICK = Timing(stable_seconds=0.01, poll_seconds=0.01, network_seconds=0.2)


class Swarm(Engine):
    """A swarm in which nothing runs, one network is in use, and another one is let go at the third time of asking."""

    asked: ClassVar[list[str]] = []

    def _remove_networks(self, identity: str) -> bool:
        self.asked.append(identity)
        return identity != USED and (identity != SLOW or self.asked.count(SLOW) > 2)

    def _list_nodes(self) -> list[dict[str, object]]:
        return []

    def _list_services(self, stack: str | None = None) -> list[dict[str, object]]:
        return []

    def _list_tasks(self, stack: str | None = None) -> list[dict[str, object]]:
        return []

    def now(self) -> datetime:
        return datetime.now(UTC)

    @property
    def networks(self) -> Any:
        return SimpleNamespace(remove=self._remove_networks)

    @property
    def nodes(self) -> Any:
        return SimpleNamespace(list=self._list_nodes)

    @property
    def services(self) -> Any:
        return SimpleNamespace(list=self._list_services)

    @property
    def tasks(self) -> Any:
        return SimpleNamespace(list=self._list_tasks)


def carry_out(step: Step, *networks: str) -> None:
    site = ApplyContext(Swarm(), datetime.now(UTC), 1, References({}, {}), timing=QUICK)
    executor.carry_out(StackPlan("app", (), unwanted_networks=networks), site, step)


def test_a_network_is_removed_once_the_tasks_that_end_let_go_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    with Report().step("app") as step:
        carry_out(step.silent(), SLOW)
    assert Swarm.asked.count(SLOW) == 3
    assert capsys.readouterr().err == ""


def test_a_network_that_cannot_be_removed_is_told_once_the_step_has_ended(capsys: pytest.CaptureFixture[str]) -> None:
    with Report().step("app") as step:
        carry_out(step.silent(), "app_free", USED)
    said = capsys.readouterr()
    assert "✓ app" in said.out
    assert "app: the unused network app_old could not be removed" in said.err
    assert "app_free" not in said.err


def test_what_is_deployed_must_stay_healthy_for_as_long_as_the_environment_says(make: Make) -> None:
    for lines, seconds in (("", 3), ("rollout: {stable: 7s}\n", 7)):
        carrying = executor.Executor(session(make(ENV + lines), Swarm()))
        site = carrying.site(60, References({}, {}))
        assert site.watch("app", {}).timing.stable_seconds == seconds
