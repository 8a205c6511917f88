"""Changes by hand to services that run: more or fewer tasks, or new tasks one after another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import groupby

from swarm import converge, live, lock, manifests, names, stacks, targets
from swarm.converge import Watch
from swarm.deadline import until
from swarm.engine import Engine, Spec
from swarm.environment import Environment, shown
from swarm.errors import ArgumentInvalid, ChangedMeanwhile, DeadlinePassed, StackFailed, SwarmstatsError
from swarm.live import Service
from swarm.lock import Hold
from swarm.report import Report, Step
from swarm.waves import together

CLOCK_SKEW = timedelta(seconds=2)
TIMEOUT = 180
TRIES = 5

Edit = Callable[[Spec], None]


@dataclass(frozen=True)
class Change:
    """One service, what becomes of it in words, and how its specification changes; None when it is so already."""

    service: Service
    words: str
    edit: Edit | None


def scale(environment: Environment, words: str, engine: Engine, report: Report, wait: float, *, dry: bool) -> None:
    """`app/nginx=3,admin/portal=2`: return when each has exactly so many tasks; raises ArgumentInvalid, StackFailed."""
    wanted = sizes(words)
    services = live.services(engine)
    chosen = [(names.one(services, word), count) for word, count in wanted.items()]
    demand_once([service for service, _ in chosen])
    changes = [_scaled(service, count) for service, count in chosen]
    try:
        _carry_out(changes, f"scale {words}", engine, report, wait, dry=dry)
    except StackFailed as error:
        back = ",".join(f"{names.shown(service)}={service.desired}" for service, _ in chosen)
        raise type(error)(error.message, hint=f"As it was before: ./run scale {back}") from error
    for change, count in zip(changes, wanted.values(), strict=True):
        if change.edit and (advice := passing(environment, change.service, count)):
            report.line(advice)


def restart(words: str, engine: Engine, report: Report, wait: float, *, dry: bool) -> None:
    """New tasks, one service of a stack after the other, each as its update_config says; jobs are left alone."""
    chosen = names.choose(live.services(engine), words)
    for job in (service for service in chosen if service.job):
        report.line(f"{names.shown(job)} is a job and has no tasks to restart.")
    changes = [Change(service, rolling(service), _renew) for service in chosen if not service.job]
    _carry_out(sorted(changes, key=_order), f"restart {words}", engine, report, wait, dry=dry)


def resize(engine: Engine, service: Service, count: int, step: Step) -> None:
    """Give a service so many tasks and wait until exactly these run; for whoever holds the lock already."""
    _one(engine, Hold(), Change(service, "", partial(_resize, count=count)), step)


def sizes(words: str) -> dict[str, int]:
    """The words of services and their numbers of tasks; raises ArgumentInvalid."""
    found: dict[str, int] = {}
    for part in words.split(","):
        name, _, number = part.strip().rpartition("=")
        if not name or not number.isdecimal():
            raise ArgumentInvalid(f"{part.strip()!r} is not SERVICE=N.", hint="E.g. ./run scale app/nginx=3")
        if name in found:
            raise ArgumentInvalid(f"{name} is given twice.", hint="Name each service once.")
        found[name] = int(number)
    return found


def demand_once(chosen: Sequence[Service]) -> None:
    """Raise ArgumentInvalid when two words mean the same service, which cannot have two numbers of tasks."""
    for service in chosen:
        if chosen.count(service) > 1:
            raise ArgumentInvalid(f"{names.shown(service)} is given twice.", hint="Name each service once.")


def passing(environment: Environment, service: Service, count: int) -> str:
    """How long a number of tasks lasts, unless the environment says the same; empty for stacks that are not ours."""
    short = service.short
    try:
        (target,) = targets.select(environment, service.stack)
        said = stacks.render(environment, target).services[short]["deploy"].get("replicas", 1)
    except (SwarmstatsError, KeyError, ValueError):
        return ""
    if int(said) == count:
        return ""
    place = shown(environment.directory / "env.yaml")
    keep = f"sizes: {{{service.stack}.{short}: {{replicas: {count}}}}}"
    return f"The next deploy of {service.stack} sets {short} back to {said}. To keep {count}, say in {place}: {keep}"


def rolling(service: Service) -> str:
    """What a restart of a service is, in words."""
    return f"{service.desired} new task{'s' if service.desired != 1 else ''}, rolling"


def _scaled(service: Service, count: int) -> Change:
    if service.mode != "replicated":
        why = "runs one task on each node that fits" if service.mode == "global" else "is a job"
        raise ArgumentInvalid(f"{names.shown(service)} {why}: it has no number of tasks to set; nothing was changed.")
    if service.desired == count:
        return Change(service, f"{count} wanted already", None)
    return Change(service, f"{service.desired} -> {count} tasks", partial(_resize, count=count))


def _resize(spec: Spec, *, count: int) -> None:
    spec["Mode"]["Replicated"]["Replicas"] = count


def _renew(spec: Spec) -> None:
    template = spec["TaskTemplate"]
    template["ForceUpdate"] = template.get("ForceUpdate", 0) + 1


def _order(change: Change) -> tuple[int, str, str]:
    """As stacks need one another; services of the same name in the stacks of projects side by side."""
    known = manifests.order()
    template = change.service.labels.get(names.TEMPLATE, change.service.stack)
    place = known.index(template) if template in known else len(known)
    return place, template, change.service.short


def _carry_out(
    changes: Sequence[Change], purpose: str, engine: Engine, report: Report, wait: float, *, dry: bool
) -> None:
    if dry or not any(change.edit for change in changes):
        for change in changes:
            report.line(f"{names.shown(change.service)}: {change.words}")
        return
    with lock.held(engine, purpose, wait, report.line) as hold:
        for key, group in groupby(changes, key=_order):
            wave = list(group)
            title = names.shown(wave[0].service) if len(wave) == 1 else f"{key[1]}/{key[2]}"
            with report.step(title, hold.ended) as step:
                step.skipped = not any(change.edit for change in wave)
                step.detail = wave[0].words if len(wave) == 1 else f"{len(wave)} services, {wave[0].words}"
                together(wave, partial(_one, engine, hold), step)


def _one(engine: Engine, hold: Hold, change: Change, step: Step) -> None:
    if change.edit is None:
        return
    hold.demand()
    own = engine.again()
    began = own.now() - CLOCK_SKEW
    spec = _update(own, change.service, change.edit)
    template = change.service.labels.get(names.TEMPLATE, change.service.stack)
    manifest = manifests.read().get(template)
    timeout = manifest.timeout if manifest else TIMEOUT
    watch = Watch(change.service.stack, {change.service.name: spec}, began, timeout)
    _converge(own, change.service, watch, step)


def _update(engine: Engine, service: Service, edit: Edit) -> Spec:
    """Write a service's changed specification; when somebody else wrote meanwhile, theirs is read and changed.

    A manager that went away after it had written ours refuses the same once more: then it is done.
    """
    asked: Spec | None = None
    for _ in range(TRIES):
        found = engine.service(service.id)
        if found is None:
            raise StackFailed(f"{service.name} was removed by somebody meanwhile.")
        if asked is not None and found["Spec"] == asked:
            return asked
        edit(found["Spec"])
        asked = found["Spec"]
        try:
            return dict(engine.update_service(service.id, int(found["Version"]["Index"]), asked)["Spec"])
        except ChangedMeanwhile:
            continue
    raise ChangedMeanwhile(f"{service.name} is being changed by somebody else all the time.")


def _converge(engine: Engine, service: Service, watch: Watch, step: Step) -> None:
    """Wait until the service's new tasks are healthy and stable and its surplus ones are gone."""
    converge.wait(engine, watch, step)

    def exact() -> bool:
        found = next((item for item in live.services(engine, service.stack) if item.id == service.id), None)
        return found is None or sum(task.state == "running" for task in found.tasks) <= found.desired

    if not until(exact, watch.timeout, every=converge.POLL):
        raise DeadlinePassed(f"{service.name}: tasks that should end still run after {watch.timeout:.0f} s.")
