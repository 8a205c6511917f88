import re
import time
from dataclasses import replace

import pytest

from swarm.lints import lint as lints
from swarm.lints.collisions import collisions
from swarm.lints.finding import Lint
from swarm.settings.environment import ROOT
from swarm.stacks import stack, targets
from tests.unit.swarm.conftest import ENV, PROJECTS, Make
from tests.unit.swarm.lints.conftest import MakeStack


def only(found: list[Lint]) -> Lint:
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("name", [path.parent.name for path in sorted((ROOT / "env").glob("*/env.yaml"))])
def test_the_stacks_of_the_house_have_no_lints(make: Make, name: str) -> None:
    files = (ROOT / "env" / name / file for file in ("env.yaml", "projects.yaml"))
    environment = make(*(file.read_text() for file in files), name=name)
    rendered = [stack.render(environment, target) for target in targets.select(environment, "all")]
    assert lints.every(rendered, environment.storage.path) == []


def test_a_lint_names_the_line_of_the_template_in_every_rendered_stack(make: Make) -> None:
    environment = make(ENV + "images: {activity: example.org/activity}\n")
    rendered = [stack.render(environment, target) for target in targets.select(environment, "project,archive")]
    places = {path: path.read_text().splitlines() for path in (ROOT / "stacks").glob("*/stack.yml.j2")}
    found = [item for stack in rendered for item in lints.lint(stack, "/data")]
    assert [item.service for item in found] == ["archive_ingest", "apache_sync", "rust-lang_sync"]
    for item in found:
        file, _, line = item.place.rpartition(":")
        assert "image('activity')" in places[ROOT / file][int(line) - 1]
    assert len(lints.every(rendered, "/data")) == 2


def service(text: str) -> str:
    return "services:\n  web:\n    image: nginx:1.27\n    " + text.replace("\n", "\n    ") + "\nvolumes: {data: {}}\n"


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("nginx", "has no tag"), ("registry:5000/team/nginx", "has no tag"), ("nginx:latest", "the tag latest moves"),
        ("nginx:main", "the tag main moves"), ("nginx:alpine", "the tag alpine moves"),
    ],
)  # fmt: skip
def test_an_image_without_a_version_is_told(stack: MakeStack, image: str, message: str) -> None:
    found = only(lints.lint(stack(f"services:\n  web:\n    image: {image}\n"), "/data"))
    assert message in found.message
    assert (found.place, found.service) == ("stacks/app/stack.yml.j2:3", "app_web")


@pytest.mark.parametrize(
    "image",
    ["nginx:1.27.2", "a/b:v2", "127.0.0.1:5000/x/y:c52e77b21e25", "r:5000/x:abcdefabcdef", "nginx:main@sha256:00"],
)
def test_a_version_a_content_tag_and_a_digest_are_fine(stack: MakeStack, image: str) -> None:
    assert lints.lint(stack(f"services:\n  web:\n    image: {image}\n"), "/data") == []


@pytest.mark.parametrize(
    ("text", "key", "instead"),
    [
        ("depends_on: [db]", "depends_on", "needs in stack.yaml"), ("shm_size: 64m", "shm_size", "target: /dev/shm"),
        ("restart: always", "restart", "restart_policy"), ("container_name: web", "container_name", "STACK_SERVICE"),
        ("privileged: true", "privileged", "cap_add"), ("devices: [/dev/fuse]", "devices", "volume"),
        ("build: .", "build", "image('NAME')"), ("tmpfs: [/tmp]", "tmpfs", "type: tmpfs"),
        ("networks:\n  edge: {ipv4_address: 10.0.0.9}", "ipv4_address", "STACK_SERVICE"),
    ],
)  # fmt: skip
def test_a_key_that_docker_ignores_is_told_with_what_to_write_instead(
    stack: MakeStack, text: str, key: str, instead: str
) -> None:
    found = only(lints.lint(stack(service(text)), "/data"))
    assert f"ignores {key}" in found.message
    assert instead in found.hint


@pytest.mark.parametrize(
    "text",
    [
        "environment: {POSTGRES_PASSWORD: hunter2}", "environment: [PGPASSWORD=hunter2]",
        "environment: {GITHUB_TOKEN: hunter2}", "environment: {SECRET_KEY_BASE: hunter2}",
        "environment: {AWS_ACCESS_KEY: hunter2}", "environment: {DATABASE_URL: 'postgres://me:hunter2@db/x'}",
        "command: [serve, 'postgres://me:hunter2@db/x']", "entrypoint: run redis://:hunter2@cache:6379",
    ],
)  # fmt: skip
def test_a_secret_in_plain_sight_is_told_and_not_repeated(stack: MakeStack, text: str) -> None:
    found = only(lints.lint(stack(service(text)), "/data"))
    assert "in plain text" in found.message or "user and password" in found.message
    assert "hunter2" not in f"{found}"
    assert found.place == "stacks/app/stack.yml.j2:4"


@pytest.mark.parametrize(
    "variable",
    [
        "PASSWORD: ''", "PASSWORD_FILE: /run/secrets/x", "TOKEN_URL: http://x/y", "PUBLIC_KEY: abc", "KEYBOARD: us",
        "ALLOW_EMPTY_PASSWORD: 'yes'", "API_KEY: /run/secrets/key", "TOKEN_TTL: '60'", "URL: 'http://me@host:80/a:b'",
        "MONKEY: business", "PASSWORD:",
    ],
)  # fmt: skip
def test_what_only_sounds_like_a_secret_is_fine(stack: MakeStack, variable: str) -> None:
    assert lints.lint(stack(service(f"environment:\n  {variable}")), "/data") == []


@pytest.mark.parametrize(
    ("mount", "message"),
    [
        ("/srv/x:/x", "binds /srv/x, and its task may run on any node"),
        ("./x:/x:ro", "binds ./x, and its task may run on any node"),
        ("{type: bind, source: /database, target: /x}", "binds /database, and its task may run on any node"),
        ("data:/x", "volume data is local to each node, and its task may run on any node"),
        ("{type: volume, source: data}", "volume data is local to each node, and its task may run on any node"),
    ],
)  # fmt: skip
def test_data_of_one_node_under_a_task_that_may_go_to_any_is_told(stack: MakeStack, mount: str, message: str) -> None:
    found = only(lints.lint(stack(service(f"volumes:\n  - {mount}")), "/data"))
    assert (found.message, found.place) == (message, "stacks/app/stack.yml.j2:5")


@pytest.mark.parametrize(
    "text",
    [
        "volumes: ['/data/archive:/x', '/data:/y', '/var/run/docker.sock:/var/run/docker.sock', '/:/host:ro', '/x']",
        "volumes: [{type: tmpfs, target: /tmp}, {type: volume, target: /anonymous}]",
        "volumes: ['data:/x']\ndeploy: {placement: {constraints: [node.labels.db == true]}}",
        "volumes: ['/srv:/x']\ndeploy: {mode: global}",
    ],
)
def test_data_that_is_everywhere_or_pinned_is_fine(stack: MakeStack, text: str) -> None:
    assert lints.lint(stack(service(text)), "/data") == []


def test_a_role_does_not_pin_data_and_a_shared_volume_needs_no_pin(stack: MakeStack) -> None:
    text = "volumes: ['data:/x']\ndeploy: {placement: {constraints: [node.role == worker]}}"
    assert len(lints.lint(stack(service(text)), "/data")) == 1
    shared = service(text).replace("{data: {}}", "{data: {driver_opts: {type: nfs, device: ':/data'}}}")
    assert lints.lint(stack(shared), "/data") == []


def test_start_first_with_a_host_port_is_told_at_its_own_line(stack: MakeStack) -> None:
    text = """\
ports:
  - {target: 80, published: 80, mode: host}
deploy:
  update_config: {order: stop-first}
  rollback_config:
    order: start-first"""
    found = only(lints.lint(stack(service(text)), "/data"))
    assert found.message == "start-first does not work with port 80 in host mode: the old task still uses it"
    assert found.place == "stacks/app/stack.yml.j2:9"
    assert lints.lint(stack(service(text.replace("mode: host", "mode: ingress"))), "/data") == []


@pytest.mark.parametrize("label", ["traefik.enable: 'true'", "- traefik.enable=true"])
def test_labels_for_traefik_outside_of_deploy_are_told(stack: MakeStack, label: str) -> None:
    found = only(lints.lint(stack(service(f"labels:\n  {label}")), "/data"))
    assert found.hint == "Move them to deploy.labels."
    assert found.place == "stacks/app/stack.yml.j2:5"


def test_a_router_needs_a_port_even_if_another_service_answers(stack: MakeStack) -> None:
    text = """\
deploy:
  labels:
    traefik.enable: "true"
    traefik.http.routers.web.rule: Host(`a`)
    traefik.http.routers.web.service: api@internal"""
    found = only(lints.lint(stack(service(text)), "/data"))
    assert found.message == "router web has no port: Traefik ignores the whole service"
    assert found.hint == 'traefik.http.services.web.loadbalancer.server.port: "PORT"'
    assert found.place == "stacks/app/stack.yml.j2:7"
    port = '\n    traefik.http.services.web.loadbalancer.server.port: "80"'
    assert lints.lint(stack(service(text + port)), "/data") == []
    assert lints.lint(stack(service(text.replace('"true"', '"false"'))), "/data") == []
    assert "tcp" in only(lints.lint(stack(service(text.replace("http", "tcp") + port)), "/data")).hint


def test_names_that_are_too_long_are_told_with_their_length(stack: MakeStack) -> None:
    long = "n" * 64
    text = f"services:\n  web:\n    image: a:1\n    hostname: {long}\n    networks: {{edge: {{aliases: [{long}]}}}}\n"
    text += f"networks:\n  edge: {{external: true, name: {long}}}\nsecrets:\n  key: {{external: true, name: {long}n}}\n"
    found = lints.lint(stack(text), "/data")
    assert [re.sub("n{9,}", "N", item.message) for item in found] == [
        "network N has 64 characters; Swarm allows 63", "secret N has 65 characters; Swarm allows 64",
        "host name N has 64 characters; Swarm allows 63", "alias N has 64 characters; Swarm allows 63",
    ]  # fmt: skip
    assert [item.place.rpartition(":")[2] for item in found] == ["7", "9", "4", "5"]
    hostname = "'{{.Service.Name}}-{{.Task.Slot}}-{{.Node.Hostname}}-and-some-more-words'"
    template = f"services:\n  web:\n    image: a:1\n    hostname: {hostname}\n"
    assert lints.lint(stack(template), "/data") == []


def test_a_stack_without_its_text_is_told_without_a_line(stack: MakeStack) -> None:
    given = replace(stack("services:\n  web:\n    image: nginx\n"), source="")
    assert only(lints.lint(given, "/data")).place == "stacks/app/stack.yml.j2"


def test_250_projects_are_linted_at_once(make: Make) -> None:
    projects = PROJECTS + "".join(f"  project-{number}: {{organisations: [x]}}\n" for number in range(248))
    environment = make(ENV, projects)
    rendered = [stack.render(environment, target) for target in targets.select(environment, "project")]
    assert len(rendered) == 250
    started = time.perf_counter()
    assert [item for stack in rendered for item in lints.lint(stack, "/data")] == []
    alone = time.perf_counter() - started
    assert collisions(rendered) == []
    together = time.perf_counter() - started - alone
    # Ten times what it takes on an idle machine.
    assert (alone < 3, together < 1) == (True, True), (alone, together)
