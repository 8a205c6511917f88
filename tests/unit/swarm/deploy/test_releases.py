from datetime import UTC, datetime
from typing import Any

import pytest

from swarm.deploy import prune, releases
from swarm.deploy.releases import Content, Release, State
from swarm.errors import UnknownName
from swarm.stacks import versions
from tests.support.fake_managers import Known

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
    assert releases.desired_state("db", found).rollout["db_patroni1"].before == ["switchover"]


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


def recorded(engine: Known, number: int, state: State | None = State.DEPLOYED, stack: str = "app") -> Release:
    """A release with a config and a secret of its own, which the swarm holds and no service uses."""
    names = {"configs": (f"{stack}_page_{number}",), "secrets": (f"{stack}-token_{number}",)}
    for kind, (name,) in names.items():
        engine.managers.put(kind, {"Name": name, "Labels": {versions.LABEL: "x"}})
    held = content({f"{stack}_web": spec(f"{stack}_web", "web:1")}, **names)
    made = releases.begin(engine, stack, held, deploy="d", commit="")
    if state:
        releases.finish(engine, made, state)
    return made


def left(engine: Known, kind: str) -> set[str]:
    """The numbers of the releases whose versions are still there."""
    every = (item["Spec"] for item in engine.managers.held[kind].values())
    return {spec["Name"].rpartition("_")[2] for spec in every if versions.LABEL in spec["Labels"]}


def test_all_kept_releases_keep_their_configs_and_their_secrets() -> None:
    engine = Known()
    for number in (1, 2, 3):
        recorded(engine, number)
    recorded(engine, 4, State.FAILED)
    recorded(engine, 5, None)
    needed = releases.forget(engine)
    assert needed == {f"{name}_{number}" for name in ("app_page", "app-token") for number in (1, 2, 3, 5)}
    prune.prune_versions(engine)
    assert left(engine, "secrets") == left(engine, "configs") == {"1", "2", "3", "5"}


def test_a_release_that_is_forgotten_lets_go_of_its_configs_and_its_secrets() -> None:
    engine = Known()
    for number in (1, 2, 3):
        recorded(engine, number)
    assert releases.forget(engine, keep=2) == {f"{name}_{n}" for name in ("app_page", "app-token") for n in (2, 3)}
    prune.prune_versions(engine)
    assert left(engine, "secrets") == left(engine, "configs") == {"2", "3"}


def test_a_cleaned_release_counts_among_the_kept_ones_and_keeps_its_versions() -> None:
    engine = Known()
    for number in (1, 2, 3):
        recorded(engine, number)
    recorded(engine, 1, stack="db")
    releases.mark_cleaned(engine, "app")
    needed = releases.forget(engine, keep=2)
    assert [(item.number, item.state) for item in releases.history(engine, "app")] == [
        (3, State.CLEANED),
        (2, State.DEPLOYED),
    ]
    assert {"app-token_3", "app-token_2", "db-token_1"} <= needed
    assert "app-token_1" not in needed
    prune.prune_versions(engine)
    assert left(engine, "secrets") == {"1", "2", "3"}


def test_the_latest_release_of_a_cleaned_stack_is_none_and_the_newest_is_the_cleaned_one() -> None:
    engine = Known()
    recorded(engine, 1)
    recorded(engine, 2)
    recorded(engine, 1, stack="db")
    releases.mark_cleaned(engine, "app")
    assert {stack: item.number for stack, item in releases.latest(engine).items()} == {"db": 1}
    newest = releases.newest(releases.history(engine))
    assert {stack: (item.number, item.state) for stack, item in newest.items()} == {
        "app": (2, State.CLEANED),
        "db": (1, State.DEPLOYED),
    }


CLEAN = State.CLEANED


@pytest.mark.parametrize(
    ("known", "current", "before", "ran"),
    [
        ([release(2), release(1)], 2, 1, 1),
        ([release(1)], 1, None, None),
        ([release(3), release(2, state=State.FAILED), release(1)], 3, 1, 1),
        ([release(2), release(1, state=CLEAN)], 2, 1, None),
        ([release(3), release(2, state=State.FAILED), release(1, state=CLEAN)], 3, 1, None),
        ([release(3), release(2), release(1, state=CLEAN)], 3, 2, 2),
        # 3 brought 2 back after a clean, so 1 is the one before.
        ([release(3, note="rollback to release 2"), release(2, state=CLEAN), release(1)], 3, 1, 1),
        ([release(2, note="rollback to release 1"), release(1, state=CLEAN)], 2, None, None),
        # Cleaned and brought back twice.
        (
            [
                release(4, note="rollback to release 3"),
                release(3, state=CLEAN, note="rollback to release 2"),
                release(2, state=CLEAN),
                release(1),
            ],
            4,
            1,
            1,
        ),
        # A rollback without a clean goes to and fro.
        ([release(3, note="rollback to release 1"), release(2), release(1)], 3, 2, 2),
        # A clean between, but brought back was another release.
        ([release(3, note="rollback to release 1"), release(2, state=CLEAN), release(1)], 3, 2, None),
    ],
)
def test_the_release_before_one_and_what_ran_before_it(
    known: list[Release], current: int, before: int | None, ran: int | None
) -> None:
    item = releases.among(known, "app", current)
    found = releases.previous(known, item)
    assert (found.number if found else None) == before
    found = releases.running_before(known, item)
    assert (found.number if found else None) == ran
