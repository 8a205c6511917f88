"""Driver `lab`: nodes are containers on this machine's own engine, with a shared registry."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from swarm.engine.client import Engine
from swarm.engine.refusals import REFUSALS, reason
from swarm.errors import CleanIncomplete, EngineUnavailable, NodeFailed
from swarm.nodes.lab import containers, ports, storage
from swarm.nodes.lab.containers import REGISTRY, STOP_SECONDS, Container
from swarm.nodes.lab.resources import DOWN, GONE_SECONDS, LabResources, Need, Rights, Summary
from swarm.report import Report, Step
from swarm.settings.environment import Environment, Node
from swarm.shell import Shell
from swarm.stacks import images
from swarm.wait import until

PARALLEL_CONTAINERS = 8
GOSSIP_PORT = 7946
GOSSIP_SECONDS = 15.0
Item = TypeVar("Item")
Answer = TypeVar("Answer")


def create(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Make or complete the lab; nothing is begun before its ports, addresses and paths are known to be good."""
    site = LabResources.of(environment)
    with _translated("Cannot create the lab"):
        _check(site)
    built = images.ensure_local(environment, ("node", REGISTRY), shell, report, dry=dry)
    plan = _plan(site, built)
    with _translated("Cannot inspect the lab"):
        found = site.containers()
        _check_settings(plan, found)
        if dry:
            _tell(site, plan, found, report)
            return
    with report.step("lab") as step, _translated("Cannot create the lab"):
        site.prepare(plan)
        rights = Rights(site, built["node"])
        done = _managers_first(site, partial(_bring_up, site, rights, found), plan, step)
        step.detail = _detail(plan, found, done)
        step.skipped = not any(done)


def start(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Bring a stopped lab back, and make what of it is missing."""
    _require_lab(environment)
    create(environment, shell, report, dry=dry)


def stop(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Stop all containers of the lab; volumes, addresses and the swarm's state stay."""
    site = LabResources.of(environment)
    with _translated("Cannot inspect the lab"):
        running = [name for name, item in site.containers().items() if item["State"] not in DOWN]
    if dry:
        report.would((f"stop container {name}" for name in running), "nothing to stop")
        return
    with report.step("lab") as step, _translated("Cannot stop the lab"):
        _in_parallel(partial(site.engine.containers.stop, seconds=STOP_SECONDS), running, step)
        step.detail = f"{len(running)} containers stopped" if running else "nothing is running"
        step.skipped = not running


def remove(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Remove containers, network and volumes of the lab; raises CleanIncomplete when something stays."""
    site, held = LabResources.of(environment), holdings(environment)
    if dry:
        kinds = {"container": sorted(site.containers()), "network": site.networks(), "volume": site.volumes()}
        deeds = (f"remove {kind} {name}" for kind, names in kinds.items() for name in names)
        report.would(deeds, "nothing to remove")
        return
    with report.step("lab") as step, _translated("Cannot remove the lab"):
        _in_parallel(site.discard, site.containers(), step)
        for network in site.networks():
            site.remove_network(network)
        _in_parallel(site.remove_volume, site.volumes(), step)
        shutil.rmtree(site.operator.sockets, ignore_errors=True)
        if not until(lambda: not site.holdings(), GONE_SECONDS):
            raise CleanIncomplete(f"Still there: {', '.join(site.holdings())}.", hint="Run ./run swarm.clean again.")
        step.detail = f"{len(held)} containers, networks and volumes removed" if held else "nothing found"
        step.skipped = not held


def remount(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Restart nodes that lost the shared storage, then let each write a file that all others must read."""
    _require_lab(environment)
    site, path = LabResources.of(environment), environment.storage.path
    with _translated("Cannot check the shared storage"):
        found = {node.name: f"{environment.lab_name}-{node.name}" for node in environment.nodes}
        lost = [name for name, container in found.items() if not storage.mounted(site.engine, container, path)]
    if dry:
        proof = f"write a file to {path} on each of {', '.join(found)}, read it on all other nodes, remove it"
        report.would([*(f"restart {name}, which lost the mount {path}" for name in lost), proof], "")
        return
    with report.step("storage") as step, _translated("Cannot check the shared storage"):
        for name in lost:
            step.note(f"{name} lost the mount; restarting it")
            site.engine.containers.restart(found[name], STOP_SECONDS)
        _in_parallel(site.wait, lost, step)
        storage.prove(site.engine, found, path)
        again = f", remounted on {', '.join(lost)}" if lost else ""
        step.detail = f"{path} is the same on {len(found)} nodes{again}"


def engine(environment: Environment, node: Node | None = None) -> Engine:
    """The engine of a node, or of the first manager that answers; raises EngineUnavailable."""
    site = LabResources.of(environment)
    wanted = [node] if node else [item for item in environment.nodes if item.role == "manager"]
    for item in wanted:
        found = site.node_engine(item)
        if found.answers():
            return found
    names = ", ".join(item.name for item in wanted)
    verb = "swarm.start" if exists(environment) else "swarm.init"
    raise EngineUnavailable(f"No engine answers on {names} of the lab.", hint=f"./run {verb}")


def address(environment: Environment, node: Node) -> str:
    """The node's fixed address on the lab's network."""
    return containers.address(environment, node)


def exists(environment: Environment) -> bool:
    """Whether any container, network or volume of the lab is there."""
    return bool(holdings(environment))


def holdings(environment: Environment) -> tuple[str, ...]:
    """The names of everything that swarm.clean would remove."""
    with _translated("Cannot inspect the lab"):
        return LabResources.of(environment).holdings()


def _require_lab(environment: Environment) -> None:
    if not exists(environment):
        raise NodeFailed(f"Lab {environment.lab_name} does not exist.", hint="Create it: ./run swarm.init")


def _plan(site: LabResources, built: Mapping[str, str]) -> list[Container]:
    environment = site.environment
    registry = containers.registry(environment, built[REGISTRY])
    nodes = [containers.node(environment, node, built["node"], site.operator) for node in environment.nodes]
    return [*nodes, *((registry,) if registry else ())]


def _check(site: LabResources) -> None:
    for node in site.environment.nodes:
        containers.socket(site.operator, node)
        containers.address(site.environment, node)
    for network in site.engine.networks.local():
        containers.check_network(site.environment, network)
    ports.check(_ports(site.environment), site.engine.containers.list(), site.containers())


def _ports(environment: Environment) -> Iterator[ports.Port]:
    yield ports.Port(str(environment.file.lab.listen), environment.http_port, "lab.http_port")
    if number := containers.registry_port(environment):
        yield ports.Port("127.0.0.1", number, "registry")


def _check_settings(plan: Sequence[Container], found: Mapping[str, Summary]) -> None:
    for container in plan:
        item = found.get(container.name)
        if item and item["State"] not in DOWN and item["Labels"].get(containers.MADE_FROM) != container.made_from:
            raise NodeFailed(
                f"{container.title} runs with outdated settings (ports, addresses, paths); env.yaml has changed.",
                hint="./run swarm.stop and ./run swarm.start recreate it with its data; or ./run swarm.clean.",
            )


def _tell(site: LabResources, plan: Sequence[Container], found: Mapping[str, Summary], report: Report) -> None:
    """Say what `create` would do."""
    needs = {container.name: site.needs(container, found.get(container.name)) for container in plan}
    made = [name for name, need in needs.items() if need is Need.MAKE]
    started = [name for name, need in needs.items() if need in (Need.START, Need.UNPAUSE)]
    deeds = [f"create {thing}" for thing in (*site.missing(plan), *(f"container {name}" for name in made))]
    report.would([*deeds, *(f"start container {name}" for name in started)], "all lab containers are running")


def _bring_up(site: LabResources, rights: Rights, found: Mapping[str, Summary], container: Container) -> str:
    done = site.run(container, found.get(container.name), rights)
    site.wait(container.title)
    return done


def _managers_first(
    site: LabResources, bring_up: Callable[[Container], str], plan: Sequence[Container], step: Step
) -> list[str]:
    """Bring all up, workers once the managers of an old swarm hear gossip: who knocks too early waits a minute."""
    nodes = {node.name: node for node in site.environment.nodes}
    managers = [item for item in plan if item.title not in nodes or nodes[item.title].role == "manager"]
    workers = [item for item in plan if item not in managers]
    names = [item.name for item in (*managers, *workers)]
    said = _in_parallel(bring_up, managers, step)
    for node in (nodes[item.title] for item, word in zip(managers, said, strict=True) if word and item.title in nodes):
        if site.node_engine(node).info()["Swarm"]["NodeID"]:
            until(partial(ports.listens, containers.address(site.environment, node), GOSSIP_PORT), GOSSIP_SECONDS)
    done = dict(zip(names, [*said, *_in_parallel(bring_up, workers, step)], strict=True))
    return [done[item.name] for item in plan]


def _detail(plan: Sequence[Container], found: Mapping[str, Summary], done: Sequence[str]) -> str:
    """One line of what was done, and which nodes keep an image that has changed since."""
    names = ", ".join(container.title for container in plan)
    counts = ", ".join(f"{done.count(word)} {word}" for word in ("made", "started") if word in done)
    said = f"{names}: {counts}" if counts else f"{names} already running"
    old = [
        container.title
        for container, word in zip(plan, done, strict=True)
        if not word and found[container.name]["Image"] != container.image
    ]
    return f"{said}; {', '.join(old)} still on an older image; swarm.stop and swarm.start update" if old else said


def _in_parallel(act: Callable[[Item], Answer], items: Iterable[Item], step: Step) -> list[Answer]:
    items, finished = list(items), []

    def one(item: Item) -> Answer:
        answer = act(item)
        finished.append(item)
        step.note(f"{len(finished)} of {len(items)}")
        return answer

    with ThreadPoolExecutor(PARALLEL_CONTAINERS) as pool:
        return list(pool.map(one, items))


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except REFUSALS as error:
        raise NodeFailed(f"{what}: {reason(error)}", hint="./run swarm.init completes the lab.") from error
