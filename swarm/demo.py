"""From nothing to a running platform on this machine: the one use case that calls all others."""

import time
from datetime import datetime
from typing import Any

import requests

from swarm.deploy import deploy
from swarm.deploy.deployment import Options
from swarm.errors import DemoFailed, UnknownName
from swarm.nodes import lifecycle, manager
from swarm.report import Report, Step, duration
from swarm.rollout.waves import waves
from swarm.session import Session
from swarm.settings.environment import Archive, Environment
from swarm.shell import Shell
from swarm.stacks import images, stack, targets, urls

DEADLINE_SECONDS = 300.0
POLL_SECONDS = 1.0


def run(environment: Environment, shell: Shell, report: Report, *, dry: bool = False) -> None:
    """Make the lab, build and push, deploy everything, wait for data; nothing is changed where all is there."""
    if environment.file.driver != "lab":
        raise UnknownName("lab environment", environment.name, ["lab"])
    nodes, projects = len(environment.nodes), len(environment.projects)
    report.line(f"Swarmstats demo: a swarm of {nodes} nodes on this machine, {projects} projects, all local.")
    began = time.monotonic()
    lifecycle.init(environment, shell, report, dry=dry)
    every = targets.select(environment, "all")
    wanted = stack.needed_images(environment, every)
    images.build(environment, wanted, shell, report, dry=dry)
    images.push(wanted, report, dry=dry)
    if dry and manager.find(environment, shell) is None:
        report.would((f"deploy {title}" for title, _ in waves(every, lambda target: target)), "")
        return
    session = Session(environment, manager.connect(environment, shell), shell, report)
    deploy.deploy(session, every, Options(dry=dry))
    if dry:
        return
    with report.step("data") as step:
        step.detail = _data(environment, step)
    report.line(f"Ready in {duration(time.monotonic() - began)}.")
    report.line()
    report.table(("What", "Where", "Sign in"), urls.addresses(environment, every))
    report.line("Next: ./run status   ./run show   ./run logs archive_ingest   ./run swarm.clean")


def _data(environment: Environment, step: Step) -> str:
    """Wait until every project holds the demo's hours; returns which, and whether they are simulated."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    projects: list[dict[str, Any]] = []
    while time.monotonic() < deadline:
        projects = _projects(environment)
        held = min((int(project["hours"] or 0) for project in projects), default=0)
        wanted = _hours(environment.archive, any(project["source"] == "simulated" for project in projects))
        if projects and held >= wanted and all(project["newest_hour"] for project in projects):
            newest = max(str(project["newest_hour"]) for project in projects)
            source = "simulated " if any(project["source"] == "simulated" for project in projects) else ""
            events = sum(int(project["events"]) for project in projects)
            return f"{events:,} {source}events of {held} hours, newest {newest[:16].replace('T', ' ')} UTC"
        step.note(f"{held} of {wanted} hours")
        time.sleep(POLL_SECONDS)
    raise DemoFailed(
        f"The projects did not receive their hours within {DEADLINE_SECONDS:.0f} s.",
        hint="See ./run logs archive_ingest",
    )


def _hours(archive: Archive, simulated: bool) -> int:
    """How many hours are worth waiting for; the newest may not be published yet."""
    since, until = archive.since, archive.until
    if simulated and archive.simulate_since:
        since = archive.simulate_since
    if since and since.startswith("-"):
        return max(1, int(since[1:-1]) - 1)
    if since and until:
        return int((_moment(until) - _moment(since)).total_seconds() // 3600) + 1
    return 1


def _moment(hour: str) -> datetime:
    day, _, number = hour.rpartition("-")
    return datetime.fromisoformat(day).replace(hour=int(number))


def _projects(environment: Environment) -> list[dict[str, Any]]:
    """The portal's summary, through Traefik; empty while it does not answer."""
    lab = environment.file.lab
    try:
        answer = requests.get(
            f"http://{lab.listen}:{lab.http_port}/api/projects", headers={"Host": environment.domain}, timeout=5
        )
        answer.raise_for_status()
        found = answer.json()
    except (requests.RequestException, ValueError):
        return []
    return list(found["projects"])
