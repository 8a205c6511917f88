from dataclasses import dataclass
from datetime import datetime, timedelta

from swarm.live import status
from swarm.live.services import Service
from tests.support.services import NOW, service, task
from tests.unit.swarm.conftest import Make


@dataclass(frozen=True)
class Done:
    number: int
    when: datetime
    state: str = "deployed"


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
