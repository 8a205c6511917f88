"""Pruning: networks that nothing needs, versions of configs and secrets that no service and no kept release uses."""

from collections.abc import Iterable
from functools import partial

from swarm.deploy import releases
from swarm.engine.client import Engine
from swarm.engine.refusals import REFUSALS
from swarm.errors import SwarmstatsError
from swarm.plan.plan import StackPlan
from swarm.report import Report, Step
from swarm.rollout.converge import Timing
from swarm.stacks import versions
from swarm.wait import until


def remove_networks(done: StackPlan, engine: Engine, step: Step, timing: Timing) -> None:
    """Remove networks that nothing needs any more, once tasks that have ended let go of them."""
    for network in done.unwanted_networks:
        removed = partial(engine.networks.remove, network)
        if not until(removed, timing.network_seconds, every=timing.poll_seconds):
            step.warn(
                f"{done.stack}: the unused network {network} could not be removed; it may "
                f"still be in use. ./run plan {done.stack} shows it; the next deploy retries."
            )


def prune_versions(engine: Engine, gone: Iterable[str] = ()) -> int:
    """Remove versions of configs and secrets that no service uses and no kept release needs; returns how many.

    The releases of the stacks in `gone` are forgotten.
    """
    needed = releases.forget(engine, gone=gone)
    services = engine.services.list()
    configs = versions.unused(engine.configs.list(), services, needed)
    secrets = versions.unused(engine.secrets.list(), services, needed)
    removed = [*map(engine.configs.discard, configs), *map(engine.secrets.discard, secrets)]
    return sum(removed)


def prune_after_success(engine: Engine, report: Report) -> int:
    """Collect after what was asked for is done: that it fails is said, and no failure of that."""
    try:
        return prune_versions(engine)
    except (SwarmstatsError, *REFUSALS) as error:
        report.warn(f"Could not prune old versions of configs and secrets; the next deploy retries: {error}")
        return 0
