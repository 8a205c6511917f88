"""Backfills of projects as jobs of the swarm: started with what the ingest runs with, and left to themselves."""

import copy
from collections.abc import Collection, Iterable
from datetime import datetime

from swarm.containers import job_attempts
from swarm.engine.client import Engine
from swarm.engine.wire import Spec
from swarm.errors import ArgumentInvalid, JobFailed

LABEL = "swarmstats.backfill"
PREFIX = "swarmstats-backfill-"
STACK = "archive"
INGEST = f"{STACK}_ingest"
MEMORY_BYTES = 1 << 30


def arguments(project: str, first: str, last: str, *, newest_first: bool, jobs: int) -> tuple[str, ...]:
    """The words of the service's verb `ingest` for a backfill."""
    hours = [word for pair in (("--from", first), ("--to", last)) if pair[1] for word in pair]
    for option, value in (("--from", first), ("--to", last)):
        if value and not _is_hour(value):
            raise ArgumentInvalid(f"{option} {value!r} is not a valid hour.", hint=f"E.g. {option} 2015-01-01-0")
    order = ("--newest-first",) if newest_first else ()
    return ("ingest", "--project", project, *hours, *order, "--jobs", str(jobs))


def start(engine: Engine, project: str, words: tuple[str, ...]) -> bool:
    """Start the backfill of a project as a job; False if one is running. Raises JobFailed without an ingest."""
    sweep(engine, project)
    name = PREFIX + project
    if engine.services.get(name) is not None:
        return False
    ingest = engine.services.get(INGEST)
    if ingest is None:
        raise JobFailed("The ingest is not deployed.", hint="./run deploy archive")
    engine.services.create(specification(ingest["Spec"], name, project, words))
    return True


def specification(ingest: Spec, name: str, project: str, words: tuple[str, ...]) -> Spec:
    """A job that has what the ingest has (image, environment, configs, secrets, networks) and other words."""
    template = copy.deepcopy(ingest["TaskTemplate"])
    container = template["ContainerSpec"]
    container["Args"] = list(words)
    container["Healthcheck"] = {"Test": ["NONE"]}
    # The stack's labels would make it a part of the stack.
    container.pop("Labels", None)
    # Under the ingest's name it would be taken for it.
    template["Networks"] = [{"Target": network["Target"]} for network in template.get("Networks", [])]
    template["Resources"] = {"Limits": {"MemoryBytes": MEMORY_BYTES}}
    # Killed, it goes on from where it was.
    template["RestartPolicy"] = {"Condition": "on-failure", "Delay": 30 * 10**9, "MaxAttempts": 5}
    template.pop("ForceUpdate", None)
    return {
        "Name": name,
        "Labels": {LABEL: project},
        "Mode": {"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}},
        "EndpointSpec": {"Mode": "dnsrr"},
        "TaskTemplate": template,
    }


def running(engine: Engine) -> dict[str, str]:
    """Project -> state of the task of its backfill, for every one that is there."""
    found: dict[str, str] = {}
    for item, tasks in _services(engine):
        newest = max(tasks, key=lambda task: str(task["CreatedAt"]), default=None)
        found[project_of(item)] = str(newest["Status"]["State"]) if newest else "new"
    return found


def sweep(engine: Engine, project: str) -> list[str]:
    """Remove backfills that completed, and that of a project also when it failed for good; returns their projects.

    One that failed is otherwise left for project.status to show. The log database keeps how they went.
    """
    ended = {project_of(item): verdict for item, tasks in _services(engine) if (verdict := end(item, tasks))}
    gone = [name for name, verdict in ended.items() if verdict == "complete" or name == project]
    for name in gone:
        engine.services.remove(PREFIX + name)
    return gone


def end(service: Spec, tasks: Iterable[Spec]) -> str:
    """The state in which a backfill ended, "complete" or a bad one; empty while it runs or Swarm tries it again."""
    iteration = int((service.get("JobStatus") or {}).get("JobIteration", {}).get("Index", 0))
    decided = job_attempts.verdict(job_attempts.attempts(tasks, iteration), 1)
    return decided.state if decided else ""


def bound(engine: Engine, stacks: Collection[str]) -> dict[str, str]:
    """Project -> how its backfill ended, if it did, for those that cannot outlive these stacks.

    That is each that ended, that fills one of them, that uses a network of theirs, and with the archive's stack all:
    they have its configs. Swarm keeps what is in use, and would keep half of a stack.
    """
    services = _services(engine)
    held = {str(item["Id"]) for stack in stacks for item in engine.networks.list(stack)} if services else set()
    found: dict[str, str] = {}
    for item, tasks in services:
        project, ended = project_of(item), end(item, tasks)
        networks = {network["Target"] for network in item["Spec"]["TaskTemplate"].get("Networks") or ()}
        if ended or project in stacks or STACK in stacks or networks & held:
            found[project] = ended
    return found


def project_of(service: Spec) -> str:
    """The project that a service is the backfill of; empty for all other services."""
    return str((service["Spec"].get("Labels") or {}).get(LABEL, ""))


def stop(engine: Engine, project: str) -> bool:
    """End the backfill of a project, if there is one; what it brought stays."""
    if engine.services.get(PREFIX + project) is None:
        return False
    engine.services.remove(PREFIX + project)
    return True


def _services(engine: Engine) -> list[tuple[Spec, list[Spec]]]:
    """Every backfill that is there, with its tasks."""
    found = [item for item in engine.services.list() if project_of(item)]
    tasks = engine.tasks.list() if found else []
    return [(item, [task for task in tasks if task["ServiceID"] == item["ID"]]) for item in found]


def _is_hour(text: str) -> bool:
    day, _, hour = text.rpartition("-")
    try:
        datetime.strptime(day, "%Y-%m-%d")
    except ValueError:
        return False
    return hour.isdecimal() and int(hour) < 24
