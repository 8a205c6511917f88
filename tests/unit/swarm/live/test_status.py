from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from swarm.errors import UnknownName
from swarm.live import status
from swarm.live.services import Service
from swarm.live.status import Absent
from swarm.stacks import targets
from tests.support.services import NOW, service, task
from tests.unit.swarm.conftest import Make


@dataclass(frozen=True)
class Done:
    number: int
    when: datetime
    state: str = "deployed"
    cleaned_at: datetime | None = None
    cleaned_by: str = ""


def cells(make: Make, services: list[Service], releases: dict[str, Done]) -> list[tuple[str, ...]]:
    return [row.cells(NOW) for row in status.rows(make(), services, releases)]


def test_a_row_has_release_age_services_tasks_state_and_address(make: Make) -> None:
    services = [service("admin_portal", task("a")), service("admin_traefik", task("b"))]
    found = cells(make, services, {"admin": Done(12, NOW - timedelta(hours=2))})
    assert found == [("admin", "12", "2h ago", "2", "2/2", "healthy", "http://example.test")]


def test_projects_share_a_row_with_their_newest_release(make: Make) -> None:
    services = [service(f"{name}_sync", task(name), template="project") for name in ("apache", "rust-lang")]
    releases = {"apache": Done(3, NOW - timedelta(days=3)), "rust-lang": Done(4, NOW - timedelta(seconds=5))}
    assert cells(make, services, releases) == [("projects", "4", "5s ago", "2", "2/2", "healthy", "")]


def test_what_was_never_released_and_what_is_under_way_says_so(make: Make) -> None:
    services = [service("app_nginx", task("a")), service("db_haproxy", task("b"))]
    found = {row[0]: row[1:3] for row in cells(make, services, {"db": Done(2, NOW, "pending")})}
    assert found == {"app": ("-", "-"), "db": ("2 pending", "0s ago")}


def test_an_unwell_stack_says_what_why_and_where_to_look(make: Make) -> None:
    failed = task("a", state="failed", desired="shutdown", error="task: non-zero exit (1)")
    ((*_, state, _url),) = cells(make, [service("app_nginx", failed)], {})
    assert state == "1 failing: app/nginx: task: non-zero exit (1) (./run logs app/nginx)"


def test_a_service_has_mode_tasks_state_image_nodes_and_its_last_error() -> None:
    tasks = (
        task("a"),
        task("b", slot="2"),
        task("c", slot="3", node="node-2"),
        task("d", slot="3", node="node-3", state="failed", error="oom", since=NOW - timedelta(minutes=3)),
        task("e", slot="3", node="node-3", state="failed", error="older", since=NOW - timedelta(minutes=9)),
    )
    digest = "sha256:" + "0123456789abcdef" * 4
    found = service("app_nginx", *tasks, desired=3, image=f"127.0.0.1:5000/swarmstats/nginx:1.26@{digest}")
    (detail,) = status.details([found])
    assert detail.cells(NOW) == (
        "app/nginx", "replicated", "3/3", "healthy", "nginx:1.26@0123456789ab", "node-1 x2, node-2",
        "3m ago on node-3: oom",
    )  # fmt: skip


def test_a_job_shows_where_it_ran_and_a_service_without_tasks_nothing() -> None:
    done = service("db_bootstrap", task(state="complete", desired="shutdown"), mode="replicated-job")
    empty = service("app_nginx")
    found = [detail.cells(NOW) for detail in status.details([done, empty])]
    assert [(row[0], row[2], row[3], row[5], row[6]) for row in found] == [
        ("db/bootstrap", "1/1", "complete", "node-1", "-"),
        ("app/nginx", "0/0", "healthy", "-", "-"),
    ]


CLEANED = Done(4, NOW, "cleaned", NOW, "me@here")
RUNNING = [service("admin_portal", task("a")), service("apache_sync", task("b"), template="project")]


@pytest.mark.parametrize(
    ("words", "projects", "names"),
    [
        ("all", "", "app archive db metrics rust-lang"),
        ("all", "r*", "rust-lang"),
        ("all", "a*", ""),
        ("project", "", "rust-lang"),
        ("app,admin", "", "app"),
        ("app, rust-lang", "", "app rust-lang"),
        ("admin/portal", "", ""),
        ("nothing-like-it", "", ""),
    ],
)
def test_stacks_that_are_defined_and_do_not_run_are_found_by_name(
    make: Make, words: str, projects: str, names: str
) -> None:
    found = status.not_running(make(), RUNNING, words, projects)
    assert " ".join(sorted(target.name for target in found)) == names


def test_a_pattern_that_no_project_matches_is_an_error(make: Make) -> None:
    with pytest.raises(UnknownName):
        status.not_running(make(), RUNNING, "all", "x*")


def away(make: Make, releases: dict[str, Done], running: list[Service]) -> list[tuple[str, ...]]:
    """The rows of `status` as they are printed, with all that does not run."""
    environment = make()
    absent = [Absent(target, releases.get(target.name)) for target in status.not_running(environment, running, "all")]
    return [row.cells(NOW) for row in status.rows(environment, running, releases, absent)]


def test_every_stack_that_should_run_has_a_row_which_says_why_it_does_not(make: Make) -> None:
    releases = {"app": CLEANED, "db": Done(3, NOW), "admin": Done(2, NOW)}
    found = {row[0]: row for row in away(make, releases, RUNNING[:1])}
    assert set(found) == {"admin", "db", "archive", "metrics", "app", "projects"}
    assert found["admin"][5] == "healthy"
    assert found["app"] == (
        "app", "4 cleaned", "0s ago", "0", "0/0", "cleaned 2026-11-21 12:00 by me@here (./run rollback app)",
        "http://app.example.test",
    )  # fmt: skip
    assert found["db"][5] == "missing: release 3 was deployed, no service exists (./run deploy db)"
    assert (found["metrics"][1], found["metrics"][5]) == ("-", "not deployed (./run deploy metrics)")


def test_projects_that_do_not_run_are_told_in_the_row_of_those_that_do(make: Make) -> None:
    (*_, row) = (row for row in away(make, {"apache": Done(1, NOW)}, RUNNING) if row[0] == "projects")
    assert row[5] == "healthy; rust-lang not deployed (./run deploy rust-lang)"
    (*_, row) = (row for row in away(make, {"apache": CLEANED}, RUNNING[:1]) if row[0] == "projects")
    assert row[5] == "1 cleaned: apache; 1 not deployed: rust-lang (./run status project)"


def test_of_many_projects_only_a_few_are_named(make: Make) -> None:
    projects = "projects:\n" + "".join(f"  p{number}: {{organisations: [p{number}]}}\n" for number in range(9))
    environment = make(projects=projects)
    absent = [Absent(target, None) for target in targets.select(environment, "project")]
    (row,) = status.rows(environment, [], {}, absent)
    assert row.state == "9 not deployed: p0, p1, p2, p3 and 5 more (./run status project)"


def test_among_services_a_stack_that_does_not_run_has_a_row_of_its_own(make: Make) -> None:
    environment = make()
    (target,) = targets.select(environment, "app")
    _, rows = status.services(RUNNING[:1], NOW, [Absent(target, CLEANED)])
    assert rows[1] == (
        "app", "-", "0/0", "cleaned 2026-11-21 12:00 by me@here (./run rollback app)", "-", "-", "-",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("release", "state"), [(CLEANED, "cleaned"), (Done(3, NOW), "missing"), (None, "not deployed")]
)
def test_machines_read_why_a_stack_does_not_run(make: Make, release: Done | None, state: str) -> None:
    (target,) = targets.select(make(), "app")
    assert Absent(target, release).as_json() == {
        "stack": "app",
        "state": state,
        "release": release.number if release else None,
        "cleaned_at": NOW if release is CLEANED else None,
        "cleaned_by": "me@here" if release is CLEANED else "",
    }
