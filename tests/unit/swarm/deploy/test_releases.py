from datetime import UTC, datetime
from typing import Any

import pytest

from swarm.deploy import releases
from swarm.deploy.releases import Content, Release, State
from swarm.errors import UnknownName

PATRONI = {"siblings": "patroni", "last": ["leads"], "before": ["switchover"]}


def spec(name: str, image: str, secret: str = "") -> dict[str, Any]:
    held = [{"SecretName": secret}] if secret else []
    return {"Name": name, "TaskTemplate": {"ContainerSpec": {"Image": image, "Secrets": held}}}


def content(services: dict[str, Any], **changed: Any) -> Content:
    given: dict[str, Any] = {
        "template": "db",
        "document": {"services": {}},
        "services": services,
        "networks": {},
        "configs": (),
        "secrets": (),
        "images": {name: one["TaskTemplate"]["ContainerSpec"]["Image"] for name, one in services.items()},
        "rollout": {},
        "timeout": 180,
    }
    return Content(**{**given, **changed})


def test_a_release_of_some_services_holds_the_others_with_their_networks_and_their_turns() -> None:
    before = content(
        {"db_patroni1": spec("db_patroni1", "patroni:1", "password_1"), "db_haproxy": spec("db_haproxy", "haproxy:1")},
        document={"services": {"patroni1": {}, "haproxy": {"image": "haproxy:1"}}, "networks": {"members": {}}},
        networks={"db_members": {"Name": "db_members"}},
        secrets=("password_1",),
        rollout={"db_patroni1": PATRONI},
    )
    part = content(
        {"db_haproxy": spec("db_haproxy", "haproxy:2", "password_2")},
        document={"services": {"haproxy": {"image": "haproxy:2"}}},
        networks={"db_front": {"Name": "db_front"}},
        secrets=("password_2",),
    )
    found = releases.completed(part, before)
    assert found.images == {"db_patroni1": "patroni:1", "db_haproxy": "haproxy:2"}
    assert found.services["db_haproxy"] == part.services["db_haproxy"]
    assert found.networks.keys() == {"db_members", "db_front"}
    assert found.secrets == ("password_1", "password_2")
    assert found.document["services"] == {"patroni1": {}, "haproxy": {"image": "haproxy:2"}}
    assert found.document["networks"] == {"members": {}}
    assert releases.wanted("db", found).rollout["db_patroni1"].before == ["switchover"]


def release(number: int, stack: str = "app", **changed: Any) -> Release:
    """A release as the ledger's labels tell of it."""
    given: dict[str, Any] = {
        "id": f"{stack}-{number}",
        "stack": stack,
        "number": number,
        "state": State.DEPLOYED,
        "deploy": f"deploy-{number}",
        "owner": "me",
        "host": "here",
        "commit": "",
        "note": "",
        "parts": 1,
        "open": False,
        "when": datetime(2026, 11, 21, number, tzinfo=UTC),
    }
    return Release(**{**given, **changed})


def test_a_release_is_found_by_its_number_among_those_of_its_stack() -> None:
    known = [release(2), release(1, "db"), release(1)]
    assert releases.among(known, "app", 1) is known[2]
    with pytest.raises(UnknownName, match='No release "app 3"'):
        releases.among(known, "app", 3)


@pytest.mark.parametrize("word", ["-1", "1.5", "²", ""])
def test_a_release_number_that_is_none_is_no_release(word: str) -> None:
    with pytest.raises(UnknownName, match="No release number"):
        releases.number(word)
