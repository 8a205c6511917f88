"""The swarm as a whole: init, start, stop, clean, remount, status; and the manager that all other use cases ask."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from swarm.errors import EngineUnavailable
from swarm.nodes import manager, membership
from swarm.nodes.drivers import driver
from swarm.nodes.membership import SwarmNode
from swarm.report import Report
from swarm.settings.environment import Environment
from swarm.shell import Shell

ABSENT = "not in the swarm"


@dataclass(frozen=True)
class NodeStatus:
    """One node as the swarm sees it."""

    name: str
    role: str
    availability: str
    state: str
    engine: str
    address: str
    labels: dict[str, str]

    @property
    def label_text(self) -> str:
        """The labels in one cell of a table."""
        return " ".join(f"{key}={value}" for key, value in sorted(self.labels.items()))


def init(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Make the nodes and one swarm of them, or complete what is half made; changes nothing where all is well."""
    driver(environment).create(environment, shell, report, dry=dry)
    _gather(environment, report, dry=dry)


def start(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Start the nodes and wait until all are ready."""
    driver(environment).start(environment, shell, report, dry=dry)
    _gather(environment, report, dry=dry)


def stop(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Stop the nodes; what is on them stays."""
    driver(environment).stop(environment, shell, report, dry=dry)


def clean(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Remove the nodes and everything that was made for them."""
    driver(environment).remove(environment, shell, report, dry=dry)


def holdings(environment: Environment) -> tuple[str, ...]:
    """The names of everything that `clean` would remove."""
    return driver(environment).holdings(environment)


def remount(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Give every node the shared storage again and prove that all see the same."""
    driver(environment).remount(environment, shell, report, dry=dry)
    _gather(environment, report, dry=dry)


def status(environment: Environment, shell: Shell) -> list[NodeStatus]:
    """All nodes of the swarm, and those of env.yaml that are not in it."""
    members = [node_status(entry) for entry in manager.connect(environment, shell).nodes.list()]
    there = {item.name for item in members}
    absent = [
        NodeStatus(node.name, node.role, "", ABSENT, "", "", dict(node.labels))
        for node in environment.nodes
        if node.name not in there
    ]
    order = {node.name: number for number, node in enumerate(environment.nodes)}
    return sorted([*members, *absent], key=lambda item: (order.get(item.name, len(order)), item.name))


def node_status(entry: dict[str, Any]) -> NodeStatus:
    """A node as the engine lists it -> Member."""
    description, spec, status = entry["Description"], entry["Spec"], entry["Status"]
    leads = entry.get("ManagerStatus", {}).get("Leader", False)
    return NodeStatus(
        name=description.get("Hostname", entry["ID"]),
        role=f"{spec['Role']}, leader" if leads else spec["Role"],
        availability=spec["Availability"],
        state=status["State"],
        engine=description.get("Engine", {}).get("EngineVersion", ""),
        address=status.get("Addr", ""),
        labels=dict(spec.get("Labels") or {}),
    )


def _gather(environment: Environment, report: Report, *, dry: bool) -> None:
    chosen, nodes = driver(environment), environment.nodes
    if dry:
        report.would(_pending(environment), "nothing to do in the swarm")
        return
    with report.step("swarm") as step:
        if environment.file.driver == "context":
            done, state = membership.label(chosen.engine(environment), nodes, step), "labelled"
        else:
            seats = [
                SwarmNode(node, chosen.engine(environment, node), chosen.address(environment, node)) for node in nodes
            ]
            done, state = membership.form(seats, step), "ready"
        step.detail = f"{len(nodes)} nodes {state}: {'; '.join(done) or 'nothing to do'}"
        step.skipped = not done


def _pending(environment: Environment) -> list[str]:
    """What `_gather` would do; nodes that do not answer now can be asked only once they do."""
    chosen, nodes = driver(environment), environment.nodes
    if environment.file.driver == "context":
        return membership.unlabelled(chosen.engine(environment), nodes)
    seats: list[SwarmNode] = []
    for node in nodes:
        with suppress(EngineUnavailable):
            seats.append(SwarmNode(node, chosen.engine(environment, node), chosen.address(environment, node)))
    there = [seat.node.name for seat in seats]
    return membership.pending(seats, [node for node in nodes if node.name not in there])
