import pytest

from swarm.errors import UnknownName
from swarm.live import lookup
from swarm.live.services import Service
from tests.support.services import service, task

EVERY = (
    service("admin_portal", task("p")),
    service("admin_traefik", task("t")),
    service("apache_sync", task("a"), template="project"),
    service("rust-lang_sync", task("r"), template="project"),
)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("admin", "admin_portal admin_traefik"),
        ("admin/traefik", "admin_traefik"),
        ("admin_traefik", "admin_traefik"),
        ("apache", "apache_sync"),
        ("project", "apache_sync rust-lang_sync"),
        ("rust-lang/sync, admin/portal,admin_portal", "admin_portal rust-lang_sync"),
        ("all", "admin_portal admin_traefik apache_sync rust-lang_sync"),
    ],
)
def test_a_word_names_a_service_a_stack_a_project_or_all(words: str, wanted: str) -> None:
    assert " ".join(item.name for item in lookup.choose(EVERY, words)) == wanted


def test_all_of_an_empty_swarm_is_nothing() -> None:
    none: tuple[Service, ...] = ()
    assert lookup.choose(none, "all") == ()


@pytest.mark.parametrize("word", ["traefik", "admin/trafik", "admin,apache,admin_traefk"])
def test_an_unknown_name_gives_the_nearest(word: str) -> None:
    with pytest.raises(UnknownName, match=r"Did you mean .*admin/traefik"):
        lookup.choose(EVERY, word)


@pytest.mark.parametrize("word", ["", " , "])
def test_nothing_is_no_name(word: str) -> None:
    with pytest.raises(UnknownName):
        lookup.choose(EVERY, word)


def test_where_one_service_is_meant_a_stack_of_several_is_refused_with_their_names() -> None:
    assert lookup.one(EVERY, "apache").name == "apache_sync"
    with pytest.raises(UnknownName) as caught:
        lookup.one(EVERY, "admin")
    assert caught.value.hint == "Services: admin/portal, admin/traefik."


def test_a_stack_that_is_known_not_to_run_may_be_named() -> None:
    assert lookup.choose(EVERY, "app", {"app"}) == ()
    assert [item.name for item in lookup.choose(EVERY, "app,apache", {"app"})] == ["apache_sync"]
    with pytest.raises(UnknownName):
        lookup.choose(EVERY, "app,metrcis", {"app"})
