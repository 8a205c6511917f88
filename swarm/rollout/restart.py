"""Restart services: new tasks, rolling as each service's update_config says."""

from swarm.engine.client import Engine
from swarm.engine.wire import Spec
from swarm.live import lookup, services
from swarm.live.services import Service
from swarm.report import Report
from swarm.rollout.service_update import Change, _carry_out, _order


def restart(words: str, engine: Engine, report: Report, wait: float, *, dry: bool) -> None:
    """New tasks, one service of a stack after the other, each as its update_config says; jobs are left alone."""
    chosen = lookup.choose(services.services(engine), words)
    for job in (service for service in chosen if service.job):
        report.line(f"{lookup.display_name(job)} is a job; it has no tasks to restart.")
    changes = [Change(service, rolling(service), _renew) for service in chosen if not service.job]
    _carry_out(sorted(changes, key=_order), f"restart {words}", engine, report, wait, dry=dry)


def rolling(service: Service) -> str:
    """What a restart of a service is, in words."""
    return f"{service.desired} new task{'s' if service.desired != 1 else ''}, rolling"


def _renew(spec: Spec) -> None:
    template = spec["TaskTemplate"]
    template["ForceUpdate"] = template.get("ForceUpdate", 0) + 1
