"""The use case that removes stacks and returns when they are gone; their volumes and releases stay."""

from collections.abc import Callable, Collection, Sequence

from swarm.containers import backfills, jobs
from swarm.deploy import releases
from swarm.deploy.deployment import LOCK_TIMEOUT_SECONDS
from swarm.deploy.prune import prune_versions
from swarm.engine.client import Engine
from swarm.engine.wire import NAMESPACE
from swarm.errors import CleanIncomplete, StackNeeded
from swarm.live import services as live
from swarm.report import Report, Step
from swarm.rollout import lock
from swarm.rollout.lock import HeldLock
from swarm.rollout.waves import together, waves
from swarm.stacks.selection import EVERYTHING, Selection
from swarm.stacks.targets import Target
from swarm.wait import until

DEADLINE_SECONDS = 120.0
POLL_SECONDS = 0.3
SHOWN_NAMES = 4


def clean(
    targets: Sequence[Target],
    engine: Engine,
    report: Report,
    lock_timeout: float = LOCK_TIMEOUT_SECONDS,
    selection: Selection = EVERYTHING,
    *,
    forget: bool = False,
    dry: bool = False,
) -> None:
    """Remove stacks in reverse order; each wave is gone (services, tasks, networks) before the next.

    Volumes stay, and so do releases, marked as cleaned, unless `forget` is set. With a selection only the services
    that it means, and their tasks, are removed.
    """
    if dry:
        report.would(_deeds(targets, engine, selection), "nothing to remove")
        return
    purpose = f"clean {' '.join(target.name for target in targets[:5])}{' ...' if len(targets) > 5 else ''}"
    with lock.held(engine, purpose, lock_timeout, report.line) as hold:
        # A job that a killed client left would hold on to networks.
        jobs.sweep(engine)
        if selection:
            _clean_services(targets, engine, report, selection, hold)
            return
        _require_free(targets, engine)
        _end_backfills(targets, engine, report)
        _clean(targets, engine, report, hold, forget=forget)


def question(targets: Sequence[Target], engine: Engine, selection: Selection = EVERYTHING, *, place: str) -> str:
    """What a clean would remove from a place (an environment) and what stays, to be confirmed; empty for nothing."""
    if selection:
        chosen = _chosen(targets, engine, selection)
        names = [name for target in targets for name in sorted(chosen[target.name].values())]
        stays = "Networks, configs, secrets, volumes and releases stay."
        return f"This removes {counted(len(names), 'service')} from {place}: {', '.join(names)}.\n{stays}"
    _require_free(targets, engine)
    lines = [line for target in targets if (line := _described(engine, target.name))]
    ended = sorted(backfills.bound(engine, {target.name for target in targets}))
    lines += [f"  the backfill of {project}, which project.backfill can resume" for project in ended]
    if not lines:
        return ""
    stacks = counted(len(lines) - len(ended), "stack")
    stays = "Volumes and releases stay: ./run rollback STACK brings a stack back."
    return "\n".join((f"This removes {stacks} from {place}:", *lines, stays))


def counted(number: int, noun: str) -> str:
    """`1 service`, `2 services`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _described(engine: Engine, stack: str) -> str:
    """The services and networks of a stack in a line, empty where none is left."""
    services = sorted(str(item["Spec"]["Name"]).removeprefix(f"{stack}_") for item in engine.services.list(stack))
    networks = sorted(str(item["Name"]) for item in engine.networks.list(stack))
    parts = []
    if services:
        parts.append(f"{counted(len(services), 'service')} ({', '.join(services)})")
    if networks:
        parts.append(f"{counted(len(networks), 'network')} ({', '.join(networks)})")
    return f"  {stack}: {', '.join(parts)}" if parts else ""


def _deeds(targets: Sequence[Target], engine: Engine, selection: Selection) -> list[str]:
    """What a clean would do, in that order."""
    if selection:
        chosen = _chosen(targets, engine, selection)
        names = [name for target in reversed(targets) for name in sorted(chosen[target.name].values())]
        return [f"remove service {name}" for name in names]
    _require_free(targets, engine)
    ended = sorted(backfills.bound(engine, {target.name for target in targets}))
    left = [thing for target in reversed(targets) for thing in remains(engine, target.name)]
    found = [*(f"remove backfill of {project}" for project in ended), *(f"remove {thing}" for thing in left)]
    if not found:
        return []
    running = releases.latest(engine)
    marked = [running[target.name] for target in reversed(targets) if target.name in running]
    return [
        *found,
        *(f"mark {release} as cleaned" for release in marked),
        "remove unused versions of configs and secrets",
    ]


def _chosen(targets: Sequence[Target], engine: Engine, selection: Selection) -> dict[str, dict[str, str]]:
    """Stack -> id -> name of its services that are meant; raises UnknownName when none is."""
    known = {target.name: target for target in targets}
    there = [(item, live.subject(item, known)) for item in live.services(engine) if item.stack in known]
    found: dict[str, dict[str, str]] = {name: {} for name in known}
    for service, subject in there:
        if selection.admits(subject):
            found[service.stack][service.id] = service.name
    if not any(found.values()):
        raise selection.nothing(subject for _, subject in there)
    return found


def _clean(targets: Sequence[Target], engine: Engine, report: Report, hold: HeldLock, *, forget: bool) -> None:
    for title, wave in waves(list(reversed(targets)), lambda target: target):
        with report.step(f"clean {title}") as step:
            hold.require()
            # Before anything is removed: a client that is killed leaves what a rollback brings back whole.
            for target in wave:
                releases.mark_cleaned(engine, target.name)
            mine = [target for target in wave if remains(engine, target.name)]
            if mine:
                together(mine, lambda target, part: _remove(engine, target.name, part), step)
            step.skipped = not mine
            step.detail = "removed services, tasks and networks" if mine else "not deployed"
    hold.require()
    prune_versions(engine, gone={target.name for target in targets} if forget else ())


def _end_backfills(targets: Sequence[Target], engine: Engine, report: Report) -> None:
    """Remove the backfills that cannot outlive these stacks; what they brought stays."""
    for project, ended in sorted(backfills.bound(engine, {target.name for target in targets}).items()):
        backfills.stop(engine, project)
        if not ended:
            report.line(f"The backfill of {project} was stopped; ./run project.backfill {project} resumes it.")


def _clean_services(
    targets: Sequence[Target], engine: Engine, report: Report, selection: Selection, hold: HeldLock
) -> None:
    """Networks, configs and secrets stay: the stack is still there, and what is left of it may use them."""
    of = _chosen(targets, engine, selection)
    for title, wave in waves([target for target in reversed(targets) if of[target.name]], lambda target: target):
        with report.step(f"clean {title}") as step:
            hold.require()
            together(wave, lambda target, part: _remove_services(engine, target.name, of[target.name], part), step)
            names = sorted(name for item in wave for name in of[item.name].values())
            shown = ", ".join(names) if len(names) <= SHOWN_NAMES else f"{len(names)} services"
            step.detail = f"{shown}: removed; networks and configs stay"


def _remove_services(engine: Engine, stack: str, identities: Collection[str], step: Step) -> None:
    for identity in identities:
        engine.services.remove(identity)
    _wait(stack, lambda: _tasks(engine, stack, identities), step)


def _tasks(engine: Engine, stack: str, services: Collection[str] | None = None) -> list[str]:
    """The tasks of a stack, or of some services of it, that have not ended."""
    return [
        f"task {item['ID'][:8]} ({item['Status']['State']})"
        for item in engine.tasks.list(stack)
        if item["Status"]["State"] not in live.ENDED and (services is None or item["ServiceID"] in services)
    ]


def _require_free(targets: Sequence[Target], engine: Engine) -> None:
    """Raise StackNeeded when a stack that stays uses a network of one that goes: Swarm would keep half of it."""
    going = {target.name for target in targets}
    owned = {str(item["Id"]): str(item["Name"]) for name in going for item in engine.networks.list(name)}
    users: dict[str, set[str]] = {}
    for service in engine.services.list():
        # A backfill goes with what it runs on.
        if backfills.project_of(service):
            continue
        stack = str((service["Spec"].get("Labels") or {}).get(NAMESPACE, ""))
        for network in service["Spec"]["TaskTemplate"].get("Networks") or ():
            if stack not in going and network["Target"] in owned:
                users.setdefault(stack or service["Spec"]["Name"], set()).add(owned[network["Target"]])
    if users:
        networks = ", ".join(sorted(set().union(*users.values())))
        words = ",".join((*sorted(users), *sorted(going)))
        raise StackNeeded(
            f"{', '.join(sorted(users))} use {networks} of {', '.join(sorted(going))}; nothing was removed.",
            hint=f"Remove them together: ./run clean {words}",
        )


def remains(engine: Engine, stack: str) -> list[str]:
    """What of a stack is still there: services, running tasks, networks."""
    services = [f"service {item['Spec']['Name']}" for item in engine.services.list(stack)]
    networks = [f"network {item['Name']}" for item in engine.networks.list(stack)]
    return services + _tasks(engine, stack) + networks


def _remove(engine: Engine, stack: str, step: Step) -> None:
    """Remove the services of a stack, then its networks; `docker stack rm` would take the configs of releases too."""
    for service in engine.services.list(stack):
        engine.services.remove(str(service["ID"]))

    def left() -> list[str]:
        found = remains(engine, stack)
        if found and not any(item.startswith(("service", "task")) for item in found):
            for network in engine.networks.list(stack):
                engine.networks.remove(str(network["Id"]))
        return found

    _wait(
        stack, left, step, f"A network can be removed once no other stack uses it; then run ./run clean {stack} again."
    )


def _wait(stack: str, left: Callable[[], list[str]], step: Step, hint: str = "") -> None:
    """Wait until nothing is left; raises CleanIncomplete."""
    names: list[str] = []

    def gone() -> bool:
        names[:] = left()
        if names:
            step.note(f"waiting for {len(names)}: {names[0]}")
        return not names

    if not until(gone, DEADLINE_SECONDS, every=POLL_SECONDS):
        raise CleanIncomplete(f"{stack}: still there after {DEADLINE_SECONDS:.0f} s: {', '.join(names)}.", hint=hint)
