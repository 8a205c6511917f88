"""Services and tasks as tests need them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from swarm.live.services import Service, Task

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def task(identity: str = "t1", **changes: Any) -> Task:
    """A running task on node-1, with changes."""
    plain = Task(
        id=identity, slot="1", node="node-1", state="running", desired="running", error="", exit_code=None,
        since=NOW, created=NOW, current=True,
    )  # fmt: skip
    return replace(plain, **changes)


def service(name: str, *tasks: Task, template: str = "", **changes: Any) -> Service:
    """A replicated service `stack_name` with these tasks."""
    stack = name.split("_", 1)[0]
    plain = Service(
        id=f"id-of-{name}", name=name, stack=stack, mode="replicated", image=f"r/{name}:1",
        desired=len(tasks), update="", update_message="", tasks=tasks,
        labels={"swarmstats.template": template or stack},
    )  # fmt: skip
    return replace(plain, **changes)
