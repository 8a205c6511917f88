from collections.abc import Callable

import pytest

from swarm.errors import EngineUnavailable, NodeFailed
from swarm.nodes import context
from swarm.report import Report
from swarm.settings.environment import Environment
from swarm.shell import RecordingShell

Make = Callable[..., Environment]

ENV = """
domain: example.test
registry: registry.example.test/swarmstats
driver: context
context: no-such-context
nodes:
  - {name: node-1, role: manager}
"""


@pytest.mark.parametrize("verb", [context.start, context.stop, context.remove, context.remount])
def test_nodes_of_a_context_are_left_alone(make: Make, verb: Callable[..., None]) -> None:
    with pytest.raises(
        NodeFailed, match=r"context no-such-context are not managed by Swarmstats .* Nothing was changed\."
    ):
        verb(make(ENV), RecordingShell(), Report())


def test_a_context_that_is_not_there_is_named(make: Make) -> None:
    with pytest.raises(EngineUnavailable, match='No docker context "no-such-context"') as caught:
        context.engine(make(ENV))
    assert "docker context create" in caught.value.hint
    assert context.holdings(make(ENV)) == ()
