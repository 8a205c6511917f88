"""Changes by hand to services that run: more or fewer tasks, or new tasks one after another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import groupby

from swarm.engine.client import Engine
from swarm.engine.wire import Spec
from swarm.errors import ChangedMeanwhile, DeadlinePassed, StackFailed
from swarm.live import lookup, services
from swarm.live.services import Service
from swarm.report import Report, Step
from swarm.rollout import converge, lock
from swarm.rollout.converge import Watch
from swarm.rollout.lock import HeldLock
from swarm.rollout.waves import together
from swarm.stacks import manifest as manifests
from swarm.wait import until

CLOCK_SKEW = timedelta(seconds=2)
TIMEOUT_SECONDS = 180
ATTEMPTS = 5

Edit = Callable[[Spec], None]


@dataclass(frozen=True)
class Change:
    """One service, the change in words, and how its specification changes (None: no change)."""

    service: Service
    words: str
    edit: Edit | None


def _order(change: Change) -> tuple[int, str, str]:
    """As stacks need one another; services of the same name in the stacks of projects side by side."""
    known = manifests.order()
    template = change.service.labels.get(lookup.TEMPLATE, change.service.stack)
    place = known.index(template) if template in known else len(known)
    return place, template, change.service.short


def _carry_out(
    changes: Sequence[Change], purpose: str, engine: Engine, report: Report, wait: float, *, dry: bool
) -> None:
    if dry or not any(change.edit for change in changes):
        for change in changes:
            report.line(f"{lookup.display_name(change.service)}: {change.words}")
        return
    with lock.held(engine, purpose, wait, report.line) as hold:
        for key, group in groupby(changes, key=_order):
            wave = list(group)
            title = lookup.display_name(wave[0].service) if len(wave) == 1 else f"{key[1]}/{key[2]}"
            with report.step(title, hold.ended) as step:
                step.skipped = not any(change.edit for change in wave)
                step.detail = wave[0].words if len(wave) == 1 else f"{len(wave)} services, {wave[0].words}"
                together(wave, partial(_one, engine, hold), step)


def _one(engine: Engine, hold: HeldLock, change: Change, step: Step) -> None:
    if change.edit is None:
        return
    hold.require()
    own = engine.with_own_connection()
    began = own.now() - CLOCK_SKEW
    spec = _update(own, change.service, change.edit)
    template = change.service.labels.get(lookup.TEMPLATE, change.service.stack)
    manifest = manifests.read().get(template)
    timeout = manifest.timeout if manifest else TIMEOUT_SECONDS
    watch = Watch(change.service.stack, {change.service.name: spec}, began, timeout)
    _converge(own, change.service, watch, step)


def _update(engine: Engine, service: Service, edit: Edit) -> Spec:
    """Write a service's changed specification; if another client changed it meanwhile, try again.

    A manager that went away after it had written ours refuses the same once more: then it is done.
    """
    asked: Spec | None = None
    for _ in range(ATTEMPTS):
        found = engine.services.get(service.id)
        if found is None:
            raise StackFailed(f"{service.name} was removed by another client in the meantime.")
        if asked is not None and found["Spec"] == asked:
            return asked
        edit(found["Spec"])
        asked = found["Spec"]
        try:
            return dict(engine.services.update(service.id, int(found["Version"]["Index"]), asked)["Spec"])
        except ChangedMeanwhile:
            continue
    raise ChangedMeanwhile(f"{service.name} keeps changing; gave up after several attempts to update it.")


def _converge(engine: Engine, service: Service, watch: Watch, step: Step) -> None:
    """Wait until the service's new tasks are healthy and stable and its surplus ones are gone."""
    converge.wait(engine, watch, step)

    def exact() -> bool:
        found = next((item for item in services.services(engine, service.stack) if item.id == service.id), None)
        return found is None or sum(task.state == "running" for task in found.tasks) <= found.desired

    if not until(exact, watch.timeout, every=watch.timing.poll_seconds):
        raise DeadlinePassed(f"{service.name}: tasks that should stop are still running after {watch.timeout:.0f} s.")
