from datetime import UTC, datetime

import pytest

from swarm import desk
from swarm.apply import References, Site
from swarm.engine import Engine
from swarm.plan import StackPlan
from swarm.report import Report, Step

USED = "app_old"


class Swarm(Engine):
    """A swarm in which nothing runs and one network is in use."""

    def remove_network(self, identity: str) -> bool:
        return identity != USED

    def nodes(self) -> list[dict[str, object]]:
        return []

    def services(self, stack: str | None = None) -> list[dict[str, object]]:
        return []

    def tasks(self, stack: str | None = None) -> list[dict[str, object]]:
        return []


def carry_out(step: Step, *networks: str) -> None:
    site = Site(Swarm(), datetime.now(UTC), 1, References({}, {}))
    desk.carry_out(StackPlan("app", (), unwanted_networks=networks), site, step)


def test_a_network_that_cannot_be_removed_is_told_once_the_step_has_ended(capsys: pytest.CaptureFixture[str]) -> None:
    with Report().step("app") as step:
        carry_out(step.silent(), "app_free", USED)
    said = capsys.readouterr()
    assert "✓ app" in said.out
    assert "app: the network app_old is not needed any more and could not be removed" in said.err
    assert "app_free" not in said.err
