"""What an hour costs for projects that have nothing in it; with `pytest -s` it is printed."""

import sys
import threading
from dataclasses import replace
from statistics import median
from time import process_time

import pytest
from activity.archive.schedule.ledger import Ledgers
from activity.archive.schedule.runner import Runner
from activity.archive.schedule.task import HourTask
from activity.database.provision import provision
from activity.database.watermarks import Source
from activity.hour import parse_hour

HOUR = parse_hour("2015-01-01-0")
IDLE = 249
RUNS = 5


@pytest.mark.usefixtures("real_archive")
def test_249_projects_without_events_cost_less_than_one_percent_of_the_hour_each(platform):
    platform.follow("apache")
    settings = platform.settings()
    (apache,) = settings.projects
    provision(settings, apache)
    # Their databases do not exist: touching one would fail.
    idle = tuple(
        replace(apache, name=f"idle-{number}", organisations=(f"idle-{number}",), database=f"absent_{number}")
        for number in range(IDLE)
    )
    took = {1: [], 1 + IDLE: []}
    for _ in range(RUNS):
        for projects in ((apache,), (apache, *idle)):
            with_idle = replace(settings, projects=projects)
            runner = Runner(with_idle, Ledgers(with_idle), threading.Event())
            task = HourTask(HOUR, Source.ARCHIVE, projects, force=True)
            runner.run(task)
            platform.log_rows("truncate empty_hours")
            began = process_time()
            runner.run(task)
            took[len(projects)].append(process_time() - began)
            platform.log_rows("truncate empty_hours") if len(projects) == 1 else None
    alone, together = (median(times) for times in took.values())
    share = (together - alone) / alone / IDLE
    words = f"an hour: {alone:.3f} s CPU for 1 project, {together:.3f} s for {1 + IDLE}; each idle one {share:.2%}"
    sys.stderr.write(f"\n{words}\n")
    assert share < 0.01
    assert platform.log_rows("select count(*), count(distinct database) from empty_hours") == [(IDLE, IDLE)]
