from typing import Any

import pytest

from swarm.lints.collisions import collisions
from swarm.lints.finding import Lint
from swarm.live.services import Snapshot
from swarm.stacks.stack import Stack
from tests.unit.swarm.lints.conftest import MakeStack


def only(found: list[Lint]) -> Lint:
    assert len(found) == 1, found
    return found[0]


def routed(
    stack: MakeStack, name: str, rule: str = "Host(`{0}`)", router: str = "{0}", service: str = "{0}", more: str = ""
) -> Stack:
    router, service = router.format(name), service.format(name)
    return stack(
        f"""
        services:
          web:
            image: a:1
            deploy:
              labels:
                traefik.enable: "true"
                traefik.http.routers.{router}.rule: {rule.format(name)}
                traefik.http.routers.{router}.service: {service}
                traefik.http.services.{service}.loadbalancer.server.port: "80"
                {more}
        """,
        name,
    )


def test_stacks_with_names_and_rules_of_their_own_do_not_collide(stack: MakeStack) -> None:
    assert collisions([routed(stack, "one"), routed(stack, "two")]) == []


def test_a_router_that_two_stacks_name_alike_is_told_once_with_the_other(stack: MakeStack) -> None:
    found = only(collisions([routed(stack, "one", router="Web"), routed(stack, "two", router="web")]))
    assert (found.service, found.message) == ("two_web", "router web is also defined by one_web")
    assert found.place == "stacks/two/stack.yml.j2:7"


def test_a_service_of_traefik_that_two_stacks_name_alike_would_mix_their_tasks(stack: MakeStack) -> None:
    found = only(collisions([routed(stack, "one", service="web"), routed(stack, "two", service="web")]))
    assert found.message == "service web is also defined by one_web"
    assert "distributes requests over the tasks of both" in found.hint


def test_a_middleware_may_be_said_twice_alike_but_not_differently(stack: MakeStack) -> None:
    def limited(name: str, average: int) -> Stack:
        return routed(stack, name, more=f'traefik.http.middlewares.slow.ratelimit.average: "{average}"')

    found = collisions([limited("one", 1), limited("two", 2)])
    assert [item.message for item in found] == ["middleware slow is also defined by one_web"]


def test_two_routers_with_one_rule_are_told_whatever_their_spaces(stack: MakeStack) -> None:
    one = routed(stack, "one", rule="Host(`a`) && Path(`/`)")
    found = only(collisions([one, routed(stack, "two", rule="Host(`a`)   &&  Path(`/`)")]))
    assert found.message == "one_web has a router with the same rule: Host(`a`) && Path(`/`)"
    ranked = routed(stack, "two", rule="Host(`a`) && Path(`/`)", more='traefik.http.routers.two.priority: "9"')
    assert collisions([one, ranked]) == []
    elsewhere = routed(stack, "two", rule="Host(`a`) && Path(`/`)", more="traefik.http.routers.two.entrypoints: other")
    assert collisions([one, elsewhere]) == []


def running(*services: dict[str, Any]) -> Snapshot:
    return Snapshot(
        (), tuple({"ID": item["Name"], "Spec": item} for item in services), (), ({"Id": "n1", "Name": "edge"},)
    )


def live(stack: str, name: str, aliases: list[str] | None = None, **labels: str) -> dict[str, Any]:
    networks = [{"Target": "n1", "Aliases": aliases or [name]}]
    return {
        "Name": f"{stack}_{name}",
        "Labels": {"com.docker.stack.namespace": stack, "traefik.enable": "true", **labels},
        "TaskTemplate": {"Networks": networks},
    }


def test_what_runs_beside_the_stacks_collides_too_and_what_they_replace_does_not(stack: MakeStack) -> None:
    label = {"traefik.http.routers.old.rule": "Host(`one`)"}
    found = only(collisions([routed(stack, "one")], running(live("other", "web", **label))))
    assert (found.service, found.message) == ("one_web", "other_web has a router with the same rule: Host(`one`)")
    assert collisions([routed(stack, "one")], running(live("one", "before", **label))) == []


def joined(
    stack: MakeStack, name: str, text: str = "", networks: str = "[edge]", configs: dict[str, str] | None = None
) -> Stack:
    return stack(
        f"""
        services:
          sync:
            image: a:1
            networks: {networks}
            {text}
        networks:
          edge: {{external: true, name: edge}}
          inner: {{}}
        """,
        name,
        configs,
    )


def test_one_short_name_in_many_stacks_of_a_network_is_fine_while_nobody_uses_it(stack: MakeStack) -> None:
    mentions = "command: [sync, --full, one_sync:8080, 'http://one_sync:8080/sync:all', sync]"
    assert collisions([joined(stack, "one", mentions), joined(stack, "two", "environment: {MODE: sync}")]) == []


@pytest.mark.parametrize(
    "text",
    [
        "environment: {URL: 'http://sync:8080/x'}", "environment: [URL=http://sync]", "environment: {DB_HOST: sync}",
        "environment: {PEERS: 'other:80,sync:80'}", "command: [--upstream, 'sync:8080']",
        "entrypoint: run postgres://me@sync/x", "command: ['http://tasks.sync:80']",
    ],
)  # fmt: skip
def test_an_ambiguous_short_name_is_told_where_it_is_used(stack: MakeStack, text: str) -> None:
    found = only(collisions([joined(stack, "one", text), joined(stack, "two"), joined(stack, "three")]))
    assert found.message == "sync resolves to one_sync and three_sync and 1 more on network edge"
    assert (found.place, found.service) == ("stacks/one/stack.yml.j2:5", "one_sync")
    assert found.hint == "Use the full name, STACK_SERVICE."


def test_a_config_is_read_too_and_its_entry_in_the_service_is_the_place(stack: MakeStack) -> None:
    mounted = "configs: [{source: web.conf, target: /etc/web.conf}]"
    content = {"web.conf": "location / { proxy_pass http://sync:8080; }"}
    found = only(collisions([joined(stack, "one", mounted, configs=content), joined(stack, "two")]))
    assert found.place == "stacks/one/stack.yml.j2:5"
    other = {"web.conf": "proxy_pass http://one_sync:8080; # sync"}
    assert collisions([joined(stack, "one", mounted, configs=other), joined(stack, "two")]) == []


def test_a_short_name_is_no_ambiguity_on_a_network_of_the_stack_itself(stack: MakeStack) -> None:
    used = "environment: {URL: 'http://sync:8080'}"
    assert collisions([joined(stack, "one", used, "[inner]"), joined(stack, "two", "", "[inner]")]) == []
    assert collisions([joined(stack, "one", used, "[inner]"), joined(stack, "two")]) == []


def test_a_chosen_alias_that_another_stack_has_too_is_always_told(stack: MakeStack) -> None:
    one = joined(stack, "one", networks="{edge: {aliases: [database]}}")
    found = collisions([one, joined(stack, "two", networks="{edge: {aliases: [database]}}")])
    assert [item.message for item in found] == [
        "alias database also resolves to two_sync on network edge",
        "alias database also resolves to one_sync on network edge",
    ]
    assert found[0].place == "stacks/one/stack.yml.j2:4"
    found = collisions([one], running(live("other", "db", ["db", "database"])))
    assert only(found).message == "alias database also resolves to other_db on network edge"


def test_one_alias_for_several_services_of_a_stack_is_meant(stack: MakeStack) -> None:
    text = "services:\n"
    for name in ("a", "b"):
        text += f"  {name}: {{image: 'a:1', networks: {{edge: {{aliases: [db]}}}}, environment: {{DB_HOST: db}}}}\n"
    assert collisions([stack(text + "networks: {edge: {external: true, name: edge}}\n")]) == []
