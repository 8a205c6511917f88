"""Backfills of projects as jobs of the swarm: started with what the ingest runs with, and left to themselves."""

import copy
from datetime import datetime

from swarm.engine import Engine, Spec
from swarm.errors import ArgumentInvalid, JobFailed

LABEL = "swarmstats.backfill"
PREFIX = "swarmstats-backfill-"
INGEST = "archive_ingest"
MEMORY = 1 << 30
ENDED = ("complete", "failed", "shutdown", "rejected", "orphaned", "remove")


def arguments(project: str, first: str, last: str, *, newest_first: bool, jobs: int) -> tuple[str, ...]:
    """The words of the service's verb `ingest` for a backfill."""
    hours = [word for pair in (("--from", first), ("--to", last)) if pair[1] for word in pair]
    for option, value in (("--from", first), ("--to", last)):
        if value and not _is_hour(value):
            raise ArgumentInvalid(f"{option} {value!r} is no hour.", hint=f"Say {option} 2015-01-01-0.")
    order = ("--newest-first",) if newest_first else ()
    return ("ingest", "--project", project, *hours, *order, "--jobs", str(jobs))


def start(engine: Engine, project: str, words: tuple[str, ...]) -> bool:
    """Start the backfill of a project as a job; False when one is under way. Raises JobFailed without an ingest."""
    sweep(engine)
    name = PREFIX + project
    if engine.service(name) is not None:
        return False
    ingest = engine.service(INGEST)
    if ingest is None:
        raise JobFailed("No ingest is deployed.", hint="./run deploy archive")
    engine.create_service(specification(ingest["Spec"], name, project, words))
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
    template["Resources"] = {"Limits": {"MemoryBytes": MEMORY}}
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
    for item in _services(engine):
        tasks = engine.api.api.tasks(filters={"service": item["ID"]})
        newest = max(tasks, key=lambda task: str(task["CreatedAt"]), default=None)
        found[str(item["Spec"]["Labels"][LABEL])] = str(newest["Status"]["State"]) if newest else "new"
    return found


def sweep(engine: Engine) -> list[str]:
    """Remove backfills that ended; returns their projects. The log database keeps how they went."""
    states = running(engine)
    ended = [project for project, state in states.items() if state in ("complete", "rejected")]
    for project in ended:
        engine.remove_service(PREFIX + project)
    return ended


def stop(engine: Engine, project: str) -> bool:
    """End the backfill of a project, if there is one; what it brought stays."""
    if engine.service(PREFIX + project) is None:
        return False
    engine.remove_service(PREFIX + project)
    return True


def _services(engine: Engine) -> list[Spec]:
    return [dict(item) for item in engine.api.api.services(filters={"label": LABEL})]


def _is_hour(text: str) -> bool:
    day, _, hour = text.rpartition("-")
    try:
        datetime.strptime(day, "%Y-%m-%d")
    except ValueError:
        return False
    return hour.isdecimal() and int(hour) < 24
