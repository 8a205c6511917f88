"""The portal on a platform of its own: real databases, a recorded swarm manager, a server that can be cut off."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import uvicorn
from activity.database.provision import provision
from activity.portal.app import create_app
from activity.series.compute import compute
from activity.settings import Need

from tests.integration.activity.conftest import Platform, environ
from tests.support import web_server
from tests.support.waiting import HANG, until

RECORDED = Path(__file__).parents[3] / "unit" / "activity" / "portal" / "data"
ANSWERS = {
    "/nodes": "nodes_one_of_four_down",
    "/services": "services_nine",
    "/tasks": "tasks_one_pending_one_failed",
}
DOMAIN = "swarmstats.localhost"
PROJECTS = {
    "apache": ("Apache", "Apache Software Foundation"),
    "kubernetes": ("Kubernetes", "Cloud Native Computing Foundation"),
    "prometheus": ("Prometheus", "Cloud Native Computing Foundation"),
    "growing": ("Growing", "Rust Foundation"),
    "empty": ("Empty", ""),
    "absent": ("<b>Absent & sons</b>", ""),
}
START = datetime(2015, 1, 1)


class Seed:
    """Fills the tables of a project as an ingest would."""

    def __init__(self, platform: Platform, project: str) -> None:
        self.platform, self.project, self.number = platform, project, 0

    def hour(self, at: datetime, source: str = "archive", pushes: int = 0, actors: int = 1) -> None:
        """Store an hour with so many pushes by so many people in turn."""
        for push in range(pushes):
            self.event(at, "PushEvent", actor=push % actors + 1)
        self._run("insert into hours (dt, source, events) values (%s, %s, %s)", at, source, pushes)

    def event(self, at: datetime, kind: str, actor: int) -> int:
        """Store an event; returns its id."""
        self.number += 1
        self._run(
            "insert into gha_events (id, type, actor_id, repo_id, created_at, dup_actor_login, dup_repo_name)"
            " values (%s, %s, %s, 1, %s, %s, 'a/b')",
            self.number, kind, actor, at, f"person{actor}",
        )  # fmt: skip
        return self.number

    def pull_request(self, at: datetime, number: int, action: str, merged: bool = False) -> None:
        """Store what happened to a pull request."""
        event = self.event(at, "PullRequestEvent", actor=1)
        self._run(
            "insert into gha_payloads (event_id, action, pull_request_id, dup_actor_login, dup_repo_id, dup_repo_name,"
            " dup_type, dup_created_at) values (%s, %s, %s, 'person1', 1, 'a/b', 'PullRequestEvent', %s)",
            event, action, number, at,
        )  # fmt: skip
        self._run(
            "insert into gha_pull_requests (id, event_id, user_id, base_sha, head_sha, number, state, title,"
            " created_at, updated_at, merged_at, dup_actor_id, dup_actor_login, dup_repo_id, dup_repo_name, dup_type,"
            " dup_created_at, dup_user_login) values (%s, %s, 1, '', '', 1, '', '', %s, %s, %s, 1, 'person1', 1, 'a/b',"
            " 'PullRequestEvent', %s, 'person1')",
            number, event, at, at, at if merged else None, at,
        )  # fmt: skip

    def _run(self, statement: str, *values: Any) -> None:
        self.platform.rows(self.project, statement, values)


class Forwarder:
    """Stands before the database server and can be cut off, as a network would."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = True
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection and take no new one."""
        self.open = False
        for pair in self.pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        self.pairs.clear()

    def mend(self) -> None:
        """Take connections again."""
        self.open = True

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                if not self.open:
                    near.close()
                    continue
                far = socket.create_connection(self.target)
                self.pairs.append((near, far))
                for source, sink in ((near, far), (far, near)):
                    Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65536):
            sink.sendall(block)
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def database_line(seeded) -> Iterator[Forwarder]:
    """What the portal reads through, in place of the server itself."""
    forwarder = Forwarder(seeded.server.host, seeded.server.port)
    seeded.environ |= {"ACTIVITY_DATABASE_HOST": "127.0.0.1", "ACTIVITY_DATABASE_PORT_READ": str(forwarder.port)}
    yield forwarder
    forwarder.cut()
    forwarder.listener.close()


@contextmanager
def _manager(answer: Callable[[str], tuple[int, bytes]]) -> Iterator[str]:
    class Handler(web_server.Handler):
        def do_GET(self) -> None:
            self.answer(*answer(self.path), content_type="application/json")

    with web_server.serving(Handler) as address:
        yield f"http://{address}"


def _recorded(name: str) -> bytes:
    return (RECORDED / f"{name}.json").read_bytes()


@pytest.fixture
def swarm_manager(seeded) -> Iterator[None]:
    """A Docker API with recorded answers."""
    with _manager(lambda path: (200, _recorded(ANSWERS[path]))) as url:
        seeded.environ["ACTIVITY_DOCKER_URL"] = url
        yield


@pytest.fixture
def swarm_worker(seeded) -> Iterator[None]:
    """A Docker API of a node that is no manager."""
    with _manager(lambda _: (503, _recorded("refusal_not_a_manager"))) as url:
        seeded.environ["ACTIVITY_DOCKER_URL"] = url
        yield


@pytest.fixture
def not_docker(seeded) -> Iterator[None]:
    """Something else that answers where the Docker API should be."""
    with _manager(lambda _: (200, b"<html>hello</html>")) as url:
        seeded.environ["ACTIVITY_DOCKER_URL"] = url
        yield


@pytest.fixture(scope="session")
def filled(postgres_server: Any, secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Projects in every state, made once: real, simulated, mixed, without hours, without a database."""
    folder = tmp_path_factory.mktemp("portal")
    platform = Platform(postgres_server, folder, _environ(postgres_server, folder, secrets))
    _name_projects(platform)
    settings = platform.settings(Need.OWNER, Need.READER, Need.PROJECTS)
    for project in settings.projects:
        if project.name != "absent":
            provision(settings, project)
    _fill(platform)
    for project in settings.projects:
        if project.name not in ("absent", "empty"):
            compute(settings, project, everything=True)
    yield platform
    platform.drop()


@pytest.fixture
def seeded(filled: Platform) -> Platform:
    """The filled platform with an environment that the test may change."""
    return replace(filled, environ=dict(filled.environ))


def _environ(server: Any, folder: Path, secrets: Path) -> dict[str, str]:
    return {
        **environ(server, folder, secrets),
        "ACTIVITY_DOMAIN": DOMAIN,
        "ACTIVITY_PUBLIC_URL": f"http://{DOMAIN}:8080",
        "ACTIVITY_DOCKER_URL": "http://127.0.0.1:9",
    }


def _name_projects(platform: Platform) -> None:
    platform.follow_projects({name: [name] for name in PROJECTS})
    path = platform.folder / "projects.json"
    entries = json.loads(path.read_text())["projects"]
    for entry in entries:
        entry["display_name"], entry["foundation"] = PROJECTS[entry["name"]]
    path.write_text(json.dumps({"projects": entries}))


def _fill(platform: Platform) -> None:
    apache = Seed(platform, "apache")
    apache.pull_request(START, 1, "opened")
    apache.pull_request(START, 2, "opened")
    apache.pull_request(START + timedelta(hours=2), 2, "closed", merged=True)
    apache.hour(START, pushes=5, actors=3)
    apache.hour(START + timedelta(hours=2), pushes=1)
    Seed(platform, "kubernetes").hour(START, "simulated", pushes=2)
    Seed(platform, "growing").hour(START, pushes=2)
    prometheus = Seed(platform, "prometheus")
    prometheus.hour(START, "simulated", pushes=1)
    prometheus.hour(START + timedelta(hours=1), "archive", pushes=1)


@pytest.fixture
def portal(seeded) -> Iterator[httpx.Client]:
    """A client of the portal, which is served by a thread of this process."""
    app = create_app(seeded.settings(Need.READER, Need.PROJECTS))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = Thread(target=server.run, args=([listener],))
    thread.start()
    port = listener.getsockname()[1]
    try:
        until("the portal", lambda: server.started, every=0.02)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Host": DOMAIN}, timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def served(seeded) -> Iterator[str]:
    """The portal as a process of its own; gives its address."""
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    process = seeded.start("serve", ACTIVITY_LISTEN=f"127.0.0.1:{port}", ACTIVITY_PUBLIC_URL=f"http://{DOMAIN}:{port}")
    try:
        until("the portal", lambda: _answers(port))
        yield f"http://{DOMAIN}:{port}"
    finally:
        process.terminate()
        _, told = process.communicate(timeout=HANG)
    assert "Traceback" not in told, told


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.TransportError:
        return False
